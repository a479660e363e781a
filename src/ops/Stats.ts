/** What the server counts as it goes: plain numbers, because they stand on the path of every line. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { EndReason, RefusalReason } from "../domain/Reasons.ts"

/** Whoever does what is counted, counts it here. All but the first six only grow. */
export class Stats extends Context.Tag("tellnet/Stats")<Stats, {
  /** Newcomers are let in. */
  accepting: boolean
  /** What is said is kept. */
  logWritable: boolean
  /** The log that several nodes write is in reach. */
  logReachable: boolean
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
  /** Lines that users of other nodes said. */
  linesOfOthers: number
  /** Lines given to users' channels, each once for each user, and not skipped. */
  linesDelivered: number
  linesSkipped: number
  /** How many times lines began to be lost to the log, or to wait for it. */
  logFailures: number
  /** What this node and the others exchange, if there are any. */
  readonly link: {
    /** The place of the last record of the stream that was taken, and of the last one that there is, as far as is known. */
    place: number
    last: number
    /** Other nodes that are known to live. */
    others: number
    /** Records that came, and their bytes. */
    records: number
    bytes: number
    /** Records that were none, and did not count. */
    malformed: number
    /** Records that were sent, and how many times one was sent again. */
    sent: number
    retries: number
    /** How many times the stream was lost out of sight. */
    breaks: number
  }
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
    logReachable: true,
    connections: 0,
    stalled: 0,
    linesPerSecond: 0,
    accepted: 0,
    refused: {
      "server-full": 0,
      "address-full": 0,
      "too-fast": 0,
      banned: 0,
      locked: 0,
      "proxy-timeout": 0,
      "proxy-closed": 0,
      "proxy-malformed": 0,
      "proxy-nobody": 0,
      "proxy-full": 0,
      "web-malformed": 0,
      "web-timeout": 0,
      "web-host": 0,
      "web-origin": 0,
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
      removed: 0,
      banned: 0,
      defect: 0
    },
    linesIn: 0,
    linesOfOthers: 0,
    linesDelivered: 0,
    linesSkipped: 0,
    logFailures: 0,
    link: { place: 0, last: 0, others: 0, records: 0, bytes: 0, malformed: 0, sent: 0, retries: 0, breaks: 0 },
    bytesOut: 0,
    onBatch: () => {},
    onTurn: () => {}
  }))
}
