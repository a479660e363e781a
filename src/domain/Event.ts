/** What happens. Plain data, in one order, of which all else is made. Knows no wording and no socket. */
import * as Brand from "effect/Brand"
import type { Address } from "./Address.ts"
import type { Name } from "./Name.ts"
import type { Room } from "./Room.ts"

/** A visit. No two of a process have the same. */
export type UserId = number & Brand.Brand<"UserId">
export const UserId = Brand.nominal<UserId>()

/** A place in the order of all events. It grows along the log, and never goes back, over restarts either. */
export type Seq = number & Brand.Brand<"Seq">
export const Seq = Brand.nominal<Seq>()

/** Who somebody is to others. */
export interface Who {
  readonly address: Address
  readonly name: Name
}

/** What happens, as the one who does it asks for it. What comes of it is said by the fold: see `World.ts`. */
export type Event =
  /** Somebody is here, and asks to be called by its address. */
  | { readonly _tag: "Arrived"; readonly user: UserId; readonly address: Address }
  | { readonly _tag: "Left"; readonly user: UserId }
  | { readonly _tag: "Renamed"; readonly user: UserId; readonly name: Name }
  /** It holds who and where, so that it can be read without all that was before. */
  | {
    readonly _tag: "Said"
    readonly user: UserId
    readonly who: Who
    readonly room: Room
    readonly text: string
  }

/** The events of one turn, in the log: the first of them has the number `seq`, and each further one the next. */
export interface Stored {
  readonly seq: Seq
  /** When they happened, in ms since 1970; never less than in the record before. */
  readonly at: number
  readonly events: ReadonlyArray<Event>
}

/** A line that was said, as the log keeps it. */
export interface Line {
  readonly seq: Seq
  readonly at: number
  readonly room: Room
  readonly who: Who
  readonly text: string
}
