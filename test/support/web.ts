/** Browsers, or what takes itself for one, at a server with a door for them. Every wait has a limit. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Http from "node:http"
import * as Net from "node:net"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { WebSocket } from "ws"
import { PageFolder } from "../../src/doors/Page.ts"
import type { Settings } from "../../src/ServerConfig.ts"
import { within } from "./client.ts"
import { doors } from "./server.ts"

/** A page that is none, but has all its files; gone at the end of the scope. */
export const pageFolder = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "tellnet-page-" })
  for (const name of ["index.html", "page.js", "page.css", "icon.svg"]) {
    const bytes = Buffer.from(`this is ${name} `.repeat(50))
    yield* files.writeFile(`${folder}/${name}`, bytes)
    if (name === "icon.svg") continue
    yield* files.writeFile(`${folder}/${name}.gz`, gzipSync(bytes))
    yield* files.writeFile(`${folder}/${name}.br`, brotliCompressSync(bytes))
  }
  return folder
}).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

/** A server with this page, that ends with the scope: the ports of its doors, the one for browsers last. */
export const webDoors = (overrides: Partial<Settings> = {}) =>
  Effect.flatMap(
    pageFolder,
    (folder) => doors({ webPort: Option.some(0), ...overrides }).pipe(Effect.provideService(PageFolder, folder))
  )

/** The same with a plain door and the one for browsers only. */
export const plainAndWeb = (overrides: Partial<Settings> = {}) =>
  Effect.map(webDoors(overrides), ([plain = 0, web = 0]) => ({ plain, web }))

export interface Options {
  readonly json?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: boolean
  /** A connection that is there already. */
  readonly socket?: Net.Socket
}

/** A WebSocket as a browser would have it, with its answers to pings and to a close. */
export const browse = (port: number, { headers = {}, json = false, socket, tls = false }: Options = {}) =>
  Effect.gen(function*() {
    const lines = yield* Queue.unbounded<string>()
    const over = yield* Deferred.make<number>()
    const ws = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new WebSocket(`${tls ? "wss" : "ws"}://127.0.0.1:${port}/chat`, json ? ["tellnet.json.1"] : [], {
          headers,
          rejectUnauthorized: false,
          perMessageDeflate: false,
          ...socket && { createConnection: () => socket }
        })
      ),
      (ws) => Effect.sync(() => ws.terminate())
    )
    ws.on("error", () => {})
    ws.on("message", (data, isBinary) => {
      const text = Buffer.isBuffer(data) ? data.toString() : assert.fail("no Buffer")
      assert.isFalse(isBinary)
      assert.match(text, /\n$/)
      for (const line of text.split("\n").slice(0, -1)) Queue.unsafeOffer(lines, line)
    })
    ws.on("close", (code) => Deferred.unsafeDone(over, Effect.succeed(code)))
    const address = yield* within(
      "a WebSocket",
      Effect.async<string>((resume) => {
        ws.on(
          "upgrade",
          ({ socket }) => ws.once("open", () => resume(Effect.succeed(`${socket.localAddress}:${socket.localPort}`)))
        )
        ws.on("unexpected-response", (_, { statusCode }) => resume(Effect.dieMessage(`status ${statusCode}`)))
      })
    )
    const line = within("a line", Queue.take(lines))
    return {
      address,
      front: `[${address}]${address}:`,
      ws,
      /** Sends each as a message. */
      send: (...messages: ReadonlyArray<string>) => Effect.sync(() => messages.forEach((message) => ws.send(message))),
      line,
      sees: (...expected: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          for (const each of expected) assert.strictEqual(yield* line, each)
        }),
      /** Waits until it is closed, and gives the code. */
      closed: within("the end", Deferred.await(over))
    }
  })

/** The same, once it has heard of its own arrival. */
export const arriveByWeb = (port: number, options?: Options) =>
  Effect.tap(browse(port, options), (browser) => browser.sees(`${browser.front}已上线`))

/** What a server answers to a request. */
export const ask = (port: number, path: string, options: Http.RequestOptions = {}) =>
  within(
    `an answer to ${path}`,
    Effect.async<
      { readonly status: number | undefined; readonly headers: Http.IncomingHttpHeaders; readonly body: Buffer },
      Error
    >((resume) => {
      const request = Http.request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () =>
          resume(Effect.succeed({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks)
          })))
      })
      request.on("upgrade", ({ headers, statusCode }, socket) => {
        socket.destroy()
        resume(Effect.succeed({ status: statusCode, headers, body: Buffer.alloc(0) }))
      })
      request.on("error", (error) => resume(Effect.fail(error)))
      request.end()
    })
  )

/** The headers by which a WebSocket is asked for. */
export const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
}

/** What comes in return when these bytes are sent on a connection of their own, until the server ends it; or it is enough. */
export const exchange = (
  port: number,
  bytes: string | Uint8Array,
  isEnough: (answer: Buffer) => boolean = () => false
) =>
  within(
    "the end of a connection",
    Effect.async<Buffer>((resume) => {
      const chunks: Array<Buffer> = []
      const socket = Net.connect(port, "127.0.0.1", () => socket.write(bytes))
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk)
        if (isEnough(Buffer.concat(chunks))) socket.end()
      }).on("error", () => {})
      socket.on("close", () => resume(Effect.succeed(Buffer.concat(chunks))))
      return Effect.sync(() => socket.destroy())
    })
  )

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
}

/** A frame as a client sends it: `first` has the bits and the opcode. */
export const frame = (
  first: number,
  content: string | Uint8Array | ReadonlyArray<number> = "",
  { length, masked = true }: { readonly length?: number; readonly masked?: boolean } = {}
): Buffer => {
  const mask = Buffer.from([1, 2, 3, 4])
  const payload = typeof content === "string" ? Buffer.from(content) : Buffer.from(content)
  const size = length ?? payload.length
  const head = Buffer.alloc(size < 126 ? 2 : size < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = (masked ? 0x80 : 0) | (size < 126 ? size : size < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(size, 2)
  if (head.length === 10) head.writeUIntBE(size, 4, 6)
  return masked
    ? Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))])
    : Buffer.concat([head, payload])
}

/** The frames that a server sent. */
export const framesIn = (bytes: Buffer): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  // The last one may not have come as a whole.
  for (let at = 0; at + 10 <= bytes.length || at + 2 <= bytes.length && bytes.readUInt8(at + 1) < 126;) {
    const short = bytes.readUInt8(at + 1)
    assert.isBelow(short, 128, "masked")
    const [length, head] = short === 126
      ? [bytes.readUInt16BE(at + 2), 4]
      : short === 127
      ? [bytes.readUIntBE(at + 4, 6), 10]
      : [short, 2]
    assert.strictEqual(bytes.readUInt8(at) & 0xf0, 0x80, "not whole, or with reserved bits")
    if (at + head + length > bytes.length) break
    frames.push({ opcode: bytes.readUInt8(at) & 15, payload: bytes.subarray(at + head, at + head + length) })
    at += head + length
  }
  return frames
}

/** A request for a WebSocket, byte by byte. */
export const request = (port: number, ...headers: ReadonlyArray<string>): string =>
  [
    "GET /chat HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    ...Object.entries(upgrade).map(([name, value]) => `${name}: ${value}`),
    ...headers,
    "",
    ""
  ].join("\r\n")

/** The frames that come in return for these bytes, up to a close. */
export const framesFor = (port: number, bytes: Uint8Array, ...headers: ReadonlyArray<string>) => {
  const sent = Buffer.concat([Buffer.from(request(port, ...headers)), bytes])
  const framesOf = (answer: Buffer) => framesIn(answer.subarray(answer.indexOf("\r\n\r\n") + 4))
  return Effect.map(exchange(port, sent, (answer) => framesOf(answer).at(-1)?.opcode === 8), (answer) => {
    assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101 /)
    return framesOf(answer)
  })
}
