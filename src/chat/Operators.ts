/** What operators may do, and how somebody becomes one. Each act is logged with who and whom. Knows no socket and no wording. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Net from "node:net"
import { ipOf, originOf, plainIp } from "../domain/Address.ts"
import type { Event, Seq } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { longestName } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import * as Rules from "../domain/Rules.ts"
import { terminalSafe } from "../domain/Text.ts"
import { MessageLog, type Unreadable } from "../log/MessageLog.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { Command } from "../wire/Command.ts"
import type { OperatorCommand } from "../wire/OperatorCommand.ts"
import { Broadcaster } from "./Broadcaster.ts"
import * as KeptRules from "./KeptRules.ts"
import { OnlineMap } from "./OnlineMap.ts"
import * as OperatorSecret from "./OperatorSecret.ts"
import { OwnedNames } from "./OwnedNames.ts"
import { hour, Quota } from "./Quota.ts"
import { Records } from "./Records.ts"
import * as Targets from "./Targets.ts"
import { peerOf } from "./User.ts"
import type { Visit } from "./Visit.ts"

/** After so many wrong secrets a connection is closed; and so many of one network in an hour are looked at. */
export const wrongOfConnection = 3
export const wrongOfNetwork = 10

type Operate = Extract<Command, { readonly _tag: "Operate" }>
type Of<Tag extends OperatorCommand["_tag"]> = Extract<OperatorCommand, { readonly _tag: Tag }>

const makeShared = Effect.gen(function*() {
  const { opPlain, proxyProtocol, webProxy } = yield* ServerConfig
  return {
    broadcaster: yield* Broadcaster,
    check: yield* OperatorSecret.read,
    clock: yield* Effect.clock,
    log: yield* MessageLog,
    names: yield* OwnedNames,
    online: yield* OnlineMap,
    opPlain,
    proxies: [...Option.toArray(proxyProtocol), ...Option.toArray(webProxy)],
    records: yield* Records,
    /** What the registry has and what the fold has are changed together. */
    changing: yield* Effect.makeSemaphore(1),
    wrong: new Quota(wrongOfNetwork, hour)
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

/** What carries out such a command; for whoever may not, there is none. */
export const make = Effect.map(
  makeShared,
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
      return mute(shared, visit, act)
    case "Unmute":
      return unmute(shared, visit, act)
    case "Ban":
      return ban(shared, visit, act)
    case "Unban":
      return unban(shared, visit, act)
    case "Bans":
      return shared.broadcaster.ask(visit.asker, ({ rules }) => ({
        reply: { _tag: "Bans", bans: Rules.list(rules, "ban", shared.clock.unsafeCurrentTimeMillis()) }
      }))
    case "Lock":
      return lock(shared, visit, true)
    case "Unlock":
      return lock(shared, visit, false)
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

const reply = ({ broadcaster }: Shared, { asker }: Visit, output: Output) => broadcaster.reply(asker, output)

const refuse = (shared: Shared, visit: Visit, problem: Targets.Problem, usage: string) =>
  reply(shared, visit, problem === "Usage" ? { _tag: "Usage", usage } : { _tag: problem })

/** Logs what an operator has done. */
const note = ({ user }: Visit, what: string, fields: Readonly<Record<string, string>> = {}) =>
  Effect.annotateLogs(Effect.logInfo(`an operator ${what}`), {
    by: user.who?.name ?? "",
    peer: user.peer,
    ...fields
  })

/** Lets an event of an operator happen, and answers; `done` once it has. */
const act = (shared: Shared, visit: Visit, event: Event, answer: Output, done: Effect.Effect<void>) =>
  Effect.flatMap(
    shared.broadcaster.attempt(visit.user, event),
    ({ refusal }) =>
      Effect.zipRight(refusal === undefined ? done : Effect.void, reply(shared, visit, refusal ?? answer))
  )

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
    const meant = Targets.person(yield* shared.online, text)
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

/** Sets rules of one kind in the registry and in the fold, and answers. */
const set = (
  shared: Shared,
  visit: Visit,
  kind: Rules.Kind,
  wanted: Omit<Rules.Rule, "whom" | "by" | "until"> & {
    readonly whom: ReadonlyArray<Rules.Whom>
    readonly duration: number | undefined
    readonly visit: Seq | undefined
  }
) =>
  Effect.gen(function*() {
    const { clock, online, records } = shared
    const { duration, name, reason, whom } = wanted
    const now = clock.unsafeCurrentTimeMillis()
    const until = duration === undefined ? undefined : now + duration
    const by = visit.user.who?.name ?? ""
    const rules = whom.map((whom) => ({ whom, name, until, reason, by }))
    const before = (yield* online).rules
    if (!Rules.hasRoom(before, kind, rules, now)) return yield* reply(shared, visit, { _tag: "Busy" })
    // The fold forgets them by this change.
    yield* KeptRules.lift(records, kind, Rules.expired(before, kind, now).map(({ whom }) => whom))
    if (!(yield* KeptRules.set(records, kind, rules))) return yield* reply(shared, visit, { _tag: "Busy" })
    const change = { _tag: "Set", kind, rules } as const
    yield* act(
      shared,
      visit,
      { _tag: "Ruled", user: visit.user.id, change, visit: wanted.visit },
      { _tag: kind === "ban" ? "WasBanned" : "WasMuted", name },
      note(visit, kind === "ban" ? "banned" : "muted", {
        whom: [name, ...rules.map(Rules.targetOf).filter((target) => target !== name)].join(" "),
        until: until === undefined ? "for ever" : new Date(until).toISOString(),
        reason
      })
    )
  }).pipe(alone(shared))

/** Lifts these rules. Likewise. */
const lift = (shared: Shared, visit: Visit, kind: Rules.Kind, name: string, rules: ReadonlyArray<Rules.Rule>) =>
  Effect.gen(function*() {
    const whom = rules.map(({ whom }) => whom)
    yield* KeptRules.lift(shared.records, kind, whom)
    yield* act(
      shared,
      visit,
      { _tag: "Ruled", user: visit.user.id, change: { _tag: "Lift", kind, whom }, visit: undefined },
      { _tag: kind === "ban" ? "WasUnbanned" : "WasUnmuted", name },
      note(visit, kind === "ban" ? "lifted a ban" : "lifted a mute", { whom: name })
    )
  }).pipe(alone(shared))

const alone = ({ changing }: Shared) => <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  changing.withPermits(1)(Effect.uninterruptible(self))

const mute = (shared: Shared, visit: Visit, { duration, name: text }: Of<"Mute">) =>
  Effect.gen(function*() {
    const meant = Targets.person(yield* shared.online, text)
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, "/mute NAME [DURATION]")
    const { name, online } = meant.right
    const whom = Targets.muted(meant.right)
    yield* set(shared, visit, "mute", { name, whom, duration, reason: "", visit: online?.since })
  })

const unmute = (shared: Shared, visit: Visit, { name: text }: Of<"Unmute">) =>
  Effect.gen(function*() {
    const world = yield* shared.online
    const meant = Targets.person(world, text)
    const online = Either.isRight(meant) ? meant.right.online : undefined
    const mutes = Rules.list(world.rules, "mute", shared.clock.unsafeCurrentTimeMillis())
    const rules = Targets.rulesFor(mutes, online?.who.name ?? text, online && Targets.networkOf(online))
    // Whoever is muted may be gone.
    if (Either.isLeft(meant) && (meant.left === "LookAlike" || rules.length === 0)) {
      return yield* refuse(shared, visit, meant.left, "/unmute NAME")
    }
    yield* lift(shared, visit, "mute", Either.isRight(meant) ? meant.right.name : terminalSafe(text), rules)
  })

const ban = (shared: Shared, visit: Visit, { duration, reason, target }: Of<"Ban">) =>
  Effect.gen(function*() {
    const usage = "/ban NAME|IP|CIDR [DURATION] [REASON]"
    const meant = Targets.banned(
      yield* shared.online,
      target,
      (online) => peerOf(shared.broadcaster.users, online)
    )
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, usage)
    const { name, whom } = meant.right
    if (Targets.isTooMuch(whom, ipOf(visit.user.peer), shared.proxies)) {
      return yield* refuse(shared, visit, "Usage", usage)
    }
    yield* set(shared, visit, "ban", { name, whom, duration, reason: terminalSafe(reason), visit: undefined })
  })

const unban = (shared: Shared, visit: Visit, { target }: Of<"Unban">) =>
  Effect.gen(function*() {
    const { clock, online } = shared
    const bans = Rules.list((yield* online).rules, "ban", clock.unsafeCurrentTimeMillis())
    const rules = Targets.rulesFor(bans, target)
    const [first] = rules
    if (first === undefined) return yield* reply(shared, visit, { _tag: "NoSuchBan" })
    yield* lift(shared, visit, "ban", first.name, rules)
  })

const lock = (shared: Shared, visit: Visit, isLocked: boolean) =>
  act(
    shared,
    visit,
    { _tag: "Ruled", user: visit.user.id, change: { _tag: "Lock", isLocked }, visit: undefined },
    { _tag: isLocked ? "WasLocked" : "WasUnlocked" },
    note(visit, isLocked ? "locked the server" : "unlocked the server")
  )

const release = (shared: Shared, visit: Visit, { name: text }: Of<"Release">) =>
  Effect.gen(function*() {
    const meant = Targets.person(yield* shared.online, text)
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, "/release NAME")
    const name = meant.right.online?.who.name ?? meant.right.name
    if (!(yield* shared.names.release(name))) return yield* reply(shared, visit, { _tag: "NoSuchUser" })
    yield* note(visit, "released a name", { whom: name })
    yield* reply(shared, visit, { _tag: "WasReleased", name })
  })

const erase = (shared: Shared, visit: Visit, { duration, whose: text }: Of<"Erase">) =>
  Effect.gen(function*() {
    const isIp = Net.isIP(text) > 0
    const meant = Targets.person(yield* shared.online, text)
    // Whoever said it may be gone.
    const problem = isIp || Either.isRight(meant) || meant.left === "NoSuchUser" ? undefined : meant.left
    if (problem !== undefined) return yield* refuse(shared, visit, problem, "/erase NAME|IP [DURATION]")
    if (text.length > longestName) return yield* reply(shared, visit, { _tag: "NoSuchUser" })
    const whose = isIp ? plainIp(text) : text
    const lines = yield* shared.log.erase({ whose, from: shared.clock.unsafeCurrentTimeMillis() - duration })
    yield* note(visit, `erased ${lines} ${lines === 1 ? "line" : "lines"}`, { whom: terminalSafe(whose) })
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
