/** The one order of all events, and what is kept of it. Knows no users and no wording. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Erasure } from "../domain/Erasure.ts"
import type { Event, Line, NodeId, Seq, Stored } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"
import type { Used } from "../domain/Nonces.ts"
import type { World } from "../domain/World.ts"

/** What was kept cannot be read now. */
export class Unreadable extends Data.TaggedError("Unreadable")<{ readonly why: string }> {
  override get message() {
    return `what was said cannot be read: ${this.why}`
  }
}

/** The file or the other nodes cannot be used; the server does not start with them. */
export class CannotOpen extends Data.TaggedError("CannotOpen")<{ readonly message: string }> {}

/** The log itself has ended. */
export class LogLost extends Data.TaggedError("LogLost")<{ readonly message: string }> {}

/** How the log does. */
export type Condition =
  | { readonly _tag: "KeepingFails" }
  /** `lost`: how many lines had to be given up meanwhile. */
  | { readonly _tag: "KeepingWorks"; readonly lost: number }
  /** The log that several nodes write is out of reach: nothing happens until it is back. */
  | { readonly _tag: "CutOff" | "Back" }

/** What comes of a record. */
export interface Folded {
  /** What is to be kept of it. */
  readonly kept: Kept
  /** The world is so from here on. Run before the next record is folded. */
  readonly apply: Effect.Effect<void>
}

/** What is kept of a record: the lines that were said in it, and the nonces that are used from here on. */
export interface Kept {
  readonly lines: ReadonlyArray<Line>
  readonly nonces: ReadonlyArray<Used>
}

/** Who folds the log. One thing is asked of it at a time. */
export interface Follower {
  /** Folds the next record. `isOwn`: it is the one that `append` waits for. */
  readonly fold: (record: Stored, isOwn: boolean) => Effect.Effect<Folded>
  /** Tells everybody what came of the records that were applied since it was run last: of several at once, where it can. */
  readonly tell: Effect.Effect<void>
  /** Is told of a change, at any time. MUST NOT wait. */
  readonly changed: (condition: Condition) => void
  /** The world behind all that it took. */
  readonly world: Effect.Effect<World>
  /** The log is another one, in which nobody is here; what is appended stands behind this place. */
  readonly renew: (start: Seq) => Effect.Effect<void>
}

export class MessageLog extends Context.Tag("tellnet/MessageLog")<MessageLog, {
  /** Which log this is now: another one for each new one, the same for as long as it goes on. */
  readonly id: () => string
  /** Where the records that the follower gets begin: behind this. */
  readonly start: Start
  /** So many bytes a record may have. */
  readonly recordBytes: number
  /**
   * Makes a record of the events of a turn: gives it its place and its time, keeps the lines in it, and only then gives it
   * to the follower; ends after that. Without events it is the place where the log stands now. MUST NOT be called again
   * before. Where lines cannot be kept, the follower is told of that, and gets the record all the same; where nothing is in
   * reach this waits, and loses nothing.
   */
  readonly append: (events: ReadonlyArray<Event>) => Effect.Effect<void>
  /** There is one follower. It gets each record once, in order and without a gap. */
  readonly follow: (follower: Follower) => void
  /** Waits until the follower has all that others wrote before this process began. */
  readonly ready: Effect.Effect<void>
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
  /**
   * Takes away, for all nodes, those of the lines that were said so far, and says how many this process had. If it fails, some may
   * be gone.
   */
  readonly erase: (erasure: Erasure) => Effect.Effect<number, Unreadable>
  /** How often lines were taken away here: what was read before the last time may hold some of them. */
  readonly erasures: () => number
  /** Does not end. Fails when the log is lost, and with it the server. */
  readonly running: Effect.Effect<never, LogLost>
}>() {}

/**
 * The last place before, and what is known there: all of it; or that nobody is here, the nonces, oldest first, and the nodes of
 * which nothing counts.
 */
export type Start =
  | { readonly seq: Seq; readonly nonces: ReadonlyArray<Used>; readonly gone: ReadonlyArray<NodeId> }
  | { readonly seq: Seq; readonly world: World }

/** So many events a record has at most. */
export const recordEvents = 4096

export const pageLines = 100
export const pageBytes = 65_536

// Clocks are set by so little, in ms, all the time; by more only where they were wrong.
const adjustment = 60_000

/**
 * The time of a record behind one of the time `last`: not less, where the clock was adjusted. Where it was set back, it is as it
 * says from now on, or all that comes would have the wrong time for as long as it was ahead.
 */
export const timeBehind = (last: number, now: number): number => last - now > adjustment ? now : Math.max(last, now)
