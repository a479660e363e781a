/**
 * Whose the names are. The registry keeps a hash of each secret; that a name has an owner is in the fold: see `World.ts`. Knows
 * no command and no wording.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { originOf } from "../domain/Address.ts"
import { monotonic } from "../domain/monotonic.ts"
import { type Name, type NameKey, nameKey } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import * as World from "../domain/World.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Broadcaster } from "./Broadcaster.ts"
import type { Verdict } from "./Entry.ts"
import * as KeptRules from "./KeptRules.ts"
import { Mailbox } from "./Mailbox.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { day, hour, Quota } from "./Quota.ts"
import { Records } from "./Records.ts"
import * as Secret from "./Secret.ts"
import type { User } from "./User.ts"

/** Wrong secrets of one network in an hour: for one name, and in all. Beyond that nothing is even hashed. */
export const wrongOfName = 10
export const wrongInAll = 30

/** So many names one network may come to own in a day. */
export const newOfNetwork = 5

/** So many hashes are made at once, so many wait, and so many of one network. */
export const hashesAtOnce = 2
export const hashesWaiting = 32
export const hashesOfNetwork = 2

export class OwnedNames extends Context.Tag("tellnet/OwnedNames")<OwnedNames, {
  /**
   * Takes a name with its secret: away from whoever holds it, if the user is its owner by that; as a new owner, if it has none.
   * Waits until that was handed to everybody's channels.
   */
  readonly take: (user: User, name: Name, secret: Secret.Secret) => Effect.Effect<Verdict>
  /** Changes the secret of the name that the user holds. Gives what it is told. */
  readonly change: (user: User, secret: Secret.Secret) => Effect.Effect<Output>
  /** Makes the name that the user holds nobody's; with all that is kept for its owner. Gives what it is told. */
  readonly disown: (user: User) => Effect.Effect<Output>
  /** The same for any name, by an operator; `false`: it has no owner. Whoever holds it keeps it. */
  readonly release: (name: string) => Effect.Effect<boolean, RegistryFailed>
  /** Notes that the owner had this name until now. */
  readonly touch: (key: NameKey) => Effect.Effect<void>
  /** Frees the names that were not used for too long, once an hour. Does not end. */
  readonly expiring: Effect.Effect<never>
}>() {
  static readonly layer = Layer.effect(OwnedNames, Effect.suspend(() => make))
}

const busy: Output = { _tag: "Busy" }
const refused = (refusal: Output): Verdict => ({ refusal, seq: undefined })

const makeShared = Effect.gen(function*() {
  const { maxOwned, nameTtl } = yield* ServerConfig
  return {
    maxOwned,
    nameTtl: Duration.toMillis(nameTtl),
    broadcaster: yield* Broadcaster,
    records: yield* Records,
    mailbox: yield* Mailbox,
    online: yield* OnlineMap,
    clock: yield* Effect.clock,
    hashing: yield* Effect.makeSemaphore(hashesAtOnce),
    waiting: new Map<string, number>(),
    waitingInAll: 0,
    wrongOfName: new Quota(wrongOfName, hour),
    wrongInAll: new Quota(wrongInAll, hour),
    fresh: new Quota(newOfNetwork, day),
    changing: yield* Effect.makeSemaphore(1)
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

const make = Effect.gen(function*() {
  const shared = yield* makeShared
  return OwnedNames.of({
    take: (user, name, secret) =>
      Effect.catchTag(take(shared, user, name, secret), "RegistryFailed", failed(refused(busy))),
    change: (user, secret) => Effect.catchTag(change(shared, user, secret), "RegistryFailed", failed(busy)),
    disown: (user) => Effect.catchTag(alone(shared, disown(shared, user)), "RegistryFailed", failed(busy)),
    release: (name) => alone(shared, release(shared, name)),
    touch: (key) => Effect.catchTag(touch(shared, key), "RegistryFailed", failed(undefined)),
    expiring: Effect.zipRight(
      Effect.repeat(
        Effect.catchTag(expire(shared), "RegistryFailed", failed(undefined)),
        Schedule.spaced(Duration.hours(1))
      ),
      Effect.never
    )
  })
})

/** What the registry has and what the fold has are changed together, whoever goes meanwhile. */
const alone = <A, E>({ changing }: Shared, self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  changing.withPermits(1)(Effect.uninterruptible(self))

const failed = <A>(instead: A) => ({ message }: RegistryFailed) => Effect.as(Effect.logError(message), instead)

const keyOf = ({ who }: User): NameKey | undefined => who && nameKey(who.name)

const take = (shared: Shared, user: User, name: Name, secret: Secret.Secret) =>
  Effect.gen(function*() {
    const owner = yield* shared.records.owners.get(nameKey(name))
    return yield* Option.match(owner, {
      onNone: () => becomeOwner(shared, user, name, secret),
      onSome: ({ value }) => prove(shared, user, name, secret, value)
    })
  })

const prove = (shared: Shared, user: User, name: Name, secret: Secret.Secret, hashed: Secret.Hashed) =>
  Effect.gen(function*() {
    const { broadcaster, clock } = shared
    const origin = originOf(user.peer)
    const both = `${origin} ${nameKey(name)}`
    const mayTry = () =>
      shared.wrongOfName.isOpen(both, monotonic(clock)) && shared.wrongInAll.isOpen(origin, monotonic(clock))
    if (!mayTry()) return refused(busy)
    const right = yield* hashingFor(shared, origin, Secret.matches(secret, hashed))
    // Others of this network may have tried meanwhile.
    if (right === undefined || !mayTry()) return refused(busy)
    if (!right) {
      shared.wrongOfName.take(both, monotonic(clock))
      shared.wrongInAll.take(origin, monotonic(clock))
      return refused({ _tag: "WrongSecret" })
    }
    return yield* alone(
      shared,
      Effect.gen(function*() {
        // It may have changed hands while this was hashed.
        const still = yield* shared.records.owners.get(nameKey(name))
        if (!Option.exists(still, ({ value }) => value.hash === hashed.hash)) return refused(busy)
        yield* touch(shared, nameKey(name))
        return yield* broadcaster.attempt(user, { _tag: "Renamed", user: user.id, name, as: "owner" })
      })
    )
  })

const becomeOwner = (shared: Shared, user: User, name: Name, secret: Secret.Secret) =>
  Effect.gen(function*() {
    const { broadcaster, clock, fresh, online, records } = shared
    const origin = originOf(user.peer)
    const key = nameKey(name)
    const world = yield* online
    if (Option.exists(World.holder(world, name), (holder) => holder.user !== user.id)) {
      return refused({ _tag: "NameTaken" })
    }
    if (yield* isFull(shared, origin)) return refused({ _tag: "TooManyNames" })
    const hashed = yield* hashingFor(shared, origin, Secret.hash(secret))
    if (hashed === undefined) return refused(busy)
    return yield* alone(
      shared,
      Effect.gen(function*() {
        if (yield* isFull(shared, origin)) return refused({ _tag: "TooManyNames" })
        // Somebody was first, perhaps with the same secret: the next try will show.
        if (Option.isSome(yield* records.owners.get(key))) return refused(busy)
        // Nothing of an owner before is this one's.
        yield* forget(shared, key)
        const usedAt = clock.unsafeCurrentTimeMillis()
        if (!(yield* records.owners.create(key, { name, ...hashed, usedAt }))) return refused(busy)
        const verdict = yield* broadcaster.attempt(user, { _tag: "Renamed", user: user.id, name, as: "new owner" })
        if (verdict.refusal === undefined) fresh.take(origin, monotonic(clock))
        else yield* records.owners.remove(key)
        return verdict
      })
    )
  })

const isFull = ({ clock, fresh, maxOwned, online }: Shared, origin: string) =>
  Effect.map(online, ({ owned }) => HashSet.size(owned) >= maxOwned || !fresh.isOpen(origin, monotonic(clock)))

/**
 * Makes or checks a hash, in turn; `undefined`: too many wait. No thread stops in the middle of one: whoever is interrupted does
 * not wait for it, but what it has of the limits is held until it is done. Whose turn has not come gives its place back at once.
 */
const hashingFor = <A>(shared: Shared, origin: string, self: Effect.Effect<A>): Effect.Effect<A | undefined> =>
  Effect.disconnect(
    Effect.acquireUseRelease(
      Effect.sync(() => takePlace(shared, origin)),
      (isFree) => isFree ? shared.hashing.withPermits(1)(Effect.uninterruptible(self)) : Effect.succeed(undefined),
      (isFree) => Effect.sync(() => isFree ? leavePlace(shared, origin) : undefined)
    )
  )

const takePlace = (shared: Shared, origin: string): boolean => {
  const own = shared.waiting.get(origin) ?? 0
  if (own >= hashesOfNetwork || shared.waitingInAll >= hashesWaiting) return false
  shared.waiting.set(origin, own + 1)
  shared.waitingInAll++
  return true
}

const leavePlace = (shared: Shared, origin: string): void => {
  shared.waitingInAll--
  const left = (shared.waiting.get(origin) ?? 1) - 1
  if (left > 0) shared.waiting.set(origin, left)
  else shared.waiting.delete(origin)
}

const change = (shared: Shared, user: User, secret: Secret.Secret) =>
  Effect.gen(function*() {
    const key = keyOf(user)
    const notOwner: Output = { _tag: "NotOwner", name: user.who?.name ?? "" }
    if (key === undefined || !World.ownsItsName(yield* shared.online, user.id)) return notOwner
    const hashed = yield* hashingFor(shared, originOf(user.peer), Secret.hash(secret))
    if (hashed === undefined) return busy
    return yield* alone(
      shared,
      Effect.gen(function*() {
        // Somebody else may have taken it over while this was hashed.
        if (!World.ownsItsName(yield* shared.online, user.id) || keyOf(user) !== key) return notOwner
        const usedAt = shared.clock.unsafeCurrentTimeMillis()
        const done = yield* shared.records.owners.update(key, (owner) => ({
          name: Option.match(owner, { onNone: () => user.who?.name ?? "", onSome: ({ name }) => name }),
          ...hashed,
          usedAt
        }))
        return done ? { _tag: "SecretChanged" } as const : busy
      })
    )
  })

const disown = (shared: Shared, user: User) =>
  Effect.gen(function*() {
    const key = keyOf(user)
    const name = user.who?.name ?? ""
    if (key === undefined || !World.ownsItsName(yield* shared.online, user.id)) {
      return { _tag: "NotOwner", name } as const
    }
    yield* free(shared, key)
    return { _tag: "Disowned", name } as const
  })

const release = (shared: Shared, name: string) =>
  Effect.gen(function*() {
    if (!World.isOwned(yield* shared.online, name)) return false
    yield* free(shared, nameKey(name))
    return true
  })

/** In this order: a process that is killed in between leaves a name that still has its owner. */
const free = (shared: Shared, key: NameKey) =>
  Effect.gen(function*() {
    yield* forget(shared, key)
    yield* shared.records.owners.remove(key)
    yield* shared.broadcaster.carry({ _tag: "Disowned", key })
  })

const forget = ({ mailbox, records }: Shared, key: NameKey) =>
  Effect.all([
    mailbox.clear(key),
    records.seen.remove(key),
    records.ignored.remove(key),
    KeptRules.forget(records, key)
  ], { discard: true })

const touch = ({ clock, nameTtl, records }: Shared, key: NameKey) =>
  Effect.gen(function*() {
    const now = clock.unsafeCurrentTimeMillis()
    const owner = yield* records.owners.get(key)
    // Not at each visit: so much more or less makes no difference.
    if (Option.exists(owner, ({ value }) => now - value.usedAt > Math.min(day, nameTtl / 10))) {
      yield* records.owners.update(key, (owner) => ({ ...Option.getOrThrow(owner), usedAt: now }))
    }
  })

const expire = (shared: Shared) =>
  Effect.gen(function*() {
    const { clock, nameTtl, online, records } = shared
    const now = clock.unsafeCurrentTimeMillis()
    const isOld = (usedAt: number) => now - usedAt >= nameTtl
    for (const { key, value } of yield* records.owners.list()) {
      if (!isOld(value.usedAt)) continue
      yield* alone(
        shared,
        Effect.gen(function*() {
          // It may have been taken meanwhile.
          const still = Option.exists(yield* records.owners.get(key), ({ value }) => isOld(value.usedAt))
          if (!still || Option.isSome(World.holder(yield* online, value.name))) return
          yield* free(shared, nameKey(value.name))
          yield* Effect.logInfo(`the name ${key} was not used for too long, and is free again`)
        })
      )
    }
  })
