/** Who is online, and under which name. Every change is one step that says what happened; there is no lock. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Ref from "effect/Ref"
import * as SortedMap from "effect/SortedMap"
import { longestName, Name, type NameKey, nameKey, NameTaken, NoSuchUser } from "../domain/Name.ts"
import type { User } from "./User.ts"

/** A name and its holder. */
export interface Online {
  readonly name: Name
  readonly user: User
}

/** Who is online, by name and in order of arrival. */
interface World {
  readonly byName: HashMap.HashMap<NameKey, Online>
  readonly byArrival: SortedMap.SortedMap<User["id"], Online>
}

const nobody: World = { byName: HashMap.empty(), byArrival: SortedMap.empty(Order.number) }

const without = ({ byArrival, byName }: World, user: User): World => ({
  byName: HashMap.remove(byName, nameKey(user.name)),
  byArrival: SortedMap.remove(byArrival, user.id)
})

export class OnlineMap extends Context.Tag("tellnet/OnlineMap")<OnlineMap, {
  /**
   * Lets the user hold its first name: the one it comes with, followed by `#2` and so on where somebody holds that, as
   * can be when one address comes in through two doors. Undone by `release`.
   */
  readonly claim: (user: User) => Effect.Effect<void>
  /** Lets the user hold another name instead of its own. Its own, or one with the same key, is always granted. */
  readonly rename: (user: User, name: Name) => Effect.Effect<void, NameTaken>
  /** Frees the name that the user holds, whatever it is by now. */
  readonly release: (user: User) => Effect.Effect<void>
  /** The user whose name has the same key as `name`. */
  readonly find: (name: string) => Effect.Effect<User, NoSuchUser>
  /** Everyone, in order of arrival. The same array until something changes. */
  readonly list: Effect.Effect<ReadonlyArray<Online>>
  readonly size: Effect.Effect<number>
}>() {
  static readonly layer = Layer.effect(
    OnlineMap,
    Effect.map(Ref.make(nobody), (ref) => {
      /** Holds `name`, where nobody else does, instead of the name that the user holds. */
      const take = (user: User, name: Name) =>
        Ref.modify(ref, (world): readonly [Effect.Effect<void, NameTaken>, World] => {
          const key = nameKey(name)
          const holder = HashMap.get(world.byName, key)
          if (Option.isSome(holder) && holder.value.user !== user) return [Effect.fail(new NameTaken({ name })), world]
          const { byArrival, byName } = isOnline(world, user) ? without(world, user) : world
          const online = { name, user }
          return [Effect.void, {
            byName: HashMap.set(byName, key, online),
            byArrival: SortedMap.set(byArrival, user.id, online)
          }]
        }).pipe(
          Effect.flatten,
          // The user knows its name so that `release` finds it: not to be cut off from the step above.
          Effect.tap(() =>
            Effect.sync(() => {
              user.name = name
            })
          ),
          Effect.uninterruptible
        )
      let listed: { readonly of: World; readonly list: ReadonlyArray<Online> } | undefined
      return {
        claim: (user) => {
          const first = user.name
          const attempt = (n: number): Effect.Effect<void> =>
            Effect.catchAll(take(user, n === 1 ? first : Name(`${first}#${n}`)), () => attempt(n + 1))
          return attempt(1)
        },
        rename: take,
        release: (user) => Ref.update(ref, (world) => isOnline(world, user) ? without(world, user) : world),
        find: (name) =>
          Effect.flatMap(
            Ref.get(ref),
            ({ byName }) =>
              Option.match(name.length > longestName ? Option.none() : HashMap.get(byName, nameKey(name)), {
                onNone: () => Effect.fail(new NoSuchUser({ name })),
                onSome: ({ user }) => Effect.succeed(user)
              })
          ),
        list: Effect.map(Ref.get(ref), (world) => {
          if (listed?.of !== world) listed = { of: world, list: Array.from(SortedMap.values(world.byArrival)) }
          return listed.list
        }),
        size: Effect.map(Ref.get(ref), ({ byName }) => HashMap.size(byName))
      }
    })
  )
}

const isOnline = ({ byArrival }: World, { id }: User): boolean => SortedMap.has(byArrival, id)
