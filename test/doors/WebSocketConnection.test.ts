import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Net from "node:net"
import { arrive, connect, within } from "../support/client.ts"
import { arriveByWeb, browse, type Frame, frame, framesFor, framesIn, plainAndWeb, request } from "../support/web.ts"

const text = 0x81
const start = 0x01
const binary = 0x82
const more = 0x00
const last = 0x80
const close = 0x88
const ping = 0x89
const pong = 0x8a

const bye = frame(close, [3, 232])
// Whoever closes at once hears nothing more: a WebSocket has no half that is left.
const quit = frame(text, "/quit")
const you = Buffer.from("你")

/** What frames say, without the addresses: texts, pongs, and the code of a close. */
const words = (frames: ReadonlyArray<Frame>): ReadonlyArray<string> =>
  frames.flatMap(({ opcode, payload }) => {
    switch (opcode) {
      case 1:
        return payload.toString().replace(/\n$/, "").split("\n").map((line) =>
          line.replace(/^\[[^\]]*\][^:]*:\d+:/, "")
        )
      case 8:
        return [`close ${payload.length === 0 ? "without a code" : payload.readUInt16BE(0)}`]
      case 10:
        return [`pong ${payload.toString()}`]
      default:
        return [`opcode ${opcode}`]
    }
  })

/** Sections 5 to 7 of RFC 6455: what is sent, and what comes in return beside presence, up to the close. */
const cases: ReadonlyArray<readonly [what: string, sent: ReadonlyArray<Uint8Array>, got: ReadonlyArray<string>]> = [
  ["a text", [frame(text, "hi"), quit], ["hi", "close 1000"]],
  ["three lines in one message", [frame(text, "a\nb\r\nc"), quit], ["a", "b", "c", "close 1000"]],
  ["a line in no two messages", [frame(text, "half"), frame(text, "other half"), quit], [
    "half",
    "other half",
    "close 1000"
  ]],
  ["an empty message, which is a blank line", [frame(text), frame(text, "a\n"), quit], ["a", "close 1000"]],
  ["fragments with a ping between", [frame(start, "fr"), frame(ping, "z"), frame(last, "ag"), quit], [
    "pong z",
    "frag",
    "close 1000"
  ]],
  ["fragments of nothing", [frame(start), frame(more), frame(last, "x"), quit], ["x", "close 1000"]],
  ["a character cut between fragments", [frame(start, you.subarray(0, 1)), frame(last, you.subarray(1)), quit], [
    "你",
    "close 1000"
  ]],
  ["a length of 16 bits", [frame(text, "x".repeat(300)), quit], ["x".repeat(300), "close 1000"]],
  ["a length of 64 bits", [frame(text, `${"\n".repeat(65_500)}x`, { length: 65_501 }), quit], ["x", "close 1000"]],
  ["a pong that nobody asked for", [frame(pong, "x"), frame(text, "hi"), quit], ["hi", "close 1000"]],
  ["an empty close", [frame(close)], ["close without a code"]],
  ["a close with a reason", [frame(close, Buffer.concat([Buffer.from([3, 232]), you]))], ["close 1000"]],
  ["a code of one's own", [frame(close, [15, 160])], ["close 4000"]],
  ["nothing behind a close", [bye, frame(text, "too late")], ["close 1000"]],
  ...[0xc1, 0xa1, 0x91].map((first) =>
    [`a reserved bit (${first.toString(16)})`, [frame(first, "x")], ["close 1002"]] as const
  ),
  ...[0x83, 0x87, 0x8b, 0x8f].map((first) =>
    [`a reserved opcode (${first.toString(16)})`, [frame(first, "x")], ["close 1002"]] as const
  ),
  ["no mask", [frame(text, "x", { masked: false })], ["close 1002"]],
  ["a ping of 126 bytes", [frame(ping, Buffer.alloc(126))], ["close 1002"]],
  ["a ping of 125 bytes", [frame(ping, "x".repeat(125)), quit], [`pong ${"x".repeat(125)}`, "close 1000"]],
  ["a ping in fragments", [frame(0x09, "x")], ["close 1002"]],
  ["a close in fragments", [frame(0x08, [3, 232])], ["close 1002"]],
  ["the rest of nothing", [frame(last, "x")], ["close 1002"]],
  ["a text within a text", [frame(start, "x"), frame(text, "y")], ["close 1002"]],
  ["bytes that are no UTF-8", [frame(text, "x"), frame(text, [0xff, 0xfe])], ["close 1007"]],
  ["half a character", [frame(text, you.subarray(0, 2))], ["close 1007"]],
  ["binary", [frame(binary, "x"), frame(text, "not said")], ["close 1003"]],
  ["a close of one byte", [frame(close, [3])], ["close 1002"]],
  ...[999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) =>
    [`the close code ${code}`, [frame(close, [code >> 8, code & 255])], ["close 1002"]] as const
  ),
  ["a close with bad UTF-8", [frame(close, [3, 232, 0xff])], ["close 1007"]],
  ["a message of 1 GB", [frame(text, "x", { length: 2 ** 30 })], ["close 1009"]],
  ["more than 64 KiB in fragments", [frame(start, "x".repeat(40_000)), frame(last, "x".repeat(40_000))], [
    "close 1009"
  ]],
  ["100 fragments", [frame(start, "x"), ...Array.from({ length: 100 }, () => frame(more, "x"))], ["close 1008"]],
  ["a flood of pings", Array.from({ length: 100 }, () => frame(ping)), [
    ...Array.from({ length: 51 }, () => "pong "),
    "close 1008"
  ]],
  ["a flood of pongs", Array.from({ length: 100 }, () => frame(pong)), ["close 1008"]]
]

describe("A WebSocket", () => {
  it.scopedLive("is what RFC 6455 says of frames, fragments, control frames and close codes", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb({ rate: 0 })
      for (const [what, sent, got] of cases) {
        const frames = yield* framesFor(web, Buffer.concat(sent))
        assert.deepStrictEqual(words(frames).filter((word) => word !== "已上线" && word !== "下线"), got, what)
      }
    }))

  const message = FastCheck.array(FastCheck.constantFrom("a", "é", "你", "😀", "\n", "\r\n", " x"), { maxLength: 20 })
    .map((parts) => parts.join(""))

  it.scopedLive("gives the same lines, wherever its frames are cut into chunks", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({ rate: 0 })
      const ann = yield* arrive(plain)
      yield* Effect.forEach(
        FastCheck.sample(
          FastCheck.record({
            messages: FastCheck.array(message, { minLength: 1, maxLength: 6 }),
            fragments: FastCheck.integer({ min: 1, max: 3 }),
            cuts: FastCheck.infiniteStream(FastCheck.integer({ min: 1, max: 40 }))
          }),
          { numRuns: 40, seed: 20_261_125 }
        ),
        ({ cuts, fragments, messages }) =>
          Effect.gen(function*() {
            const bytes = Buffer.concat([
              ...messages.flatMap((message) => cut(Buffer.from(message), fragments)),
              frame(text, "the end"),
              bye
            ])
            const socket = yield* Effect.acquireRelease(
              Effect.sync(() => Net.connect({ port: web, host: "127.0.0.1", noDelay: true })),
              (socket) => Effect.sync(() => socket.destroy())
            )
            socket.on("error", () => {}).resume()
            socket.write(request(web))
            for (let at = 0; at < bytes.length;) {
              const size = cuts.next().value ?? 1
              yield* Effect.async<void>((resume) => {
                socket.write(bytes.subarray(at, at + size), () => setImmediate(() => resume(Effect.void)))
              })
              at += size
            }
            const expected = messages.flatMap((message) => message.split(/\r?\n/)).filter((line) => /\S/.test(line))
            const front = new RegExp(`^\\[127\\.0\\.0\\.1:${socket.localPort}\\][^:]*:\\d+:`)
            assert.match(yield* ann.line, /已上线$/)
            for (const line of [...expected, "the end"]) {
              const got = yield* ann.line
              assert.match(got, front)
              assert.strictEqual(got.replace(front, ""), line)
            }
            assert.match(yield* ann.line, /下线$/)
          }).pipe(Effect.scoped),
        { discard: true }
      )
    }), 60_000)

  it.scopedLive(
    "is read only as far as its pace lets it, so that the sender has to wait",
    () =>
      Effect.gen(function*() {
        const { plain, web } = yield* plainAndWeb({ rate: 100, burst: 10 })
        const ann = yield* arrive(plain)
        const flooder = yield* arriveByWeb(web)
        yield* ann.sees(`${flooder.front}已上线`)
        const count = 2_000_000
        const flood = Buffer.concat(Array.from({ length: count }, () => frame(text, "x")))
        const socket = socketOf(flooder.ws)
        socket.write(flood)
        for (let i = 0; i < 30; i++) yield* ann.sees(`${flooder.front}x`)
        yield* ann.send("hello\n")
        // It has said what its pace allows, and most of it is still its own: TCP holds it back.
        assert.isAbove(socket.writableLength, flood.length / 4)
      }),
    60_000
  )

  it.scopedLive("carries out what came before its close, and what came before the connection was cut", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({ rate: 20, burst: 1 })
      const ann = yield* arrive(plain)
      for (const goes of ["close", "end"] as const) {
        const bob = yield* arriveByWeb(web)
        yield* ann.sees(`${bob.front}已上线`)
        const socket = socketOf(bob.ws)
        socket.write(Buffer.concat([frame(text, "one"), frame(text, "two"), frame(text, "three")]))
        if (goes === "close") bob.ws.close(1000)
        else socket.end()
        yield* ann.sees(...["one", "two", "three", "下线"].map((line) => `${bob.front}${line}`))
      }
    }))

  it.scopedLive("that is reset is gone at once, and its name is free", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb()
      const ann = yield* arrive(plain)
      const bob = yield* arriveByWeb(web)
      yield* ann.sees(`${bob.front}已上线`)
      yield* bob.send("/nick Bob")
      yield* bob.sees("您已经更新用户名:Bob")
      bob.ws.terminate()
      yield* ann.sees(`[${bob.address}]Bob:下线`)
      yield* ann.send("/nick Bob\n")
      yield* ann.sees("您已经更新用户名:Bob")
    }))

  it.scopedLive("is told by the close code why it ends", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb()
      const bob = yield* arriveByWeb(web)
      yield* bob.send("/quit")
      assert.strictEqual(yield* bob.closed, 1000)
      const owner = yield* browse(web, { json: true })
      yield* owner.send(JSON.stringify({ do: "rename", name: "Ann", secret: "open sesame" }))
      yield* Effect.repeat(owner.line, { until: (line) => line.includes("\"answer\"") })
      const again = yield* browse(web, { json: true })
      yield* again.send(JSON.stringify({ do: "rename", name: "Ann", secret: "open sesame" }))
      assert.strictEqual(yield* owner.closed, 1008)
    }))

  it.scopedLive(
    "gets whole frames only, though it reads late, and nothing behind the close",
    () =>
      Effect.gen(function*() {
        const { plain, web } = yield* plainAndWeb({ rate: 0 })
        const chunks: Array<Buffer> = []
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => Net.connect(web, "127.0.0.1")),
          (socket) => Effect.sync(() => socket.destroy())
        )
        const over = Effect.async<void>((resume) => {
          socket.on("close", () => resume(Effect.void))
        })
        socket.pause().on("error", () => {}).write(request(web))
        const ann = yield* connect(plain)
        // Whoever of both came first.
        yield* Effect.repeat(ann.line, { until: (line) => line === `${ann.front}已上线` })
        const line = "多".repeat(1300)
        for (let i = 0; i < 2000; i += 50) {
          yield* ann.send(`${i} ${line}\n`.repeat(50))
          for (let j = 0; j < 50;) if ((yield* ann.line).endsWith(line)) j++
        }
        socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume()
        socket.write(frame(text, "/quit"))
        yield* within("the end", over)
        const answer = Buffer.concat(chunks)
        const frames = framesIn(answer.subarray(answer.indexOf("\r\n\r\n") + 4))
        assert.strictEqual(frames.at(-1)?.opcode, 8)
        assert.isAbove(frames.length, 10)
        for (const { payload } of frames.slice(0, -1)) {
          assert.doesNotThrow(() => new TextDecoder("utf-8", { fatal: true }).decode(payload))
          assert.strictEqual(payload.at(-1), 10)
        }
      }),
    60_000
  )
})

/** The frames of a message in so many fragments. */
const cut = (message: Buffer, fragments: number): ReadonlyArray<Buffer> => {
  const size = Math.ceil(message.length / fragments)
  return Array.from(
    { length: fragments },
    (_, i) => frame((i === 0 ? 0x01 : 0) | (i === fragments - 1 ? 0x80 : 0), message.subarray(i * size, (i + 1) * size))
  )
}

/** The socket under a client's WebSocket, to write frames of one's own to. */
const socketOf = (ws: object): Net.Socket => {
  const socket: unknown = Reflect.get(ws, "_socket")
  return socket instanceof Net.Socket ? socket : assert.fail("no socket")
}
