import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Networks from "../../src/domain/Networks.ts"
import type { Settings } from "../../src/ServerConfig.ts"
import * as Certificate from "../support/certificate.ts"
import { isInstalled, measures, monitor, port, server, tlsPort } from "../support/child.ts"
import { arrive, connect, type Options, within } from "../support/client.ts"
import { v1, v2 } from "../support/proxy.ts"
import { plainAndTls, start } from "../support/server.ts"

const withOpenssl = it.scopedLive.skipIf(!isInstalled("openssl"))

const trusting = (networks: string): Pick<Settings, "proxyProtocol"> => ({ proxyProtocol: Networks.read(networks) })

/** A server that trusts a proxy at 127.0.0.1, and is watched. */
const watched = (...flags: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const tellnet = yield* server("--proxy-protocol", "127.0.0.1", "--metrics-port", "0", ...flags)
    return { tellnet, plain: yield* port(tellnet), url: yield* monitor(tellnet) }
  })

/** The two ports of a server in this process that trusts a proxy at 127.0.0.1. */
const both = (overrides: Partial<Settings> = {}) => plainAndTls({ ...trusting("127.0.0.1"), ...overrides })

const refused = (url: string, reason: string, count: number) =>
  measures(url, `tellnet_connections_refused_total{reason="${reason}"} ${count}`)

/** Not the address of the proxy that the server trusts. */
const direct = { localAddress: "127.0.0.2" }

const fullNotice = "*** 同一地址连接过多"

/** A proxy that sends the header and the first bytes of its client in one packet. Gives its port. */
const relay = (to: number, header: Buffer) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Net.Server>((resume) => {
        const server = Net.createServer((client) => {
          const upstream = Net.connect(to, "127.0.0.1")
          for (const socket of [client, upstream]) socket.on("error", () => {})
          client.once("data", (first) => {
            upstream.write(Buffer.concat([header, first]))
            client.pipe(upstream)
            upstream.pipe(client)
          })
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : assert.fail("no port")
    }
  )

describe("Proxies", { concurrent: true }, () => {
  for (
    const [title, header, front] of [
      ["version 1", v1("10.1.2.3", 4000), "[10.1.2.3:4000]10.1.2.3:4000:"],
      ["version 1 with IPv6", v1("2001:DB8:0::1", 0), "[[2001:db8::1]:0][2001:db8::1]:0:"],
      ["version 2", v2("10.1.2.3", 65_535), "[10.1.2.3:65535]10.1.2.3:65535:"],
      ["version 2 with more to say", v2("10.1.2.3", 1, { tlvs: Buffer.alloc(500) }), "[10.1.2.3:1]10.1.2.3:1:"],
      ["version 2 with an IPv4-mapped address", v2("::ffff:10.1.2.3", 1), "[10.1.2.3:1]10.1.2.3:1:"]
    ] as const
  ) {
    it.scopedLive(`shows the client that is announced by ${title}, and loses nothing behind the header`, () =>
      Effect.gen(function*() {
        const plain = yield* start(trusting("127.0.0.1"))
        const bob = yield* arrive(plain, direct)
        const ann = yield* connect(plain, { header: Buffer.concat([header, Buffer.from("hello\nwho\n")]) })
        yield* ann.sees(`${front}已上线`, `${front}hello`, `${bob.front}在线...`, `${front}在线...`)
        yield* bob.sees(`${front}已上线`, `${front}hello`)
        yield* ann.send("more\n")
        yield* bob.sees(`${front}more`)
      }))
  }

  it.scopedLive("takes much at once behind the header, and the end of input right behind it", () =>
    Effect.gen(function*() {
      const plain = yield* start({ ...trusting("127.0.0.1"), rate: 0 })
      const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} ${"x".repeat(80)}`)
      const ann = yield* connect(plain, { header: Buffer.from(`${v1("10.0.0.1", 1)}${lines.join("\n")}\n`, "latin1") })
      yield* ann.end
      const front = "[10.0.0.1:1]10.0.0.1:1:"
      yield* ann.sees(`${front}已上线`, ...lines.map((line) => front + line))
      yield* ann.ended
      const brief = yield* connect(plain, { header: v1("10.0.0.2", 2) })
      yield* brief.end
      yield* brief.sees("[10.0.0.2:2]10.0.0.2:2:已上线")
      yield* brief.ended
    }))

  it.scopedLive("waits for the rest of a header that comes in two packets, while others come in", () =>
    Effect.gen(function*() {
      const plain = yield* start(trusting("127.0.0.1"))
      for (const header of [v1("10.0.0.1", 1), v2("10.0.0.1", 1)]) {
        const ann = yield* connect(plain, { header: header.subarray(0, 14) })
        // Who comes after it is read after it.
        const bob = yield* arrive(plain, direct)
        yield* ann.send(Buffer.concat([header.subarray(14), Buffer.from("hello\n")]))
        yield* ann.sees("[10.0.0.1:1]10.0.0.1:1:已上线", "[10.0.0.1:1]10.0.0.1:1:hello")
        yield* bob.sees("[10.0.0.1:1]10.0.0.1:1:已上线", "[10.0.0.1:1]10.0.0.1:1:hello")
        yield* ann.send("/quit\n")
        yield* ann.ended
      }
    }))

  withOpenssl("counts the caps for the addresses that are announced, through both doors", () =>
    Effect.gen(function*() {
      const { plain, tls } = yield* both({ maxConnectionsPerIp: 1 })
      const client = (port: number, options: Options, line: string) =>
        Effect.tap(connect(port, options), (client) => client.sees(line))
      const ann = yield* client(plain, { header: v1("10.0.0.1", 1) }, "[10.0.0.1:1]10.0.0.1:1:已上线")
      yield* client(plain, { header: v2("::ffff:10.0.0.1", 2) }, fullNotice)
      yield* client(tls, { header: v2("10.0.0.1", 3), tls: true }, fullNotice)
      yield* client(tls, { header: v2("10.0.0.2", 1), tls: true }, "[10.0.0.2:1]10.0.0.2:1:已上线")
      // Who is not behind the proxy, and has the address of somebody who is.
      yield* client(plain, { header: v2("127.0.0.2", 1) }, "[127.0.0.2:1]127.0.0.2:1:已上线")
      yield* client(plain, direct, fullNotice)
      yield* ann.send("/quit\n")
      yield* ann.ended
      yield* ann.end
      const again = yield* Effect.repeat(
        Effect.flatMap(connect(plain, { header: v1("10.0.0.1", 4) }), ({ line }) => line),
        { until: (line) => line !== fullNotice, times: 100 }
      )
      assert.strictEqual(again, "[10.0.0.1:4]10.0.0.1:4:已上线")
    }))

  for (const [title, header] of [["1", v1("10.0.0.1", 1)], ["2", v2("10.0.0.1", 1)]] as const) {
    withOpenssl(
      `shakes hands behind a header of version ${title}, in one packet with it or in another`,
      () =>
        Effect.gen(function*() {
          const { plain, tls } = yield* both()
          const bob = yield* arrive(plain, direct)
          const front = "[10.0.0.1:1]10.0.0.1:1:"
          for (const [to, options] of [[yield* relay(tls, header), {}], [tls, { header }]] as const) {
            const ann = yield* connect(to, { ...options, tls: true })
            yield* ann.sees(`${front}已上线`)
            yield* ann.send("over TLS\n/quit\n")
            yield* ann.sees(`${front}over TLS`)
            yield* ann.ended
            yield* ann.end
            yield* bob.sees(`${front}已上线`, `${front}over TLS`, `${front}下线`)
          }
        })
    )
  }

  withOpenssl(
    "closes a proxy that sends no whole header in 5 s, on both doors, and counts and logs it",
    () =>
      Effect.gen(function*() {
        const { flags } = yield* Certificate.make()
        const { plain, tellnet, url } = yield* watched(...flags)
        const closed = (port: number, header: Buffer) =>
          Effect.gen(function*() {
            const slow = yield* connect(port, { header })
            const [took] = yield* Effect.timed(slow.ended)
            assert.approximately(Duration.toSeconds(took), 5, 1.5)
          })
        yield* Effect.all([
          closed(plain, Buffer.from("PROXY TCP4 10.0.0.1 ")),
          closed(yield* tlsPort(tellnet), v2("10.0.0.1", 1).subarray(0, -1))
        ], { concurrency: "unbounded" })
        yield* refused(url, "proxy-timeout", 2)
        yield* tellnet.prints(/refused [12] connections?: proxy-timeout.*peers=?:? ?127\.0\.0\.1/s)
      })
  )

  withOpenssl("closes a proxy that announces nobody, without a visit, and counts why", () =>
    Effect.gen(function*() {
      const { flags } = yield* Certificate.make()
      const { plain, tellnet, url } = yield* watched(...flags)
      const tls = yield* tlsPort(tellnet)
      const bob = yield* arrive(plain, direct)
      const nobody = [v2("10.0.0.1", 1, { command: 0x20 }), "PROXY UNKNOWN\r\n", v2("10.0.0.1", 1, { family: 0 })]
      const malformed = [
        "hello\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\nhello\n",
        v2("10.0.0.1", 1, { family: 0x12 }),
        // The beginning of a TLS handshake.
        Buffer.from("16030100f8010000f4", "hex")
      ]
      for (
        const [bytes, door] of [...nobody, ...malformed].flatMap((bytes) => [[bytes, plain], [bytes, tls]] as const)
      ) {
        const proxy = yield* connect(door)
        yield* proxy.send(bytes)
        yield* proxy.ended
      }
      const gone = yield* connect(plain)
      yield* gone.send("PROXY ")
      yield* gone.end
      yield* gone.ended
      const reset = yield* connect(tls)
      // Once a later one was dealt with, the server has that one too, and its address.
      const later = yield* connect(tls)
      yield* later.send("hello\n")
      yield* later.ended
      yield* reset.reset
      yield* refused(url, "proxy-nobody", 2 * nobody.length)
      yield* refused(url, "proxy-malformed", 2 * malformed.length + 1)
      yield* refused(url, "proxy-closed", 2)
      yield* measures(url, "tellnet_connections_accepted_total 1")
      yield* bob.send("nobody came\n")
      yield* bob.sees(`${bob.front}nobody came`)
    }))

  it.scopedLive("believes no header of anybody else, and serves everybody else as ever", () =>
    Effect.gen(function*() {
      const plain = yield* start(trusting("127.0.0.1,10.0.0.0/8"))
      const bob = yield* arrive(plain, direct)
      for (const header of [v1("10.0.0.1", 1), v2("10.0.0.1", 1)]) {
        const liar = yield* connect(plain, { localAddress: "127.0.0.3", header })
        yield* liar.send("hello\n")
        yield* liar.ended
        yield* bob.sees(`${liar.front}已上线`)
        // What version 2 begins with are empty lines; nothing behind them is said.
        yield* bob.sees(`${liar.front}下线`)
      }
      yield* bob.send("still here\n")
      yield* bob.sees(`${bob.front}still here`)
    }))

  it.scopedLive("lets 512 connections of a proxy wait for their header, closes more, and takes others meanwhile", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--proxy-protocol", "127.0.0.1,127.0.0.3", "--metrics-port", "0")
      const plain = yield* port(tellnet)
      const url = yield* monitor(tellnet)
      const waiting = yield* Effect.forEach(Array.from({ length: 512 }), () => connect(plain), { concurrency: 32 })
      const beyond = yield* connect(plain)
      yield* beyond.ended
      yield* refused(url, "proxy-full", 1)
      const other = yield* connect(plain, { localAddress: "127.0.0.3", header: v1("10.0.0.1", 1) })
      yield* other.sees("[10.0.0.1:1]10.0.0.1:1:已上线")
      // A place is free again when its header has come.
      yield* waiting[0]!.send(v1("10.0.0.2", 2))
      yield* waiting[0]!.sees("[10.0.0.2:2]10.0.0.2:2:已上线")
      const next = yield* connect(plain, { header: v1("10.0.0.3", 3) })
      yield* next.sees("[10.0.0.3:3]10.0.0.3:3:已上线")
    }))

  it.scopedLive("does not wait at its end for a header", () =>
    Effect.gen(function*() {
      const client = yield* within(
        "the end of the server",
        Effect.scoped(Effect.gen(function*() {
          const plain = yield* start(trusting("127.0.0.1"))
          const client = yield* connect(plain, { header: v1("10.0.0.1", 1).subarray(0, 9) })
          yield* arrive(plain, direct)
          return client
        })).pipe(Effect.timeout("4 seconds"))
      )
      yield* client.ended
    }))
})
