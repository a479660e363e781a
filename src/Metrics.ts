/** The metrics, named and measured as Prometheus has it. Knows nothing of who asks for them, or how. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Record from "effect/Record"
import type { Stats } from "./Stats.ts"

// Updated where it happens, since it is once a turn or less often.
export const batchLines = Metric.histogram(
  "tellnet_broadcast_batch_lines",
  MetricBoundaries.fromIterable([0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]),
  "Lines for everyone that went out together."
)
export const turnSeconds = Metric.histogram(
  "tellnet_broadcast_turn_seconds",
  MetricBoundaries.fromIterable([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]),
  "Time that the broadcaster took for what had come in one turn."
)

const gauge = (name: string, description: string) => {
  const metric = Metric.gauge(name, { description })
  return (value: number) => metric.unsafeUpdate(value, [])
}

/** A counter that is told its total; a metric of Effect's counts steps. */
const total = (metric: Metric.Metric.Counter<number>) => {
  let before = 0
  return (value: number) => {
    metric.unsafeUpdate(value - before, [])
    before = value
  }
}

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

/** Makes what moves the server's own counts into metrics; called before somebody reads them. */
export const publisher = (stats: typeof Stats.Service): () => void => {
  const byReason = <Reason extends string>(totals: Record<Reason, number>, name: string, description: string) =>
    Record.map(totals, (_, reason) => total(Metric.tagged(counter(name, description), "reason", reason)))

  const connections = gauge("tellnet_connections", "Connections that have a session now.")
  const stalled = gauge("tellnet_users_stalled", "Users whose socket takes nothing now, while lines wait for them.")
  const accepted = total(counter("tellnet_connections_accepted_total", "Connections that got a session."))
  const refused = byReason(stats.refused, "tellnet_connections_refused_total", "Connections that got none, by reason.")
  const ended = byReason(stats.ended, "tellnet_connections_ended_total", "Sessions that ended, by reason.")
  const linesIn = total(counter("tellnet_lines_received_total", "Lines that came from users."))
  const delivered = total(counter("tellnet_lines_delivered_total", "Lines given to users, once for each of them."))
  const skipped = total(counter("tellnet_lines_skipped_total", "Lines not given to users who read too slowly."))
  const sent = total(counter("tellnet_sent_bytes_total", "Bytes given to users' sockets, before encryption."))

  return () => {
    connections(stats.connections)
    stalled(stats.stalled)
    accepted(stats.accepted)
    for (const reason of Record.keys(stats.refused)) refused[reason](stats.refused[reason])
    for (const reason of Record.keys(stats.ended)) ended[reason](stats.ended[reason])
    linesIn(stats.linesIn)
    delivered(stats.linesDelivered)
    skipped(stats.linesSkipped)
    sent(stats.bytesOut)
  }
}
