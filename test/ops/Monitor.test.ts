import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get, measures, monitor, port, quiet, server, start } from "../support/child.ts"
import { arrive, type Client, connect } from "../support/client.ts"

/** Says more than the kernel buffers for somebody who does not read. */
const fill = (speaker: Client) =>
  Effect.repeatN(
    Effect.zipRight(
      speaker.send(`${"x".repeat(4000)}\n`.repeat(100)),
      Effect.repeatN(speaker.line, 99)
    ),
    29
  )

describe("Monitor", { concurrent: true }, () => {
  it.scopedLive("counts who comes, who is refused, who goes, and what is said", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--metrics-port", "0", "--max-connections-per-ip", "2")
      const url = yield* monitor(tellnet)
      const listening = yield* port(tellnet)
      const bob = yield* arrive(listening)
      const ann = yield* arrive(listening)
      yield* bob.sees(`${ann.front}已上线`)
      const refused = yield* connect(listening)
      yield* refused.ended
      yield* ann.send("hi\n")
      yield* bob.sees(`${ann.front}hi`)
      yield* measures(
        url,
        "tellnet_connections 2",
        "tellnet_connections_accepted_total 2",
        "tellnet_connections_refused_total{reason=\"address-full\"} 1",
        "tellnet_connections_refused_total{reason=\"server-full\"} 0",
        "tellnet_lines_received_total 1",
        // Three about arrivals, and the one that was said to both.
        "tellnet_lines_delivered_total 5",
        "tellnet_lines_skipped_total 0",
        `tellnet_sent_bytes_total ${
          Buffer.byteLength(`${bob.front}已上线\n${`${ann.front}已上线\n`.repeat(2)}${`${ann.front}hi\n`.repeat(2)}`)
        }`,
        "tellnet_broadcast_batch_lines_sum 3",
        "# TYPE tellnet_broadcast_turn_seconds histogram",
        "# TYPE tellnet_lines_delivered_total counter",
        "# TYPE tellnet_connections gauge",
        "# TYPE process_cpu_seconds_total counter",
        "# TYPE process_resident_memory_bytes gauge",
        "# TYPE process_open_fds gauge"
      )
      yield* ann.send("/quit\n")
      yield* bob.sees(`${ann.front}下线`)
      yield* bob.reset
      yield* measures(
        url,
        "tellnet_connections 0",
        "tellnet_connections_ended_total{reason=\"quit\"} 1",
        "tellnet_connections_ended_total{reason=\"reset\"} 1",
        "tellnet_lines_received_total 2"
      )
    }))

  it.scopedLive("shows and logs who reads too slowly, when it begins and when it is cut off", () =>
    Effect.gen(function*() {
      const tellnet = yield* server(
        "--metrics-port",
        "0",
        "--rate",
        "0",
        "--backlog",
        "65536",
        "--stall-timeout",
        "10 seconds"
      )
      const url = yield* monitor(tellnet)
      const listening = yield* port(tellnet)
      const deaf = yield* connect(listening, { paused: true })
      const ann = yield* arrive(listening)
      yield* fill(ann)
      yield* measures(url, "tellnet_users_stalled 1")
      yield* tellnet.prints(new RegExp(`WARN .*: a user reads too slowly: lines are skipped\\n +peer: ${deaf.address}`))
      yield* ann.sees(`${deaf.front}下线`)
      yield* tellnet.prints(new RegExp(`WARN .*: left\\n(?=[^\\[]* peer: ${deaf.address}\\n)[^\\[]* reason: stalled`))
      yield* measures(url, "tellnet_connections_ended_total{reason=\"stalled\"} 1", "tellnet_users_stalled 0")
      const { text } = yield* get(`${url}/metrics`)
      assert.match(text, /tellnet_lines_skipped_total [1-9]/)
      yield* tellnet.signal("SIGTERM")
      const { stdout } = yield* tellnet.over
      assert.strictEqual(stdout.match(/reads too slowly/g)?.length, 1)
      assert.notInclude(stdout, "xxx")
    }))

  it.scopedLive("is alive and ready until the server stops, and not ready while it does", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--metrics-port", "0", "--rate", "0", "--shutdown-grace", "1 hour")
      const url = yield* monitor(tellnet)
      const listening = yield* port(tellnet)
      assert.deepStrictEqual(yield* get(`${url}/healthz`), { status: 200, text: "alive\n" })
      assert.deepStrictEqual(yield* get(`${url}/readyz`), { status: 200, text: "accepting\n" })
      assert.strictEqual((yield* get(`${url}/`)).status, 404)
      const { headers } = yield* Effect.promise(() => fetch(`${url}/metrics`))
      assert.strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      const deaf = yield* connect(listening, { paused: true })
      const ann = yield* arrive(listening)
      yield* fill(ann)
      yield* tellnet.signal("SIGTERM")
      yield* ann.sees("*** 服务器即将关闭")
      assert.deepStrictEqual(yield* get(`${url}/readyz`), { status: 503, text: "not accepting\n" })
      assert.strictEqual((yield* get(`${url}/healthz`)).status, 200)
      yield* ann.end
      yield* deaf.reset
      assert.strictEqual((yield* tellnet.over).code, 0)
    }))

  it.scopedLive("ends with 1 and one sentence for a metrics port in use", () =>
    Effect.gen(function*() {
      const used = yield* port(yield* server())
      const { code, stderr } = yield* (yield* server("--metrics-port", String(used))).over
      assert.strictEqual(
        stderr,
        `Cannot listen on 127.0.0.1 port ${used}: the port is in use, choose another --metrics-port.\n`
      )
      assert.strictEqual(code, 1)
    }))

  it.scopedLive("is not even loaded without its flag", () =>
    Effect.gen(function*() {
      const loads = (flags: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          const trace = ["--import", "tsx", "--import", "./test/support/loaded.ts"]
          const tellnet = yield* start(process.execPath, [...trace, "src/main.ts", "--port", "0", ...flags], quiet)
          yield* port(tellnet)
          yield* tellnet.signal("SIGTERM")
          return (yield* tellnet.over).stdout.includes("loaded prom-client")
        })
      assert.isFalse(yield* loads([]))
      assert.isTrue(yield* loads(["--metrics-port", "0"]))
    }))
})
