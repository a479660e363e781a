/** Private lines: to somebody who is here at once, to an owner who is not into its mailbox. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { originOf } from "../domain/Address.ts"
import type { Online, Who } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { nameKey } from "../domain/Name.ts"
import * as Nonces from "../domain/Nonces.ts"
import * as World from "../domain/World.ts"
import type { Command } from "../wire/Command.ts"
import { terminalSafe } from "../wire/Text.ts"
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
    broadcaster: yield* Broadcaster,
    clock: yield* Effect.clock,
    mailbox: yield* Mailbox,
    online: yield* OnlineMap,
    records: yield* Records
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

/** What carries out such a line. */
export const make = Effect.map(
  makeShared,
  (shared) => (visit: Visit, command: Tell): Effect.Effect<void> =>
    Effect.flatMap(shared.online, (world) => {
      const { name, text } = command
      const { broadcaster } = shared
      if (name === "") return broadcaster.reply(visit.asker, { _tag: "TellMalformed" })
      const isHere = Option.isSome(World.holder(world, name))
      // Only what may have to be kept is waited for.
      if (isHere || !World.isOwned(world, name)) return tell(shared, visit, command, isHere)
      return text.trim() === ""
        ? broadcaster.reply(visit.asker, { _tag: "TellEmpty" })
        : keep(shared, visit, command, world)
    })
)

const tell = ({ broadcaster, clock }: Shared, visit: Visit, command: Tell, isHere: boolean) => {
  const { name, nonce, text } = command
  const { asker, user: { id, who } } = visit
  const isSaid = isHere && nonce !== undefined && who !== undefined && text.trim() !== ""
  return broadcaster.ask(
    asker,
    (world) => answerOf(world, visit, command, () => visit.pay(monotonic(clock), guessLines - 1)),
    isSaid ? { _tag: "Told", user: id, who, nonce, to: nameKey(name) } : undefined
  )
}

const answerOf = (world: World.World, { user }: Visit, { name, text }: Tell, guessed: () => void): Answer => {
  const to = Option.getOrUndefined(World.holder(world, name))
  if (to === undefined || user.who === undefined) {
    guessed()
    return { reply: { _tag: "NoSuchUser" } }
  }
  return text.trim() === "" ? { reply: { _tag: "TellEmpty" } } : delivered(user.who, to, text)
}

const delivered = (from: Who, { user, who }: Online, text: string): Answer => ({
  private: { to: user, output: { _tag: "Private", from, to: who.name, text } },
  copy: { _tag: "Wrote", from, to: who.name, text },
  reply: { _tag: "Delivered", to: who.name, kept: false }
})

const keep = (shared: Shared, visit: Visit, { name, nonce, text }: Tell, world: World.World): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { broadcaster, clock, mailbox, records } = shared
    const { asker, user } = visit
    const from = user.who
    if (from === undefined) return
    const at = clock.unsafeCurrentTimeMillis()
    const seq = nonce && Option.getOrUndefined(Nonces.find(world.nonces, nonce, at))
    if (seq !== undefined) return yield* broadcaster.reply(asker, { _tag: "Done", seq })
    const to = yield* asOwned(records, name)
    const message = { from, to, text: terminalSafe(text), at, origin: originOf(user.address) }
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
