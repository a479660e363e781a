/** The one order of all events, and what is kept of it. Knows no users and no wording. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import { originOf } from "../domain/Address.ts"
import type { Event, Line, Nonce, Seq, Stored } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"
import type { Used } from "../domain/Nonces.ts"

/** What was kept cannot be read now. */
export class Unreadable extends Data.TaggedError("Unreadable")<{ readonly why: string }> {
  override get message() {
    return `what was said cannot be read: ${this.why}`
  }
}

/** The file cannot be used; the server does not start with it. */
export class CannotOpen extends Data.TaggedError("CannotOpen")<{ readonly message: string }> {}

/** The log itself has ended. */
export class LogLost extends Data.TaggedError("LogLost")<{ readonly message: string }> {}

/** Whether what is said can be kept. */
export type Condition =
  | { readonly _tag: "KeepingFails" }
  /** `lost`: how many lines had to be given up meanwhile. */
  | { readonly _tag: "KeepingWorks"; readonly lost: number }

export interface Follower {
  /** Takes the next record. The next one comes when this has ended. */
  readonly take: (record: Stored) => Effect.Effect<void>
  /** Is told of a change. MUST NOT wait. */
  readonly changed: (condition: Condition) => void
}

export class MessageLog extends Context.Tag("tellnet/MessageLog")<MessageLog, {
  /** Which log this is: another one for each new one, the same for as long as it goes on. */
  readonly id: string
  /** Where the records of this process begin: behind this place, and with these nonces known, oldest first. */
  readonly start: { readonly seq: Seq; readonly nonces: ReadonlyArray<Used> }
  /**
   * Makes a record of the events of a turn: gives it its place and its time, keeps the lines in it, and only then gives it
   * to the follower; ends after that. MUST NOT be called again before, nor be interrupted. Where lines cannot be kept, the
   * follower is told of that, and gets the record all the same.
   */
  readonly append: (events: ReadonlyArray<Event>) => Effect.Effect<void>
  /** There is one follower. It gets each record once, in order and without a gap. */
  readonly follow: (follower: Follower) => void
  /** Where the last `count` lines of a room before a place begin; that place itself if there are none. */
  readonly startOf: (room: NameKey, before: Seq, count: number) => Effect.Effect<Seq, Unreadable>
  /** How many lines a room has from one place on and before another; counted up to `limit`. */
  readonly count: (room: NameKey, from: Seq, before: Seq, limit: number) => Effect.Effect<number, Unreadable>
  /** Up to which place, itself included, lines of a room may have been given up. */
  readonly erased: (room: NameKey) => Effect.Effect<Seq, Unreadable>
  /**
   * The first lines of a room from one place on, in order, and before another; none only if there are none. At most
   * `pageLines` of them, and about `pageBytes`.
   */
  readonly read: (room: NameKey, from: Seq, before: Seq) => Effect.Effect<ReadonlyArray<Line>, Unreadable>
  /** Does not end. Fails when the log is lost, and with it the server. */
  readonly running: Effect.Effect<never, LogLost>
}>() {}

export const pageLines = 100
export const pageBytes = 65_536

// Clocks are set by so little, in ms, all the time; by more only where they were wrong.
const adjustment = 60_000

/**
 * The time of a record behind one of the time `last`: not less, where the clock was adjusted. Where it was set back, it is as it
 * says from now on, or all that comes would have the wrong time for as long as it was ahead.
 */
export const timeBehind = (last: number, now: number): number => last - now > adjustment ? now : Math.max(last, now)

/** What is kept of a record: its lines, and the nonces that are used from here on. What is in it twice is in it once. */
export const keptOf = ({ at, events, seq }: Stored): Kept => {
  const lines: Array<Line> = []
  const nonces = new Map<Nonce, Used>()
  events.forEach((event, index) => {
    if (event._tag !== "Said" && event._tag !== "Told") return
    const place = (seq + index) as Seq
    if (event.nonce !== undefined) {
      if (nonces.has(event.nonce)) return
      nonces.set(event.nonce, { nonce: event.nonce, seq: place, at, origin: originOf(event.who.address) })
    }
    if (event._tag === "Said") lines.push({ seq: place, at, room: event.room.key, who: event.who, text: event.text })
  })
  return { lines, nonces: Array.from(nonces.values()) }
}

export interface Kept {
  readonly lines: ReadonlyArray<Line>
  readonly nonces: ReadonlyArray<Used>
}
