/** What happens. Plain data, in one order, of which all else is made. Knows no wording and no socket. */
import * as Brand from "effect/Brand"
import type { Address } from "./Address.ts"
import type { Erasure } from "./Erasure.ts"
import type { Name, NameKey } from "./Name.ts"
import type { EndReason } from "./Reasons.ts"
import type { Room } from "./Room.ts"
import type { Change } from "./Rules.ts"

/**
 * A server that writes the log, from its start until others think it dead: what comes back after that has another one. A
 * server that is alone is `alone`.
 */
export type NodeId = string & Brand.Brand<"NodeId">
export const NodeId = Brand.nominal<NodeId>()
export const alone = NodeId("")

/** A visit. No two that a process hears of have the same. */
export type UserId = number & Brand.Brand<"UserId">
export const UserId = Brand.nominal<UserId>()

/** A place in the order of all events. It grows along the log, and never goes back, over restarts either. */
export type Seq = number & Brand.Brand<"Seq">
export const Seq = Brand.nominal<Seq>()

/** What a program gives to what it says, so that it is said once, however often it is sent. */
export type Nonce = string & Brand.Brand<"Nonce">
export const Nonce = Brand.nominal<Nonce>()

/** Who somebody is to others. */
export interface Who {
  readonly address: Address
  readonly name: Name
}

/** Somebody who is here, in which room, and since when. */
export interface Online {
  readonly user: UserId
  readonly who: Who
  readonly room: NameKey
  readonly since: Seq
  /** The same in ms since 1970. */
  readonly at: number
  /** Where its connection is. */
  readonly node: NodeId
}

/** What happens, as the one who does it asks for it. What comes of it is said by the fold: see `Fold.ts`. */
export type Event =
  /** Somebody is here, and asks to be called by its address. */
  | { readonly _tag: "Arrived"; readonly user: UserId; readonly address: Address }
  | { readonly _tag: "Left"; readonly user: UserId; readonly reason: EndReason }
  /**
   * `as`: its owner has shown the secret, becomes the owner with this, or nothing of that; or it had the name when its node
   * was thought dead, and owned it: it gets it again if nobody has it.
   */
  | {
    readonly _tag: "Renamed"
    readonly user: UserId
    readonly name: Name
    readonly as: "owner" | "new owner" | "guest" | "returning"
  }
  | { readonly _tag: "Moved"; readonly user: UserId; readonly room: Room }
  /** The name is nobody's from here on; whoever holds it keeps it. */
  | { readonly _tag: "Disowned"; readonly key: NameKey }
  /** Nothing of this node counts from here on, and nobody who was there is here. */
  | { readonly _tag: "NodeGone"; readonly node: NodeId }
  /** It holds who and where, so that it can be read without all that was before. */
  | {
    readonly _tag: "Said"
    readonly user: UserId
    readonly who: Who
    readonly room: Room
    readonly text: string
    readonly nonce?: Nonce
  }
  /** Something private was written, whose words are not in the log. `to`: who must be here for it, if somebody must. */
  | {
    readonly _tag: "Told"
    readonly user: UserId
    readonly who: Who
    readonly nonce: Nonce
    readonly to: NameKey | undefined
  }
  /** An operator has decided something. `visit`: the place of the arrival of whoever is told of it, if somebody is. */
  | { readonly _tag: "Ruled"; readonly change: Change; readonly visit: Seq | undefined }
  /** An operator has put out whoever arrived at the place `visit`. */
  | { readonly _tag: "Removed"; readonly user: UserId; readonly visit: Seq; readonly reason: string }
  /** An operator tells everybody something. */
  | { readonly _tag: "Announced"; readonly user: UserId; readonly text: string }
  /** Some of the lines before this are to be shown to nobody any more. */
  | { readonly _tag: "Erased"; readonly erasure: Erasure }

/** Whether somebody comes, goes or changes, and nothing is said by it: it need not be kept for as long as what is said. */
export const isPresence = ({ _tag }: Event): boolean => _tag !== "Said" && _tag !== "Told" && _tag !== "Erased"

/** The events of one turn of a node, in the log: the first of them has the number `seq`, and each further one the next. */
export interface Stored {
  readonly seq: Seq
  /** When they happened, in ms since 1970; less than in the record before only if the clock was wrong then. */
  readonly at: number
  /** Who wrote it, and which of its records it is; 0 if that does not matter. */
  readonly node: NodeId
  readonly number: number
  readonly events: ReadonlyArray<Event>
}

/** A line that was said, as the log keeps it. */
export interface Line {
  readonly seq: Seq
  readonly at: number
  readonly room: NameKey
  readonly who: Who
  readonly text: string
}
