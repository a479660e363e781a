/** Who is online, and under which name. Every change is one step that says what happened; there is no lock. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { longestName, Name, type NameKey, nameKey, NameTaken, NoSuchUser } from "./Domain.ts"
import type { User } from "./User.ts"

/** A name and its holder. */
export interface Online {
  readonly name: Name
  readonly user: User
}

type Names = HashMap.HashMap<NameKey, Online>

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
    Effect.map(Ref.make(HashMap.empty<NameKey, Online>()), (ref) => {
      /** Holds `name`, where nobody else does; and gives up `before`. */
      const take = (user: User, name: Name, before: Option.Option<Name>) =>
        Ref.modify(ref, (online): readonly [Effect.Effect<void, NameTaken>, Names] => {
          const key = nameKey(name)
          const holder = HashMap.get(online, key)
          if (Option.isSome(holder) && holder.value.user !== user) return [Effect.fail(new NameTaken({ name })), online]
          const rest = Option.match(before, {
            onNone: () => online,
            onSome: (name) => HashMap.remove(online, nameKey(name))
          })
          return [Effect.void, HashMap.set(rest, key, { name, user })]
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
      let listed: { readonly of: Names; readonly list: ReadonlyArray<Online> } | undefined
      return {
        claim: (user) => {
          const first = user.name
          const attempt = (n: number): Effect.Effect<void> =>
            Effect.catchAll(
              take(user, n === 1 ? first : Name.make(`${first}#${n}`), Option.none()),
              () => attempt(n + 1)
            )
          return attempt(1)
        },
        rename: (user, name) => Effect.suspend(() => take(user, name, Option.some(user.name))),
        release: (user) =>
          Ref.update(ref, (online) => {
            const key = nameKey(user.name)
            return Option.exists(HashMap.get(online, key), (holder) => holder.user === user)
              ? HashMap.remove(online, key)
              : online
          }),
        find: (name) =>
          Effect.flatMap(
            Ref.get(ref),
            (online) =>
              Option.match(name.length > longestName ? Option.none() : HashMap.get(online, nameKey(name)), {
                onNone: () => Effect.fail(new NoSuchUser({ name })),
                onSome: ({ user }) => Effect.succeed(user)
              })
          ),
        list: Effect.map(Ref.get(ref), (online) => {
          if (listed?.of !== online) {
            listed = { of: online, list: Array.from(HashMap.values(online)).toSorted((a, b) => a.user.id - b.user.id) }
          }
          return listed.list
        }),
        size: Effect.map(Ref.get(ref), HashMap.size)
      }
    })
  )
}
