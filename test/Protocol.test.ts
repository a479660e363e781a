/** Clients that speak something else, at a real server: what the others see of it. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isInstalled, measures, monitor, port, server, start } from "./support/child.ts"
import { arrive, connect } from "./support/client.ts"
import * as InProcess from "./support/server.ts"

/** Bob, who watches, and a client that has just come. */
const watched = Effect.gen(function*() {
  const port = yield* InProcess.start()
  const bob = yield* arrive(port)
  const ann = yield* arrive(port)
  yield* bob.sees(`${ann.front}已上线`)
  return { port, ann, bob }
})

const browser =
  "POST /x HTTP/1.1\r\nHost: 127.0.0.1:8888\r\nOrigin: https://example.com\r\nContent-Length: 99\r\n\r\nrename|x\nhello\n"
const tlsHello = Buffer.from("16030100c8010000c40303", "hex")

describe("A client that speaks telnet", () => {
  it.scopedLive("is answered with refusals, and its commands are read as if there were no telnet", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* watched
      yield* ann.send(Buffer.concat([Buffer.from([0xff, 0xfb, 0x1f, 0xff, 0xfd, 1]), Buffer.from("rename|Putty\r\n")]))
      yield* ann.sees("您已经更新用户名:Putty")
      // Ctrl-C of `telnet`, in the middle of a line.
      yield* ann.send(
        Buffer.concat([Buffer.from("not "), Buffer.from([0xff, 0xf4, 0xff, 0xfd, 6]), Buffer.from("deaf\r\0")])
      )
      const front = ann.front.replace(/\].*/, "]Putty:")
      yield* bob.sees(`${front}not deaf`)
      // DONT 31 and WONT 1, as they look to whoever knows no telnet.
      yield* ann.sees(`\ufffd\ufffd\u001f\ufffd\ufffd\u0001${front}not deaf`)
    }))

  for (
    const [name, program, args] of [
      ["PuTTY", "plink", (port: number) => ["-telnet", "-P", String(port), "127.0.0.1"]],
      ["telnet", "telnet", (port: number) => ["127.0.0.1", String(port)]]
    ] as const
  ) {
    it.scopedLive.skipIf(!isInstalled(program))(
      `is ${name}: its first command and its private words stay private`,
      () =>
        Effect.gen(function*() {
          const port = yield* InProcess.start()
          const bob = yield* arrive(port)
          yield* bob.send("rename|bob\n")
          yield* bob.sees("您已经更新用户名:bob")
          const person = yield* start(program, args(port))
          const [, front] = /^(\[.*)已上线$/.exec(yield* bob.line) ?? []
          yield* person.type("rename|eve\n")
          yield* person.prints(/您已经更新用户名:eve/)
          yield* person.type(" To｜bob｜psst\nhello\n")
          yield* bob.sees("eve对您说:psst", `${front?.replace(/\].*/, "]eve:")}hello`)
        })
    )
  }
})

describe("A client that speaks another protocol", () => {
  for (
    const [what, bytes] of [
      ["HTTP, as a web page would", Buffer.from(browser)],
      ["HTTP with a line that is too long", Buffer.from(`POST /${"x".repeat(9000)} HTTP/1.1\r\n\r\nhello\n`)],
      ["TLS", tlsHello],
      ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.2\r\nhello\n")],
      ["the PROXY protocol, version 2", Buffer.from("\r\n\r\n\0\r\nQUIT\n!\x11\0\fhello\n")],
      ["the PROXY protocol", Buffer.from("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nhello\n")]
    ] as const
  ) {
    it.scopedLive(`is closed, and nothing of it is said: ${what}`, () =>
      Effect.gen(function*() {
        const { ann, bob } = yield* watched
        yield* ann.send(bytes)
        yield* bob.sees(`${ann.front}下线`)
        yield* ann.ended
      }))

    it.scopedLive(`is closed though its bytes come one by one: ${what}`, () =>
      Effect.gen(function*() {
        const { ann, bob } = yield* watched
        for (const byte of bytes.subarray(0, 40)) yield* ann.send(Buffer.from([byte]))
        yield* ann.send(bytes.subarray(40))
        yield* bob.sees(`${ann.front}下线`)
      }))
  }

  it.scopedLive("is counted as such, and logged", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--metrics-port", "0", "--log-level", "debug")
      const url = yield* monitor(tellnet)
      const ann = yield* connect(yield* port(tellnet))
      yield* ann.send(tlsHello)
      yield* ann.ended
      yield* measures(url, "tellnet_connections_ended_total{reason=\"foreign\"} 1", "tellnet_lines_received_total 0")
    }))
})
