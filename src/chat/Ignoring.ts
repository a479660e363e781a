/** `/ignore` and `/unignore`: of whom a user is shown nothing, and for an owner of a name, whom it ignored before. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Online } from "../domain/Event.ts"
import { longestName, nameKey } from "../domain/Name.ts"
import { terminalSafe } from "../domain/Text.ts"
import * as World from "../domain/World.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import type { Broadcaster } from "./Broadcaster.ts"
import type * as Homecoming from "./Homecoming.ts"
import { maxIgnored } from "./Ignores.ts"
import { asOwned, type Records } from "./Records.ts"
import type { Visit } from "./Visit.ts"

interface Shared {
  readonly broadcaster: typeof Broadcaster.Service
  readonly homecoming: Effect.Effect.Success<typeof Homecoming.make>
  readonly records: typeof Records.Service
}

export const ignore = ({ broadcaster, homecoming, records }: Shared, visit: Visit, name: string) =>
  Effect.gen(function*() {
    const { asker, user } = visit
    const known = user.ignores ?? []
    let found: { readonly holder: Online | undefined; readonly isOwned: boolean } | undefined
    yield* broadcaster.askAndWait(asker, (world) => {
      found = { holder: Option.getOrUndefined(World.holder(world, name)), isOwned: World.isOwned(world, name) }
      return {}
    })
    if (found === undefined || found.holder === undefined && !found.isOwned) {
      return yield* broadcaster.reply(asker, { _tag: "NoSuchUser" })
    }
    const { holder, isOwned } = found
    const asTyped = ({ message }: RegistryFailed) => Effect.as(Effect.logError(message), terminalSafe(name))
    const one = {
      name: holder?.who.name ?? (yield* Effect.catchAll(asOwned(records, name), asTyped)),
      connection: holder && { user: holder.user, address: holder.who.address },
      owned: isOwned ? nameKey(name) : undefined
    }
    const others = known.filter((other) =>
      !(other.connection !== undefined && other.connection.user === one.connection?.user ||
        other.owned !== undefined && other.owned === one.owned)
    )
    if (others.length >= maxIgnored) return yield* broadcaster.reply(asker, { _tag: "IgnoreFull" })
    yield* broadcaster.shut(user, [...others, one])
    yield* broadcaster.reply(asker, { _tag: "Ignored", name: one.name })
    yield* homecoming.storeIgnored(visit)
  })

export const unignore = ({ broadcaster, homecoming }: Shared, visit: Visit, name: string) =>
  Effect.gen(function*() {
    const { asker, user } = visit
    let holder: Online | undefined
    yield* broadcaster.askAndWait(asker, (world) => {
      holder = Option.getOrUndefined(World.holder(world, name))
      return {}
    })
    const key = name.length > longestName ? undefined : nameKey(name)
    const known = user.ignores ?? []
    // By the name that it had then, or has now.
    const isMeant = (one: typeof known[number]) =>
      key !== undefined && (nameKey(one.name) === key || one.owned === key) ||
      one.connection !== undefined && one.connection.user === holder?.user
    const meant = known.find(isMeant)
    if (meant === undefined) return yield* broadcaster.reply(asker, { _tag: "NoSuchUser" })
    const others = known.filter((one) => !isMeant(one))
    yield* broadcaster.shut(user, others.length === 0 ? undefined : others)
    yield* broadcaster.reply(asker, { _tag: "Unignored", name: meant.name })
    yield* homecoming.storeIgnored(visit)
  })
