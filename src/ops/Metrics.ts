/** The metrics, named and measured as Prometheus has it. It is loaded when somebody asks for them. */
import * as Record from "effect/Record"
import * as Prometheus from "prom-client"
import type { Stats } from "./Stats.ts"

/** A registry that reads the server's own counts whenever it is asked, and those of the process (`process_…`, `nodejs_…`). */
export const make = (stats: typeof Stats.Service): Prometheus.Registry => {
  const registry = new Prometheus.Registry()
  const registers = [registry]
  Prometheus.collectDefaultMetrics({ register: registry })

  const gauge = (name: string, help: string, value: () => number) =>
    new Prometheus.Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      }
    })
  const counter = (name: string, help: string, total: () => number) =>
    new Prometheus.Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(total())
      }
    })
  const byReason = (name: string, help: string, totals: Readonly<Record<string, number>>) =>
    new Prometheus.Counter({
      name,
      help,
      registers,
      labelNames: ["reason"],
      collect() {
        this.reset()
        for (const [reason, total] of Record.toEntries(totals)) this.inc({ reason }, total)
      }
    })

  gauge("tellnet_connections", "Connections that have a session now.", () => stats.connections)
  gauge(
    "tellnet_users_stalled",
    "Users whose socket takes nothing now, while lines wait for them.",
    () => stats.stalled
  )
  gauge("tellnet_log_writable", "1: what is said is kept. 0: it waits in memory.", () => stats.logWritable ? 1 : 0)
  counter("tellnet_log_failures_total", "Times that the log could not be written any more.", () => stats.logFailures)
  gauge(
    "tellnet_log_reachable",
    "1: the log of all nodes is in reach, or there is one node. 0: nothing can be said.",
    () => stats.logReachable ? 1 : 0
  )
  const { link } = stats
  gauge("tellnet_nodes_others", "Other nodes that give signs of life.", () => link.others)
  gauge("tellnet_nodes_lag", "Records of the stream that this node has not taken yet.", () => link.last - link.place)
  counter("tellnet_nodes_records_total", "Records that came from the stream.", () => link.records)
  counter("tellnet_nodes_record_bytes_total", "Their bytes.", () => link.bytes)
  counter("tellnet_nodes_malformed_total", "Records that were none, and did not count.", () => link.malformed)
  counter("tellnet_nodes_sent_total", "Records that this node sent.", () => link.sent)
  counter("tellnet_nodes_retries_total", "Times that one was sent again.", () => link.retries)
  counter("tellnet_nodes_breaks_total", "Times that the stream was lost out of sight.", () => link.breaks)
  counter("tellnet_connections_accepted_total", "Connections that got a session.", () => stats.accepted)
  byReason("tellnet_connections_refused_total", "Connections that got none, by reason.", stats.refused)
  byReason("tellnet_connections_ended_total", "Sessions that ended, by reason.", stats.ended)
  counter("tellnet_lines_received_total", "Lines that came from users.", () => stats.linesIn)
  counter("tellnet_lines_delivered_total", "Lines given to users, once for each of them.", () => stats.linesDelivered)
  counter("tellnet_lines_skipped_total", "Lines not given to users who read too slowly.", () => stats.linesSkipped)
  counter("tellnet_sent_bytes_total", "Bytes given to users' sockets, before encryption.", () => stats.bytesOut)

  const batchLines = new Prometheus.Histogram({
    name: "tellnet_broadcast_batch_lines",
    help: "Lines for everyone that went out together.",
    buckets: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
    registers
  })
  const turnSeconds = new Prometheus.Histogram({
    name: "tellnet_broadcast_turn_seconds",
    help: "Time that the broadcaster took for what had come in one turn.",
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    registers
  })
  stats.onBatch = (lines) => batchLines.observe(lines)
  stats.onTurn = (seconds) => turnSeconds.observe(seconds)
  return registry
}
