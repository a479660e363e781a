/** What the bench asks of a loader process, and what the loader answers: both travel as JSON. */
import * as Schema from "effect/Schema"

export const ServerName = Schema.Literal("tellnet", "plain", "batched", "nats")
export type ServerName = typeof ServerName.Type

/** What a loader can do to a server. */
export const Load = Schema.Union(
  /** `senders` users, each with one message in flight: the next is sent when the last is seen by its sender. */
  Schema.Struct({ kind: Schema.Literal("InFlight"), senders: Schema.Number }),
  /** Separate messages, evenly spaced, each from another user; `stalled` of the users never read. */
  Schema.Struct({
    kind: Schema.Literal("Spaced"),
    perSecond: Schema.Number,
    stalled: Schema.Number,
    fill: Schema.Boolean
  }),
  /** All users connect at once. */
  Schema.Struct({ kind: Schema.Literal("Arrive") }),
  /** The users connect, then nothing. */
  Schema.Struct({ kind: Schema.Literal("Rest") })
)
export type Load = typeof Load.Type

export const Job = Schema.Struct({
  server: ServerName,
  /** Process id of the server, whose CPU and memory are read from `/proc`. */
  pid: Schema.Number,
  port: Schema.Number,
  users: Schema.Number,
  load: Load,
  /** Milliseconds of load before the measured window, so that the server's code is compiled and hot. */
  warmUp: Schema.Number,
  /** Milliseconds that are measured. */
  window: Schema.Number
})
export type Job = typeof Job.Type

/** Figures of one run; a load fills in those that it can measure. */
export const Figures = Schema.partialWith(
  Schema.Struct({
    /** Server CPU per delivered line, µs. */
    cpuPerLine: Schema.Number,
    /** Server CPU per delivered presence line while the users came in, µs. */
    joinCpuPerLine: Schema.Number,
    /** Latency from send to sight, ms. */
    p50: Schema.Number,
    p99: Schema.Number,
    /** Delivered lines a second. */
    perSecond: Schema.Number,
    /** Seconds until every user had every presence line; for `start`, until the server could be reached. */
    seconds: Schema.Number,
    /** Resident memory of the server, MB, and what each user added to it, KB. */
    rss: Schema.Number,
    rssPerUser: Schema.Number,
    /** Lines that should have arrived and did not; below zero, lines that arrived twice. */
    lost: Schema.Number,
    /** Share of one core, percent. */
    serverCpu: Schema.Number,
    loaderCpu: Schema.Number
  }),
  { exact: true }
)
export type Figures = typeof Figures.Type
export type Figure = keyof Figures

export const Answer = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("Measured"), figures: Figures }),
  Schema.Struct({ kind: Schema.Literal("Failed"), reason: Schema.String })
)
export type Answer = typeof Answer.Type
