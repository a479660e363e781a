/** What one node has to say to another about a single user. Whoever is in the log needs none of it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Address } from "../domain/Address.ts"
import type { NodeId, UserId, Who } from "../domain/Event.ts"
import type { Name } from "../domain/Name.ts"
import type { OutOfReach } from "./SharedStream.ts"

/** A private line for a user of another node. */
export interface Letter {
  readonly by: UserId
  readonly from: Who
  readonly to: UserId
  readonly name: Name
  readonly text: string
}

export class OtherNodes extends Context.Tag("tellnet/OtherNodes")<OtherNodes, {
  /** Whether a user with this node is connected to another process. */
  readonly isOther: (node: NodeId) => boolean
  /** Sends a letter to a node, and waits: for 2 s at most. `false`: the user is not there any more. */
  readonly tell: (node: NodeId, letter: Letter) => Effect.Effect<boolean, OutOfReach>
  /** Who deals with the letters that come from others. `false`: the user is not here any more. */
  readonly onLetter: (deliver: (letter: Letter) => Effect.Effect<boolean>) => void
  /** Asks a node where one of its users comes from; likewise. `undefined`: the user is not there any more. */
  readonly peerOf: (node: NodeId, user: UserId) => Effect.Effect<Address | undefined, OutOfReach>
  /** Who tells others that. */
  readonly onPeerAsked: (find: (user: UserId) => Address | undefined) => void
}>() {
  /** There are none. */
  static readonly none = Layer.succeed(OtherNodes, {
    isOther: () => false,
    tell: () => Effect.succeed(false),
    onLetter: () => {},
    peerOf: () => Effect.succeed(undefined),
    onPeerAsked: () => {}
  })
}
