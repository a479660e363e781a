/** What operators may do, and how somebody becomes one. Each act is logged with who and whom. Knows no socket and no wording. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Net from "node:net"
import { originOf, plainIp } from "../domain/Address.ts"
import { monotonic } from "../domain/monotonic.ts"
import { longestName } from "../domain/Name.ts"
import * as Rules from "../domain/Rules.ts"
import { terminalSafe } from "../domain/Text.ts"
import type { Unreadable } from "../log/MessageLog.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import type { Command } from "../wire/Command.ts"
import type { OperatorCommand } from "../wire/OperatorCommand.ts"
import * as Operating from "./Operating.ts"
import { act, note, type Of, person, refuse, reply, type Shared } from "./Operating.ts"
import * as Ruling from "./Ruling.ts"
import type { Visit } from "./Visit.ts"

/** After so many wrong secrets a connection is closed. */
export const wrongOfConnection = 3

type Operate = Extract<Command, { readonly _tag: "Operate" }>

/** What carries out such a command; for whoever may not, there is none. */
export const make = Effect.map(
  Operating.make,
  (shared) => (visit: Visit, { act, command }: Operate): Effect.Effect<void> => {
    const { check, opPlain } = shared
    const isKnown = visit.isOperator || /^\/?op$/i.test(command) && check !== undefined && (visit.isSafe || opPlain)
    if (!isKnown) return reply(shared, visit, { _tag: "UnknownCommand", command })
    return Effect.catchAll(
      carryOut(shared, visit, act),
      ({ message }) => Effect.zipRight(Effect.logError(message), reply(shared, visit, { _tag: "Busy" }))
    )
  }
)

const carryOut = (
  shared: Shared,
  visit: Visit,
  act: OperatorCommand
): Effect.Effect<void, RegistryFailed | Unreadable> => {
  switch (act._tag) {
    case "Op":
      return op(shared, visit, act)
    case "Deop":
      return deop(shared, visit)
    case "Kick":
      return kick(shared, visit, act)
    case "Mute":
      return Ruling.mute(shared, visit, act)
    case "Unmute":
      return Ruling.unmute(shared, visit, act)
    case "Ban":
      return Ruling.ban(shared, visit, act)
    case "Unban":
      return Ruling.unban(shared, visit, act)
    case "Bans":
      return shared.broadcaster.ask(visit.asker, ({ rules }) => ({
        reply: { _tag: "Bans", bans: Rules.list(rules, "ban", shared.clock.unsafeCurrentTimeMillis()) }
      }))
    case "Lock":
      return Ruling.lock(shared, visit, true)
    case "Unlock":
      return Ruling.lock(shared, visit, false)
    case "Release":
      return release(shared, visit, act)
    case "Erase":
      return erase(shared, visit, act)
    case "Announce":
      return announce(shared, visit, act)
    case "Misused":
      return reply(shared, visit, { _tag: "Usage", usage: act.usage })
    case "Malformed":
      return reply(shared, visit, { _tag: "Malformed" })
  }
}

const op = (shared: Shared, visit: Visit, { secret }: Of<"Op">) =>
  Effect.gen(function*() {
    const { check, clock, wrong } = shared
    const { user } = visit
    const origin = originOf(user.peer)
    const now = monotonic(clock)
    if (!wrong.isOpen(origin, now)) return yield* reply(shared, visit, { _tag: "Busy" })
    if (check?.(secret) === true) {
      visit.isOperator = true
      yield* note(visit, "came")
      return yield* reply(shared, visit, { _tag: "IsOperator" })
    }
    wrong.take(origin, now)
    visit.wrongSecrets++
    yield* Effect.annotateLogs(Effect.logWarning("a wrong secret of operators"), "peer", user.peer)
    yield* reply(shared, visit, { _tag: "WrongSecret" })
    if (visit.wrongSecrets >= wrongOfConnection) user.end("removed")
  })

const deop = (shared: Shared, visit: Visit) =>
  Effect.gen(function*() {
    visit.isOperator = false
    yield* note(visit, "went")
    yield* reply(shared, visit, { _tag: "NoOperator" })
  })

const kick = (shared: Shared, visit: Visit, { name: text, reason: given }: Of<"Kick">) =>
  Effect.gen(function*() {
    const meant = yield* person(shared, text)
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, "/kick NAME [REASON]")
    const { name, online } = meant.right
    if (online === undefined) return yield* reply(shared, visit, { _tag: "NoSuchUser" })
    const reason = terminalSafe(given)
    yield* act(
      shared,
      visit,
      { _tag: "Removed", user: visit.user.id, visit: online.since, reason },
      { _tag: "WasRemoved", name },
      note(visit, "put somebody out", { whom: whole(online), reason })
    )
  })

const whole = ({ who: { address, name } }: { readonly who: { readonly address: string; readonly name: string } }) =>
  `[${address}]${name}`

const release = (shared: Shared, visit: Visit, { name: text }: Of<"Release">) =>
  Effect.gen(function*() {
    const meant = yield* person(shared, text)
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, "/release NAME")
    const name = meant.right.online?.who.name ?? meant.right.name
    if (!(yield* shared.names.release(name))) return yield* reply(shared, visit, { _tag: "NoSuchUser" })
    yield* note(visit, "released a name", { whom: name })
    yield* reply(shared, visit, { _tag: "WasReleased", name })
  })

const erase = (shared: Shared, visit: Visit, { duration, whose: text }: Of<"Erase">) =>
  Effect.gen(function*() {
    const { addresses, clock, log } = shared
    const isIp = Net.isIP(text) > 0
    const meant = yield* person(shared, text)
    // Whoever said it may be gone.
    const problem = isIp || Either.isRight(meant) || meant.left === "NoSuchUser" ? undefined : meant.left
    if (problem !== undefined) return yield* refuse(shared, visit, problem, "/erase NAME|IP [DURATION]")
    if (text.length > longestName) return yield* reply(shared, visit, { _tag: "NoSuchUser" })
    const from = clock.unsafeCurrentTimeMillis() - duration
    const whose = isIp ? addresses.since(plainIp(text), from) : [text]
    const erased = Effect.tap(
      log.erase({ whose, from }),
      (lines) => note(visit, `erased ${lines} ${lines === 1 ? "line" : "lines"}`, { whom: terminalSafe(text) })
    )
    // Half of it would be worse than all; a server that stops does not wait for it.
    const lines = yield* Effect.flatMap(Effect.forkDaemon(Effect.uninterruptible(erased)), Fiber.join)
    yield* reply(shared, visit, { _tag: "WasErased", lines })
  })

const announce = (shared: Shared, visit: Visit, { text }: Of<"Announce">) =>
  text.trim() === ""
    ? reply(shared, visit, { _tag: "TellEmpty" })
    : act(
      shared,
      visit,
      { _tag: "Announced", user: visit.user.id, text: terminalSafe(text) },
      { _tag: "Done" },
      note(visit, "announced something")
    )
