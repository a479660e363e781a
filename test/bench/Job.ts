/** What the bench asks of a loader process, as arguments, and what the loader answers, as JSON. */
import * as Schema from "effect/Schema"

const ServerName = Schema.Literal(
  "tellnet",
  "web",
  "file",
  "baseline",
  "plain",
  "batched",
  "nats",
  "nodes1",
  "nodes2",
  "nodes3"
)
export type ServerName = typeof ServerName.Type

/** What a loader can do to a server. */
export type Load =
  /** `senders` users, each with one message in flight: the next is sent when the last is seen by its sender; `json`: all are programs. */
  | { readonly kind: "InFlight"; readonly senders: number; readonly json: 0 | 1 }
  /** Separate messages, evenly spaced, each from another user; `stalled` of the users never read. */
  | { readonly kind: "Spaced"; readonly perSecond: number; readonly stalled: number; readonly fill: 0 | 1 }
  /**
   * Everybody goes to one of the `rooms`, as many to each; then one message in every room, all at once, so many times a
   * second. The users come from 127.1.0.0/16, 100 from each address: of one address the server takes 20 rooms at most.
   */
  | { readonly kind: "Rooms"; readonly perSecond: number; readonly rooms: number }
  /**
   * Separate messages of one user, while `attackers` connections of each of `addresses` send lines of 4 KB as fast as they
   * may. The users come from 127.1.0.0/16, 100 from each address.
   */
  | { readonly kind: "Hostile"; readonly perSecond: number; readonly attackers: number; readonly addresses: number }
  /**
   * Separate messages of one user, while so many a second come from `addresses` by turns, and go at the first word that they
   * are told. The users come from 127.1.0.0/16, 100 from each address.
   */
  | { readonly kind: "Visits"; readonly perSecond: number; readonly visits: number; readonly addresses: number }
  /** All users connect at once. */
  | { readonly kind: "Arrive" }
  /** The users connect, then nothing. */
  | { readonly kind: "Rest"; readonly json: 0 | 1 }

export interface Job {
  readonly server: ServerName
  /** Process ids of the server's nodes, whose CPU and memory are read from `/proc`; there is one, if it has no nodes. */
  readonly pids: ReadonlyArray<number>
  /** Where each of them listens. As many users come to each; latency is then that from one to another. */
  readonly ports: ReadonlyArray<number>
  /** Process id of what the nodes write to, 0 for none. */
  readonly store: number
  readonly users: number
  readonly load: Load
  /** Milliseconds of load before the measured window, so that the server's code is compiled and hot. */
  readonly warmUp: number
  /** Milliseconds that are measured. */
  readonly window: number
}

/** The arguments of the loader. */
export const argumentsOf = ({ load: { kind, ...load }, ...job }: Job): ReadonlyArray<string> =>
  Object.entries({ ...job, load: kind, ...load }).map(([name, value]) => `${name}=${Number(value) || value}`)

/** Figures of one run; a load fills in those that it can measure. */
export const Figures = Schema.partialWith(
  Schema.Struct({
    /** Server CPU per delivered line, µs. */
    cpuPerLine: Schema.Number,
    /** CPU of what the nodes write to, per delivered line, µs. */
    storeCpuPerLine: Schema.Number,
    /** Server CPU per delivered presence line while the users came in, µs. */
    joinCpuPerLine: Schema.Number,
    /** Latency from send to sight, ms. */
    p50: Schema.Number,
    p99: Schema.Number,
    /** Delivered lines a second. */
    perSecond: Schema.Number,
    /** Short visits a second that were told something: that they came, or why they may not. */
    visitsPerSecond: Schema.Number,
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
