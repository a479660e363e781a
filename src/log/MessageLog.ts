/** The one order of all events, and what is kept of it. Knows no users and no wording. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Event, Line, Seq, Stored } from "../domain/Event.ts"
import type { Room } from "../domain/Room.ts"

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
  /** The place behind which the records of this process stand. */
  readonly start: Seq
  /**
   * Makes a record of the events of a turn: gives it its place and its time, keeps the lines in it, and only then gives it
   * to the follower; ends after that. MUST NOT be called again before, nor be interrupted. Where lines cannot be kept, the
   * follower is told of that, and gets the record all the same.
   */
  readonly append: (events: ReadonlyArray<Event>) => Effect.Effect<void>
  /** There is one follower. It gets each record once, in order and without a gap. */
  readonly follow: (follower: Follower) => void
  /** Where the last `count` lines of a room before a place begin; that place itself if there are none. */
  readonly startOf: (room: Room, before: Seq, count: number) => Effect.Effect<Seq, Unreadable>
  /**
   * The first lines of a room from one place on, in order, and before another; none only if there are none. At most
   * `pageLines` of them, and about `pageBytes`.
   */
  readonly read: (room: Room, from: Seq, before: Seq) => Effect.Effect<ReadonlyArray<Line>, Unreadable>
  /** Does not end. Fails when the log is lost, and with it the server. */
  readonly running: Effect.Effect<never, LogLost>
}>() {}

export const pageLines = 100
export const pageBytes = 65_536

/** The lines in a record. */
export const linesOf = ({ at, events, seq }: Stored): ReadonlyArray<Line> =>
  events.flatMap((event, index) => {
    if (event._tag !== "Said") return []
    const { room, text, who } = event
    return [{ seq: (seq + index) as Seq, at, room, who, text }]
  })
