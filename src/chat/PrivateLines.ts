/** Private lines: to somebody who is here at once, or by its node; to an owner who is not into its mailbox. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Nonce, Online, Who } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { longestName, nameKey } from "../domain/Name.ts"
import * as Nonces from "../domain/Nonces.ts"
import { terminalSafe } from "../domain/Text.ts"
import * as World from "../domain/World.ts"
import { OtherNodes } from "../log/OtherNodes.ts"
import type { Command } from "../wire/Command.ts"
import { Addresses } from "./Addresses.ts"
import { Broadcaster } from "./Broadcaster.ts"
import type { Answer } from "./Entry.ts"
import { Mailbox } from "./Mailbox.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { asOwned, Records } from "./Records.ts"
import type { Visit } from "./Visit.ts"

type Tell = Extract<Command, { readonly _tag: "Tell" }>

// To guess at names costs as much as to take one.
const guessLines = 5

const makeShared = Effect.gen(function*() {
  return {
    addresses: yield* Addresses,
    broadcaster: yield* Broadcaster,
    clock: yield* Effect.clock,
    mailbox: yield* Mailbox,
    others: yield* OtherNodes,
    online: yield* OnlineMap,
    records: yield* Records,
    /** What is on its way to somebody at another node. */
    sending: new Set<Nonce>()
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

/** What carries out such a line. */
export const make = Effect.map(makeShared, (shared) => {
  shared.others.onLetter(({ by, from, name, text, to }) =>
    shared.broadcaster.whisper(to, by, { _tag: "Private", from, to: name, text })
  )
  return (visit: Visit, command: Tell): Effect.Effect<void> =>
    Effect.flatMap(shared.online, (world) => {
      const { name, nonce, text } = command
      const { broadcaster, clock, others } = shared
      if (World.isMuted(world, visit.user.id, clock.unsafeCurrentTimeMillis())) {
        return broadcaster.reply(visit.asker, { _tag: "Muted" })
      }
      if (name === "") return broadcaster.reply(visit.asker, { _tag: "TellMalformed" })
      const to = World.holder(world, name)
      // Only what may have to be kept, or goes to another node, is waited for.
      if (Option.isNone(to) && !World.isOwned(world, name)) return tell(shared, visit, command)
      if (Option.isSome(to) && !others.isOther(to.value.node)) return tell(shared, visit, command)
      if (text.trim() === "") return broadcaster.reply(visit.asker, { _tag: "TellEmpty" })
      const from = visit.user.who
      if (from === undefined) return Effect.void
      const known = nonce && Nonces.find(world.nonces, nonce, clock.unsafeCurrentTimeMillis())
      if (known && Option.isSome(known)) return broadcaster.reply(visit.asker, { _tag: "Done", seq: known.value })
      return Option.match(to, {
        onNone: () => keep(shared, visit, command, from),
        onSome: (to) => send(shared, visit, command, from, to)
      })
    })
})

const tell = (shared: Shared, visit: Visit, command: Tell) => {
  const { name, nonce, text } = command
  const { asker, user: { id, who } } = visit
  // Nobody has a name that is longer, and its key may be too long for a record.
  const isSaid = nonce !== undefined && who !== undefined && text.trim() !== "" && name.length <= longestName
  return shared.broadcaster.ask(
    asker,
    (world) => answerOf(shared, world, visit, command),
    isSaid ? { _tag: "Told", user: id, who, nonce, to: nameKey(name) } : undefined
  )
}

const answerOf = ({ clock, others }: Shared, world: World.World, visit: Visit, { name, text }: Tell): Answer => {
  const { user } = visit
  if (World.isMuted(world, user.id, clock.unsafeCurrentTimeMillis())) return { reply: { _tag: "Muted" } }
  const to = Option.getOrUndefined(World.holder(world, name))
  if (to === undefined || user.who === undefined) {
    visit.pay(monotonic(clock), guessLines - 1)
    return { reply: { _tag: "NoSuchUser" } }
  }
  if (text.trim() === "") return { reply: { _tag: "TellEmpty" } }
  // It was taken on another node just now.
  return others.isOther(to.node) ? unreachable(to) : delivered(user.who, to, text)
}

const unreachable = ({ who }: Online): Answer => ({ reply: { _tag: "Unreachable", name: who.name } })

/** To somebody who is connected to another node. What is on its way there is not sent once more. */
const send = (shared: Shared, visit: Visit, command: Tell, from: Who, to: Online) => {
  const { broadcaster, sending } = shared
  const { nonce } = command
  if (nonce === undefined) return deliver(shared, visit, command, from, to)
  if (sending.has(nonce)) return broadcaster.reply(visit.asker, { _tag: "Busy" })
  return Effect.acquireUseRelease(
    Effect.sync(() => sending.add(nonce)),
    () => deliver(shared, visit, command, from, to),
    () => Effect.sync(() => sending.delete(nonce))
  )
}

const deliver = (shared: Shared, visit: Visit, { nonce, text }: Tell, from: Who, to: Online) =>
  Effect.gen(function*() {
    const { broadcaster, others } = shared
    const { asker, user } = visit
    const letter = { by: user.id, from, to: to.user, name: to.who.name, text: terminalSafe(text) }
    const answer = yield* Effect.match(others.tell(to.node, letter), {
      onFailure: () => unreachable(to),
      onSuccess: (isTold): Answer => isTold ? copyOf(from, to, text) : { reply: { _tag: "NoSuchUser" } }
    })
    // In this order: whoever sends again what it got no answer to is not told that it arrived when it did not.
    if (nonce !== undefined && answer.copy !== undefined) {
      yield* broadcaster.carry({ _tag: "Told", user: user.id, who: from, nonce, to: undefined })
    }
    yield* broadcaster.askAndWait(asker, () => answer)
  })

const delivered = (from: Who, to: Online, text: string): Answer => ({
  private: { to: to.user, output: { _tag: "Private", from, to: to.who.name, text } },
  ...copyOf(from, to, text)
})

const copyOf = (from: Who, { who }: Online, text: string): Answer => ({
  copy: { _tag: "Wrote", from, to: who.name, text },
  reply: { _tag: "Delivered", to: who.name, kept: false }
})

const keep = (shared: Shared, visit: Visit, { name, nonce, text }: Tell, from: Who): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { addresses, broadcaster, clock, mailbox, records } = shared
    const { asker, user } = visit
    const at = clock.unsafeCurrentTimeMillis()
    const to = yield* asOwned(records, name)
    const message = { from, to, text: terminalSafe(text), at, origin: addresses.kept(user.peer) }
    const kept = yield* mailbox.keep(nameKey(name), message, nonce)
    if (kept === "busy") return yield* broadcaster.reply(asker, { _tag: "Busy" })
    if (kept === "full") return yield* broadcaster.reply(asker, { _tag: "MailboxFull", name: to })
    // In this order: whoever sends again what it got no answer to finds it in the box.
    if (nonce !== undefined) yield* broadcaster.carry({ _tag: "Told", user: user.id, who: from, nonce, to: undefined })
    let isHere = false
    yield* broadcaster.askAndWait(asker, (world) => {
      const owner = Option.filter(World.holder(world, name), ({ user }) => World.ownsItsName(world, user))
      // Its owner may have come meanwhile, and been handed over what was there before.
      isHere = Option.isSome(owner)
      return Option.isSome(owner)
        ? delivered(from, owner.value, text)
        : { copy: { _tag: "Wrote", from, to, text }, reply: { _tag: "Delivered", to, kept: true } }
    })
    if (isHere) yield* mailbox.remove([kept.key])
  }).pipe(
    Effect.catchAll(({ message }) =>
      Effect.zipRight(Effect.logError(message), shared.broadcaster.reply(visit.asker, { _tag: "Busy" }))
    )
  )
