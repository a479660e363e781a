/** Where users come from in fact, for operators: of those whose connection is at another node, that one is asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Address } from "../domain/Address.ts"
import type { Online, UserId } from "../domain/Event.ts"
import { OtherNodes } from "../log/OtherNodes.ts"
import type { OutOfReach } from "../log/SharedStream.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Broadcaster } from "./Broadcaster.ts"

export class RealAddresses extends Context.Tag("tellnet/RealAddresses")<RealAddresses, {
  /** Where somebody who is online comes from. `undefined`: it is not here any more. */
  readonly of: (online: Online) => Effect.Effect<Address | undefined, OutOfReach>
  /** Who comes from there, of those whose connection is here. */
  readonly at: (address: string) => UserId | undefined
}>() {
  static readonly layer = Layer.effect(RealAddresses, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { addresses } = yield* ServerConfig
  const { users } = yield* Broadcaster
  const others = yield* OtherNodes
  const find = (user: UserId) => {
    for (const { id, peer } of users) if (id === user) return peer
    return undefined
  }
  others.onPeerAsked(find)
  return RealAddresses.of({
    of: ({ node, user, who }) =>
      // Nothing is hidden: everybody knows it.
      addresses === "shown"
        ? Effect.succeed(who.address)
        : others.isOther(node)
        ? others.peerOf(node, user)
        : Effect.sync(() => find(user)),
    at: (address) => {
      for (const { id, peer } of users) if (peer === address) return id
      return undefined
    }
  })
})
