/**
 * What an owner finds when it takes its name: whom it ignores, what was written to it, how much was said meanwhile; and what is
 * stored when it goes. Knows no secret and no socket.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Seq } from "../domain/Event.ts"
import { type Name, NameKey, nameKey } from "../domain/Name.ts"
import type { Room } from "../domain/Room.ts"
import { MessageLog } from "../log/MessageLog.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import { Broadcaster } from "./Broadcaster.ts"
import type { Pages } from "./Entry.ts"
import { hides, type Ignores, maxIgnored } from "./Ignores.ts"
import { LastSeen } from "./LastSeen.ts"
import { Mailbox } from "./Mailbox.ts"
import { OwnedNames } from "./OwnedNames.ts"
import { Records } from "./Records.ts"
import type { User } from "./User.ts"
import type { Missed, Visit } from "./Visit.ts"

/** So many lines are counted, and shown, of what was missed. */
export const mostMissed = 1000

const makeShared = Effect.gen(function*() {
  return {
    broadcaster: yield* Broadcaster,
    lastSeen: yield* LastSeen,
    log: yield* MessageLog,
    mailbox: yield* Mailbox,
    names: yield* OwnedNames,
    records: yield* Records
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

export const make = Effect.map(makeShared, (shared) => ({
  /** The user has taken a name that it owns, at this place. Waits until all that is told of it was handed over. */
  come: (visit: Visit, name: Name, seq: Seq) => come(shared, visit, name, seq),
  /** The owner comes to another room, at this place. */
  enter: (visit: Visit, room: Room, seq: Seq) =>
    Effect.suspend(() => {
      const { owning, user } = visit
      if (owning === undefined) return Effect.void
      owning.missed = missedIn(visit, room, seq)
      return owning.missed === undefined ? shared.lastSeen.mark(owning.key, user.channel, room.key, seq) : Effect.void
    }),
  /** It has this name no more, or goes. `isOver`: it does not own it any more, and nothing is stored. */
  go: (visit: Visit, isOver = false) => go(shared, visit, isOver),
  /** It was heard of: what it was handed over is deleted, if it has taken that. */
  heard: (visit: Visit) => heard(shared, visit),
  /** Stores whom it ignores, as far as those have names with owners. */
  storeIgnored: (visit: Visit) => storeIgnored(shared, visit)
}))

const come = (shared: Shared, visit: Visit, name: Name, seq: Seq) =>
  Effect.gen(function*() {
    const { broadcaster, lastSeen, log } = shared
    const { user } = visit
    const key = nameKey(name)
    // Taken again by the same connection: it has all that goes with it.
    if (visit.owning?.key === key || user.circle === undefined) return
    yield* go(shared, visit, false)
    const { room } = user.circle
    const missed = yield* Effect.uninterruptible(Effect.map(lastSeen.begin(key, user.channel), (seen) => {
      visit.owning = { key, seen, missed: undefined, handedOver: undefined }
      return visit.owning.missed = missedIn(visit, room, seq)
    }))
    yield* orLog(restoreIgnored(shared, user, key))
    yield* orLog(handOver(shared, visit))
    // Whoever has been nowhere before begins here, also if it is gone before it reads anything.
    if (missed === undefined) return yield* lastSeen.mark(key, user.channel, room.key, seq)
    const lines = yield* orLog(log.count(room.key, missed.from, missed.before, mostMissed + 1))
    if (lines === undefined) return
    if (lines === 0) return user.channel.seen?.pass(room.key, missed.before)
    const isAll = lines <= mostMissed
    yield* broadcaster.inform(user, { _tag: "Away", lines: Math.min(lines, mostMissed), isAll })
  })

/** What cannot be read now is not told; the name is taken all the same. */
const orLog = <A, E extends { readonly message: string }>(self: Effect.Effect<A, E>): Effect.Effect<A | undefined> =>
  Effect.catchAll(self, ({ message }) => Effect.as(Effect.logError(message), undefined))

/** These pages of what was missed; once all of them were taken, it is missed no more. */
export const untilTaken = (visit: Visit, { key }: Room, { before }: Missed, pages: Pages): Pages => {
  const { owning, user } = visit
  let isWhole = false
  const taken = Effect.map(user.channel.allTaken, (isTaken) => {
    // Since it asked it may have gone, or gone by another name.
    if (isTaken && visit.owning === owning) user.channel.seen?.pass(key, before)
    return undefined
  })
  return Effect.flatMap(pages, (page): Pages => {
    // Where lines cannot be read there is another end.
    isWhole ||= page?._tag === "PastEnd"
    return page === undefined && isWhole ? taken : Effect.succeed(page)
  })
}

const missedIn = ({ owning, user }: Visit, { key }: Room, seq: Seq) => {
  const seen = user.channel.seen?.get(key) ?? owning?.seen.get(key)
  return seen === undefined ? undefined : { from: Seq(seen + 1), before: seq }
}

const handOver = ({ broadcaster, mailbox }: Shared, visit: Visit): Effect.Effect<void, RegistryFailed> =>
  Effect.gen(function*() {
    const { owning, user } = visit
    const kept = yield* mailbox.list(owning?.key ?? nameKey(""))
    if (kept.length === 0 || owning === undefined) return
    // Whoever is ignored has written in vain.
    const pages = kept.filter(({ value }) => !hides(user.ignores, value.from))
      .map(({ value: { at, from, text, to } }) => ({ _tag: "Kept", from, to, text, at }) as const)
    let next = 0
    const taken = Effect.map(user.channel.allTaken, (isTaken) => {
      if (isTaken) owning.handedOver = kept.map(({ key }) => key)
      return undefined
    })
    const messages: Pages = Effect.suspend((): Pages => {
      const page = pages[next++]
      return page === undefined ? taken : Effect.succeed(page)
    })
    yield* broadcaster.stream({ user, id: undefined }, () => messages, () => 0)
  })

const restoreIgnored = ({ broadcaster, records }: Shared, user: User, key: NameKey) =>
  Effect.gen(function*() {
    const kept = yield* records.ignored.get(key)
    const known = user.ignores ?? []
    const more = Option.match(kept, { onNone: () => [], onSome: ({ value }) => value })
      .filter((one) => !known.some(({ owned }) => owned === one.key))
      .map(({ key, name }) => ({ name, connection: undefined, owned: NameKey(key) }))
    const ignores: Ignores = [...known, ...more].slice(0, maxIgnored)
    if (more.length > 0) yield* broadcaster.shut(user, ignores)
  })

const storeIgnored = ({ records }: Shared, { owning, user }: Visit) =>
  owning === undefined ? Effect.void : orLog(
    records.ignored.update(owning.key, () =>
      (user.ignores ?? []).flatMap(({ name, owned }) => owned === undefined ? [] : [{ name, key: owned }]))
  )

const go = ({ lastSeen, names }: Shared, visit: Visit, isOver: boolean) =>
  Effect.suspend(() => {
    const { owning, user } = visit
    if (owning === undefined) return Effect.void
    visit.owning = undefined
    return Effect.zipRight(
      lastSeen.end(owning.key, user.channel, isOver),
      isOver ? Effect.void : names.touch(owning.key)
    )
  })

const heard = ({ mailbox }: Shared, { owning }: Visit) =>
  Effect.suspend(() => {
    const keys = owning?.handedOver
    if (owning === undefined || keys === undefined) return Effect.void
    owning.handedOver = undefined
    return Effect.asVoid(orLog(mailbox.remove(keys)))
  })
