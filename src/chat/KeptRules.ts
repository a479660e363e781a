/** Bans and mutes in the registry, so that they hold over a restart of all. The lock is not kept. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { NameKey } from "../domain/Name.ts"
import * as Rules from "../domain/Rules.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import type { Records, Store } from "./Records.ts"

type Kept = Pick<typeof Records.Service, "bans" | "mutes">

const storeOf = ({ bans, mutes }: Kept, kind: Rules.Kind): Store<Rules.Rule> => kind === "ban" ? bans : mutes

/** `false`: others changed it at the same time, again and again. */
export const set = (records: Kept, kind: Rules.Kind, rules: ReadonlyArray<Rules.Rule>) =>
  Effect.map(
    Effect.forEach(rules, (rule) => storeOf(records, kind).update(Rules.idOf(rule.whom), () => rule)),
    (done) => done.every(Boolean)
  )

export const lift = (records: Kept, kind: Rules.Kind, whom: ReadonlyArray<Rules.Whom>) =>
  Effect.forEach(whom, (whom) => storeOf(records, kind).remove(Rules.idOf(whom)), { discard: true })

/** Nothing holds for the owner of this name any more. */
export const forget = (records: Kept, key: NameKey): Effect.Effect<void, RegistryFailed> => {
  const id = Rules.idOf({ _tag: "Name", key })
  return Effect.zipRight(records.bans.remove(id), records.mutes.remove(id))
}

/** All that hold still; those that have expired are swept. A name that nobody owns has none. */
export const load = (records: Kept, owned: ReadonlySet<NameKey>) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const living = (store: Store<Rules.Rule>) =>
      Effect.flatMap(store.list(), (all) =>
        Effect.map(
          Effect.filter(all, ({ key, value }) => {
            const holds = Rules.holds(value, now) && (value.whom._tag === "Network" || owned.has(value.whom.key))
            return holds ? Effect.succeed(true) : Effect.as(store.remove(key), false)
          }),
          (kept) => kept.map(({ value }) => value)
        ))
    return Rules.fromRules({ bans: yield* living(records.bans), mutes: yield* living(records.mutes), isLocked: false })
  })
