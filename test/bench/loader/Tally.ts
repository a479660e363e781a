/** What all users of a loader saw together. One mutable object, since it changes with every chunk of bytes. */
import { createHistogram } from "node:perf_hooks"

export interface Tally {
  /** Delivered messages, and presence lines from each user's own arrival on. */
  messages: number
  presence: number
  /** Users that saw their own arrival (or, at NATS, the answer to their first PING). */
  joined: number
  /** Connections that ended though nobody asked them to, and why the last one did. */
  dropped: number
  reason: string
  /** When the last bytes came in, as of `performance.now()`. */
  lastAt: number
}

export const makeTally = (): Tally => ({ messages: 0, presence: 0, joined: 0, dropped: 0, reason: "", lastAt: 0 })

/** Latencies in µs, of a sample of the users. */
export const latencies = createHistogram({ figures: 3, lowest: 1, highest: 600_000_000 })
