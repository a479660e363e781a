import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import * as Certificate from "./support/certificate.ts"
import { get, isInstalled, measures, monitor, port, server, start, tlsPort } from "./support/child.ts"
import { arrive, connect, within } from "./support/client.ts"
import { folder } from "./support/engines.ts"

const withHaproxy = it.scopedLive.skipIf(!["haproxy", "openssl"].every(isInstalled))

/** A port that is free now. HAProxy must be told one. */
const freePort = Effect.async<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const node = Effect.gen(function*() {
  const { flags } = yield* Certificate.make()
  const tellnet = yield* server(
    ...flags,
    "--metrics-port",
    "0",
    "--proxy-protocol",
    "127.0.0.1",
    "--max-connections-per-ip",
    "1"
  )
  const url = yield* monitor(tellnet)
  return { tellnet, url, plain: yield* port(tellnet), tls: yield* tlsPort(tellnet), watch: new URL(url).port }
})

/** HAProxy with the configuration that operators are given, but for the ports and the version of the protocol. */
const balanced = (sending: "send-proxy" | "send-proxy-v2") =>
  Effect.gen(function*() {
    const one = yield* node
    const two = yield* node
    const plain = yield* freePort
    const tls = yield* freePort
    const ports: Record<string, number | string> = {
      ":8888": `127.0.0.1:${plain}`,
      ":8889": `127.0.0.1:${tls}`,
      ":8801": `:${one.plain}`,
      ":8802": `:${two.plain}`,
      ":8811": `:${one.tls}`,
      ":8812": `:${two.tls}`,
      " 9401": ` ${one.watch}`,
      " 9402": ` ${two.watch}`
    }
    const text = readFileSync("src/ops/haproxy.cfg", "utf8")
      .replaceAll(/[: ](?:88\d\d|940\d)$|:88\d\d(?= )|/gm, (place) => String(ports[place] ?? place))
      .replaceAll("send-proxy-v2", sending)
    const path = `${yield* folder}/haproxy.cfg`
    writeFileSync(path, text)
    const haproxy = yield* start("haproxy", ["-db", "-dW", "-n", "100", "-f", path])
    yield* Effect.raceFirst(
      within("HAProxy to listen", Effect.eventually(Effect.delay(reached(tls), "20 millis"))),
      Effect.flatMap(haproxy.over, ({ stderr }) => Effect.dieMessage(stderr))
    )
    return { one, two, plain, tls }
  })

/** Fails if nobody listens there. */
const reached = (port: number) =>
  Effect.async<void, Error>((resume) => {
    const socket = Net.connect(port, "127.0.0.1", () => {
      socket.destroy()
      resume(Effect.void)
    }).on("error", (error) => resume(Effect.fail(error)))
  })

describe("Balancer", { concurrent: true }, () => {
  for (const sending of ["send-proxy", "send-proxy-v2"] as const) {
    withHaproxy(
      `serves everybody under their own address on two servers behind HAProxy with ${sending}`,
      () =>
        Effect.gen(function*() {
          const { one, plain, tls, two } = yield* balanced(sending)
          // One connection of an address is allowed, and HAProxy has one address.
          const clients = yield* Effect.forEach(
            ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"],
            (localAddress) => arrive(plain, { localAddress })
          )
          yield* measures(one.url, "tellnet_connections 2")
          yield* measures(two.url, "tellnet_connections 2")

          const ann = yield* arrive(tls, { localAddress: "127.0.0.6", tls: true })
          yield* ann.send("over TLS\n")
          yield* ann.sees(`${ann.front}over TLS`)

          const piped = yield* connect(plain, { localAddress: "127.0.0.7" })
          yield* piped.send("hello\n/time on\n")
          yield* piped.end
          yield* piped.sees(`${piped.front}已上线`, `${piped.front}hello`)
          yield* piped.ended

          // Whoever stops gets nobody new. HAProxy's questions were no connections here.
          yield* one.tellnet.signal("SIGTERM")
          yield* one.tellnet.over
          for (const localAddress of ["127.0.0.8", "127.0.0.9"]) yield* arrive(plain, { localAddress })
          const { text } = yield* get(`${two.url}/metrics`)
          assert.deepStrictEqual(text.match(/^tellnet_connections_refused_total.* [^0]$/gm), null)
          assert.strictEqual(clients.length, 4)
        })
    )
  }
})
