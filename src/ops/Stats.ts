/** What the server counts as it goes: plain numbers, because they stand on the path of every line. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { EndReason, RefusalReason } from "../domain/Reasons.ts"

/** Whoever does what is counted, counts it here. All but the first five only grow. */
export class Stats extends Context.Tag("tellnet/Stats")<Stats, {
  /** Newcomers are let in. */
  accepting: boolean
  /** What is said is kept. */
  logWritable: boolean
  /** Connections that have a session now. */
  connections: number
  /** Users whose socket pushes back now; looked at once a second. */
  stalled: number
  /** Lines that came in, a second, over the last seconds; looked at once a second. */
  linesPerSecond: number
  /** Connections that got a session. */
  accepted: number
  readonly refused: Record<RefusalReason, number>
  /** Some of the addresses that were refused since the log last told of it. */
  readonly refusedFrom: Map<RefusalReason, Set<string>>
  readonly ended: Record<EndReason, number>
  /** Lines that came from users, too long ones included. */
  linesIn: number
  /** Lines given to users' channels, each once for each user, and not skipped. */
  linesDelivered: number
  linesSkipped: number
  /** How many times lines began to be lost to the log, or to wait for it. */
  logFailures: number
  /** Bytes given to users' sockets, before encryption. */
  bytesOut: number
  /** Told of each batch how many lines for everyone went out together. */
  onBatch: (lines: number) => void
  /** Told of each turn of the broadcaster how long it took, in seconds. */
  onTurn: (seconds: number) => void
}>() {
  static readonly layer = Layer.sync(Stats, () => ({
    accepting: false,
    logWritable: true,
    connections: 0,
    stalled: 0,
    linesPerSecond: 0,
    accepted: 0,
    refused: {
      "server-full": 0,
      "address-full": 0,
      "proxy-timeout": 0,
      "proxy-closed": 0,
      "proxy-malformed": 0,
      "proxy-nobody": 0,
      "proxy-full": 0,
      "handshake-timeout": 0,
      "handshake-closed": 0,
      "handshake-not-tls": 0,
      "handshake-version": 0,
      "handshake-failed": 0
    },
    refusedFrom: new Map(),
    ended: {
      quit: 0,
      "end-of-input": 0,
      reset: 0,
      idle: 0,
      stalled: 0,
      shutdown: 0,
      foreign: 0,
      "taken-over": 0,
      defect: 0
    },
    linesIn: 0,
    linesDelivered: 0,
    linesSkipped: 0,
    logFailures: 0,
    bytesOut: 0,
    onBatch: () => {},
    onTurn: () => {}
  }))
}
