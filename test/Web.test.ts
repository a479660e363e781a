/** People at browsers, at a real server, beside those at a netcat and with TLS; and what only looks like a browser. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import { TLSSocket } from "node:tls"
import * as Networks from "../src/domain/Networks.ts"
import * as Certificate from "./support/certificate.ts"
import { isInstalled, server, start as startProgram } from "./support/child.ts"
import { arrive, connect, within } from "./support/client.ts"
import * as proxy from "./support/proxy.ts"
import { config } from "./support/server.ts"
import {
  arriveByWeb,
  ask,
  browse,
  exchange,
  frame,
  framesIn,
  plainAndWeb,
  request,
  upgrade,
  webDoors
} from "./support/web.ts"

const networks = (text: string) => Networks.read(text)

/** Waits until the line that holds this. */
const until = (client: { readonly line: Effect.Effect<string> }, text: string) =>
  Effect.repeat(client.line, { until: (line) => line.includes(text) })

const kindOf = (line: string): unknown => {
  const told: unknown = JSON.parse(line)
  return typeof told === "object" && told !== null && "kind" in told ? told.kind : undefined
}

/** From which IP address somebody came. */
const ipOf = (line: string) => /^\[(\[[^\]]*\]|[^\]:]*):\d+\].*已上线$/.exec(line)?.[1]

describe("A browser", () => {
  it.scopedLive.skipIf(!isInstalled("openssl"))(
    "talks with a netcat and with a TLS client, in lines and in JSON",
    () =>
      Effect.gen(function*() {
        const { cert, key } = yield* Certificate.make()
        const [plain = 0, tls = 0, web = 0] = yield* webDoors({
          tlsPort: Option.some(0),
          tlsCert: Option.some(cert),
          tlsKey: Option.some(key),
          webTls: true
        })
        const ann = yield* arrive(plain)
        const bob = yield* arrive(tls, { tls: true })
        const eve = yield* arriveByWeb(web, { tls: true })
        const bot = yield* browse(web, { tls: true, json: true })
        yield* until(ann, `${bot.front}已上线`)
        yield* eve.send("hello\nto all")
        for (const client of [ann, bob]) {
          yield* until(client, `${eve.front}hello`)
          yield* client.sees(`${eve.front}to all`)
        }
        yield* until(bot, "\"to all\"")
        yield* bot.send(JSON.stringify({ do: "say", text: "beep", id: 1 }))
        yield* until(eve, `${bot.front}beep`)
        yield* until(bot, "\"answer\",\"id\":1,\"ok\":true")
        yield* ann.send("from ann\n")
        yield* until(eve, `${ann.front}from ann`)
        yield* until(bot, "\"from ann\"")
      })
  )

  it.scopedLive("that speaks JSON is greeted before all else, with no welcome and no old lines", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({ welcome: "on", replay: 10 })
      const ann = yield* connect(plain)
      yield* ann.send("old\n")
      yield* until(ann, `${ann.front}old`)
      const bot = yield* browse(web, { json: true })
      const hello: unknown = JSON.parse(yield* bot.line)
      assert.deepInclude(hello, {
        kind: "hello",
        v: 1,
        you: { addr: bot.address, name: bot.address },
        room: "lobby",
        maxLine: 4096
      })
      assert.strictEqual(kindOf(yield* bot.line), "online")
      yield* ann.send("new\n")
      assert.strictEqual(kindOf(yield* bot.line), "said")
      yield* bot.send("no object", "", JSON.stringify({ do: "say", text: "你".repeat(1365) }))
      const refused = yield* bot.line
      assert.include(refused, "\"malformed\"")
      assert.include(yield* bot.line, "你你你")
    }))

  it.scopedLive(
    "reads how many lines it missed, while others miss none, and is ended if it takes nothing",
    () =>
      Effect.gen(function*() {
        const { plain, web } = yield* plainAndWeb({ rate: 0, backlog: 65_536, stallTimeout: Duration.seconds(3) })
        const ann = yield* arrive(plain)
        const slow = yield* arriveByWeb(web)
        yield* ann.sees(`${slow.front}已上线`)
        const stuck = yield* arriveByWeb(web)
        yield* ann.sees(`${stuck.front}已上线`)
        yield* slow.sees(`${stuck.front}已上线`)
        slow.ws.pause()
        stuck.ws.pause()
        const text = "多".repeat(1300)
        const count = 2500
        for (let next = 0; next < count; next += 50) {
          yield* ann.send(Array.from({ length: 50 }, (_, i) => `${next + i} ${text}\n`).join(""))
          for (let i = 0; i < 50; i++) assert.strictEqual(yield* ann.line, `${ann.front}${next + i} ${text}`)
        }
        slow.ws.resume()
        let next = 0
        let skipped = 0
        while (next < count) {
          const line = yield* slow.line
          const [, lines] = /^\*\*\* 接收过慢，已跳过 (\d+) 行$/.exec(line) ?? []
          if (lines === undefined) assert.strictEqual(line, `${ann.front}${next++} ${text}`)
          else {
            skipped += Number(lines)
            next += Number(lines)
          }
        }
        assert.isAbove(skipped, 0)
        yield* ann.sees(`${stuck.front}下线`)
        yield* ann.send("all is well\n")
        yield* until(slow, `${ann.front}all is well`)
      }),
    60_000
  )

  it.scopedLive("is kicked when it is silent for too long, though it answers pings", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb({ idleTimeout: Duration.seconds(2) })
      const bob = yield* arriveByWeb(web)
      yield* Effect.forkScoped(Effect.repeat(Effect.sync(() => bob.ws.ping()), Schedule.spaced("300 millis")))
      yield* bob.sees("*** 1 秒内未发言将被踢出", "你被踢了")
      assert.strictEqual(yield* bob.closed, 1008)
    }))

  it.scopedLive("is told of the end of the server, and closed with 1001", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { web } = yield* Scope.extend(plainAndWeb(), scope)
      const bob = yield* arriveByWeb(web)
      const bot = yield* browse(web, { json: true })
      yield* until(bot, "\"online\"")
      yield* bob.sees(`${bot.front}已上线`)
      const closing = yield* Effect.fork(Scope.close(scope, yield* Effect.exit(Effect.void)))
      yield* bob.sees("*** 服务器即将关闭")
      yield* until(bot, "\"shutdown\"")
      assert.deepStrictEqual([yield* bob.closed, yield* bot.closed], [1001, 1001])
      yield* within("the end of the server", closing.await)
    }))
})

describe("Whoever is over a cap", () => {
  it.scopedLive("is told so over its WebSocket, in its own form, and closed with 1013", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({ maxConnections: 2 })
      const ann = yield* arrive(plain)
      const bob = yield* arriveByWeb(web)
      yield* ann.sees(`${bob.front}已上线`)
      const eve = yield* browse(web)
      yield* eve.sees("*** 服务器已满，请稍后再试")
      assert.strictEqual(yield* eve.closed, 1013)
      const bot = yield* browse(web, { json: true })
      assert.include(yield* bot.line, "{\"kind\":\"notice\",\"code\":\"full\"")
      assert.strictEqual(yield* bot.closed, 1013)
      yield* ann.send("nobody came\n")
      yield* ann.sees(`${ann.front}nobody came`)
      yield* bob.send("/quit")
      yield* ann.sees(`${bob.front}下线`)
      assert.strictEqual(yield* bob.closed, 1000)
      // The place is free once the server, too, has seen the end of the connection.
      yield* Effect.repeat(Effect.flatMap(browse(web), ({ line }) => line), {
        until: (line) => line.endsWith("已上线")
      })
    }))

  it.scopedLive(
    "counts from when it was accepted: half handshakes and idle connections take places too, until they end",
    () =>
      Effect.gen(function*() {
        const { web } = yield* plainAndWeb({ maxConnectionsPerIp: 20 })
        const idle = yield* Effect.forEach(["", "GET / HT", request(web).slice(0, 90)], (bytes) =>
          Effect.forEach(Array.from({ length: 7 }), () =>
            Effect.acquireRelease(
              Effect.sync(() => {
                const socket = Net.connect(web, "127.0.0.1")
                socket.on("error", () => {}).resume().write(bytes)
                return socket
              }),
              (socket) =>
                Effect.sync(() => socket.destroy())
            )))
        yield* Effect.repeat(
          Effect.sync(() =>
            idle.flat().every(({ connecting }) => !connecting)
          ),
          {
            until: (all) => all,
            schedule: Schedule.spaced("10 millis")
          }
        )
        const eve = yield* browse(web)
        yield* eve.sees("*** 同一地址连接过多")
        assert.strictEqual(yield* eve.closed, 1013)
        // Node looks after them once a second, and gives them 10.
        yield* within(
          "the end of all that asked for nothing",
          Effect.repeat(Effect.sync(() => idle.flat().every(({ destroyed }) => destroyed)), {
            until: (all) => all,
            schedule: Schedule.spaced("100 millis")
          })
        )
        yield* arriveByWeb(web)
      }),
    60_000
  )
})

describe("The door for browsers", () => {
  it.scopedLive.skipIf(!isInstalled("openssl"))(
    "says where its page is, and shows a new certificate after SIGHUP, and drops nobody",
    () =>
      Effect.gen(function*() {
        const { flags, renew } = yield* Certificate.make()
        const tellnet = yield* server(...flags, "--web-port", "0", "--web-tls")
        const [, url = ""] = yield* tellnet.prints(/for browsers: (https:\/\/127\.0\.0\.1:\d+\/)/)
        const web = Number(new URL(url).port)
        const nameOf = ({ ws }: Effect.Effect.Success<ReturnType<typeof browse>>) =>
          "_socket" in ws && ws._socket instanceof TLSSocket ? ws._socket.getPeerCertificate().subject.CN : undefined
        const ann = yield* arriveByWeb(web, { tls: true })
        assert.strictEqual(nameOf(ann), "first")
        yield* renew("second")
        yield* tellnet.signal("SIGHUP")
        yield* tellnet.prints(/the certificate was read again/)
        const bob = yield* arriveByWeb(web, { tls: true })
        assert.strictEqual(nameOf(bob), "second")
        yield* ann.send("still here")
        yield* bob.sees(`${ann.front}still here`)
      })
  )

  it.scopedLive("ends a visit with its close frame, also where the connection stays open", () =>
    Effect.gen(function*() {
      // Longer than anything is waited for.
      const { plain, web } = yield* plainAndWeb({ stallTimeout: Duration.minutes(2) })
      const ann = yield* arrive(plain)
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => Net.connect({ port: web, host: "127.0.0.1", allowHalfOpen: true })),
        (socket) => Effect.sync(() => socket.destroy())
      )
      socket.on("error", () => {}).resume().write(request(web))
      yield* until(ann, "已上线")
      socket.write(Buffer.concat([frame(0x81, "the last words"), frame(0x88, [3, 232])]))
      yield* until(ann, "the last words")
      yield* until(ann, "下线")
    }))

  it.scopedLive("tells a hundred at once at most that it is full, and closes the others without a word", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({ maxConnections: 1 })
      const ann = yield* arrive(plain)
      const knock = (n: number) =>
        Effect.async<{ readonly n: number; readonly bytes: Buffer }>((resume) => {
          const chunks: Array<Buffer> = []
          const socket = Net.connect(web, "127.0.0.1")
          socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {})
          socket.on("close", () => resume(Effect.succeed({ n, bytes: Buffer.concat(chunks) })))
          // Those that are told are asked for a handshake first, and give it once all are there.
          setTimeout(() => socket.write(request(web)), 1500)
          return Effect.sync(() => socket.destroy())
        })
      const answers = yield* within(
        "the end of all",
        Effect.forEach(Array.from({ length: 150 }, (_, n) => n), knock, { concurrency: "unbounded" })
      )
      const told = answers.filter(({ bytes }) => bytes.length > 0)
      assert.lengthOf(told, 100)
      for (const { bytes } of told) {
        const [words, close] = framesIn(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4))
        assert.strictEqual(words?.payload.toString(), "*** 服务器已满，请稍后再试\n")
        assert.strictEqual(close?.payload.readUInt16BE(), 1013)
      }
      yield* ann.send("nobody came\n")
      yield* ann.sees(`${ann.front}nobody came`)
    }))
})

describe("What comes through the door for browsers", () => {
  it.scopedLive("comes by a name that is known, and from a page that is ours", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb({ webHost: ["chat.example.org"], webOrigin: ["https://other.example"] })
      const status = (path: string, headers: Record<string, string>) =>
        Effect.map(ask(web, path, { headers }), ({ status }) => status)
      const chat = (headers: Record<string, string>) => status("/chat", { ...upgrade, ...headers })
      assert.strictEqual(yield* status("/", { host: "evil.example" }), 421)
      assert.strictEqual(yield* status("/", { host: "chat.example.org" }), 200)
      assert.strictEqual(yield* chat({ host: "evil.example" }), 421)
      assert.strictEqual(yield* chat({}), 101)
      assert.strictEqual(yield* chat({ origin: `http://127.0.0.1:${web}` }), 101)
      assert.strictEqual(yield* chat({ origin: "https://other.example" }), 101)
      assert.strictEqual(yield* chat({ origin: "null" }), 403)
      assert.strictEqual(yield* chat({ origin: "http://evil.example" }), 403)
      assert.strictEqual(yield* chat({ origin: "http://127.0.0.1" }), 403)
      assert.strictEqual(yield* chat({ host: "chat.example.org", origin: "http://chat.example.org" }), 101)
      assert.strictEqual(yield* status("/other", upgrade), 404)
      assert.strictEqual(yield* chat({ "sec-websocket-version": "7" }), 400)
      assert.strictEqual(yield* chat({ "sec-websocket-key": "short" }), 400)
      assert.strictEqual(yield* chat({ upgrade: "h2c" }), 400)
    }))

  it.scopedLive("is HTTP, of a decent size, and one thing after the other", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb()
      const ann = yield* arrive(plain)
      const first = (bytes: string) =>
        Effect.map(exchange(web, bytes), (answer) => answer.toString("latin1").split("\r\n")[0])
      assert.strictEqual(yield* first("hello, is anybody here?\r\n\r\n"), "HTTP/1.1 400 Bad Request")
      assert.strictEqual(
        yield* first(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`),
        "HTTP/1.1 431 Request Header Fields Too Large"
      )
      assert.strictEqual(yield* first("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request")
      const twice = `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(2)
      const closing = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      assert.strictEqual((yield* exchange(web, twice + closing)).toString("latin1").split("HTTP/1.1 200 OK").length, 4)
      // A WebSocket in which the page would come up.
      assert.notInclude((yield* exchange(web, twice + request(web))).toString("latin1"), "HTTP/1.1 101")
      yield* ann.send("nothing was said\n")
      yield* ann.sees(`${ann.front}nothing was said`)
    }))

  it.scopedLive("is of whom a trusted proxy says, and counts as that", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({
        webProxy: networks("127.0.0.1"),
        maxConnectionsPerIp: 2,
        proxyProtocol: networks("127.0.0.9")
      })
      const ann = yield* arrive(plain, { localAddress: "127.0.0.5" })
      const come = (header: string | undefined) =>
        browse(web, { headers: header === undefined ? {} : { "x-forwarded-for": header } })
      const seen = Effect.map(ann.line, ipOf)
      yield* come("198.51.100.1, 192.0.2.7")
      assert.strictEqual(yield* seen, "192.0.2.7")
      yield* come("192.0.2.7, 127.0.0.1")
      assert.strictEqual(yield* seen, "192.0.2.7")
      const third = yield* come("192.0.2.7")
      assert.strictEqual(yield* third.closed, 1013)
      yield* come("2001:db8::1")
      assert.strictEqual(yield* seen, "[2001:db8::1]")
      yield* come("nobody, nowhere")
      assert.strictEqual(yield* seen, "127.0.0.1")
      yield* come(undefined)
      assert.strictEqual(yield* seen, "127.0.0.1")
      const sixth = yield* come(undefined)
      assert.strictEqual(yield* sixth.closed, 1013)
      // The page is for everybody who comes through it.
      assert.strictEqual((yield* ask(web, "/")).status, 200)
    }))

  it.scopedLive("is of itself where the proxy is not trusted; a header of the PROXY protocol comes first", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({ proxyProtocol: networks("127.0.0.9") })
      const ann = yield* arrive(plain)
      const bob = yield* browse(web, { headers: { "x-forwarded-for": "192.0.2.7" } })
      yield* ann.sees(`${bob.front}已上线`)
      const announced = yield* connect(web, {
        localAddress: "127.0.0.9",
        header: Buffer.concat([proxy.v1("192.0.2.8", 4000), Buffer.from(request(web))])
      })
      yield* ann.sees("[192.0.2.8:4000]192.0.2.8:4000:已上线")
      yield* announced.reset
      yield* ann.sees("[192.0.2.8:4000]192.0.2.8:4000:下线")
    }))
})

describe("The settings of the door for browsers", () => {
  const web = Option.some(0)
  const some = Option.some("x")
  for (
    const [settings, message] of [
      [{ webTls: true }, "--web-tls needs --web-port."],
      [{ webHost: ["x"] }, "--web-host needs --web-port."],
      [{ webOrigin: ["https://x"] }, "--web-origin needs --web-port."],
      [{ webProxy: networks("127.0.0.1") }, "--web-proxy needs --web-port."],
      [{ webPort: web, webTls: true }, "--web-tls needs --tls-cert."],
      [{ webPort: web, webTls: true, tlsCert: some }, "--web-tls needs --tls-key."],
      [{ webPort: web, tlsCert: some, tlsKey: some }, "--tls-cert needs --tls-port or --web-tls."]
    ] as const
  ) {
    it.scoped(`agree: ${message}`, () =>
      Effect.map(Effect.flip(Layer.build(config(settings))), (error) => assert.strictEqual(error.message, message)))
  }

  it.scoped("may be of the only door", () => Layer.build(config({ webPort: web, noPlain: true })))
})

const hasPython = isInstalled("/usr/bin/python3") || process.env["CI"] === "true"

describe("Debian's python3-websockets", () => {
  it.scopedLive.skipIf(!hasPython)("talks, and closes in order", (context) =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb()
      const ann = yield* arrive(plain)
      const program = `
import asyncio, sys
try:
    import websockets
except ImportError:
    sys.exit(77)
async def main():
    async with websockets.connect("ws://127.0.0.1:${web}/chat", subprotocols=["tellnet.json.1"]) as ws:
        print(ws.subprotocol)
        await ws.send('{"do":"say","text":"from python","id":1}')
        while True:
            line = await ws.recv()
            if '"answer"' in line: break
        print(line.splitlines()[-1])
        await ws.send('{"do":"quit"}')
        await ws.wait_closed()
        print(ws.close_code)
asyncio.run(main())
`
      const { code, stderr, stdout } = yield* (yield* startProgram("/usr/bin/python3", ["-c", program])).over
      if (code === 77 && process.env["CI"] !== "true") return context.skip()
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^tellnet\.json\.1\n\{"kind":"answer","id":1,"ok":true,"seq":\d+\}\n1000\n$/)
      yield* until(ann, "from python")
    }))
})
