/**
 * What the nodes of one chat share: a stream of records, who gives a sign of life, and requests to one another. NATS is one of
 * these; a simulation is another. Knows no event.
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { NodeId } from "../domain/Event.ts"

/** What was asked for did not happen, or nobody knows whether it did. */
export class OutOfReach extends Data.TaggedError("OutOfReach")<{
  readonly why: string
  /** To try again does not help. */
  readonly isFinal?: boolean
}> {
  override get message() {
    return `the other nodes are out of reach: ${this.why}`
  }
}

/** There is no such node, or it is not connected. */
export class NoSuchNode extends Data.TaggedError("NoSuchNode")<{ readonly node: NodeId }> {}

/** A record as it lies in the stream. */
export interface Message {
  /** 1 for the first of the stream, and more for each further one; never the same again for as long as the stream lives. */
  readonly place: number
  /** When the stream took it, in ms since 1970. */
  readonly at: number
  readonly body: Uint8Array
}

export interface State {
  /** Another one for a stream that was made anew. */
  readonly created: string
  /** The place of the first and of the last message; 0 if there was never one. */
  readonly first: number
  readonly last: number
}

/** Which log the stream holds: decided by whoever is first. */
export interface Identity {
  readonly id: string
  /** The stream in which it is. */
  readonly created: string
  /** It begins behind this place. */
  readonly from: number
}

/** `presence`: who comes and goes, which is not kept for as long as what is said. */
export type Kind = "said" | "presence"

export interface SharedStream {
  /** How the stream is now; it is made if there is none. */
  readonly state: Effect.Effect<State, OutOfReach>
  /** Which log it holds, and which version of that record this is; `undefined`: nobody has said so. */
  readonly identity: Effect.Effect<
    { readonly value: Identity; readonly version: number } | undefined,
    OutOfReach
  >
  /** Says which log it holds. `false`: somebody else was first. */
  readonly identify: (value: Identity, before: number | undefined) => Effect.Effect<boolean, OutOfReach>
  /**
   * Adds a message behind all others, and ends when that is safe. What has the same `id` as another one of the last two
   * minutes is not added again. After a failure it may be there all the same.
   */
  readonly publish: (kind: Kind, id: string, body: Uint8Array) => Effect.Effect<void, OutOfReach>
  /**
   * Gives the messages from a place on, in order, as many at once as have come; further ones after these were taken. Fails when
   * the connection was lost, and when one may be missing. `begun` is told once it is connected.
   */
  readonly follow: (
    from: number,
    take: (messages: ReadonlyArray<Message>) => Effect.Effect<void>,
    begun: Effect.Effect<void>
  ) => Effect.Effect<never, OutOfReach>
  /** The messages of what was said, and of presence, between two places, both included; for a look at what was. */
  readonly between: (from: number, to: number) => Effect.Effect<ReadonlyArray<Message>, OutOfReach>
  /** Takes away what is of presence before a place. */
  readonly purgePresence: (before: number) => Effect.Effect<void, OutOfReach>
  /** Gives a sign of life. */
  readonly beat: (node: NodeId) => Effect.Effect<void, OutOfReach>
  /** Hears all signs of life from now on, and the last one of each first. Fails when some may be missing. */
  readonly beats: (heard: (node: NodeId) => void) => Effect.Effect<never, OutOfReach>
  /** Who has ever given a sign of life, and was not forgotten. */
  readonly known: Effect.Effect<ReadonlyArray<NodeId>, OutOfReach>
  readonly forget: (node: NodeId) => Effect.Effect<void, OutOfReach>
  /** Asks a node, and gives its answer. Waits for 2 s at most. */
  readonly ask: (node: NodeId, body: Uint8Array) => Effect.Effect<Uint8Array, OutOfReach | NoSuchNode>
  /** Answers what this node is asked, for as long as it runs; without an answer the asker waits in vain. */
  readonly answer: (
    node: NodeId,
    answer: (body: Uint8Array) => Effect.Effect<Uint8Array | undefined>
  ) => Effect.Effect<never, OutOfReach>
}
