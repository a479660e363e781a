/** What a connection is to the chat. Doors implement it; the chat knows no socket. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Address } from "../domain/Address.ts"
import type { CapReason, EndReason } from "../domain/Reasons.ts"
import type { Outlet } from "./UserChannel.ts"

export interface Peer extends Outlet {
  readonly address: Address
  /** What it speaks from its first byte on. */
  readonly form: "plain" | "json"
  /** Nobody on its way can read what it sends. */
  readonly isEncrypted: boolean
  /**
   * Reads until `take` has enough, which makes it `true`, or until the peer has ended its half, which makes it `false`.
   * `take` is given all bytes as they come. It gives `undefined` to get more; or, when it has enough, how many of the last
   * bytes it leaves: those are given first at the next pull. It MUST NOT wait: what it can deal with at once wakes no
   * fiber. If it throws, the effect dies. Of a lost peer nothing comes; see `onLost`. If it is interrupted, `take` MUST be
   * stopped: every user waits here, and what it takes to notice an interruption is a kilobyte for each of them.
   */
  readonly pull: (take: (bytes: Buffer) => number | undefined) => Effect.Effect<boolean>
  /** Gives nothing more to the last `take`. */
  readonly stop: () => void
  /** Calls back when the peer is lost: reset, broken pipe, no answer to keep-alive. At once if it is lost already. */
  readonly onLost: (callback: () => void) => void
  /**
   * Ends the connection in order: what was written arrives first, if the peer takes it within the patience. Waits for
   * that. Some are told why.
   */
  readonly finish: (patience: Duration.Duration, why: EndReason | CapReason) => Effect.Effect<void>
  /** Closes at once. What was written and has not left yet is lost. */
  readonly destroy: Effect.Effect<void>
}
