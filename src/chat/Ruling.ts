/** What operators decide, and what holds until they decide otherwise: bans, mutes, the lock. Kept in the registry and in the fold. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { ipOf } from "../domain/Address.ts"
import type { Seq } from "../domain/Event.ts"
import * as Rules from "../domain/Rules.ts"
import { terminalSafe } from "../domain/Text.ts"
import type { OutOfReach } from "../log/SharedStream.ts"
import * as KeptRules from "./KeptRules.ts"
import { act, note, type Of, person, refuse, reply, type Shared } from "./Operating.ts"
import * as Targets from "./Targets.ts"
import type { Visit } from "./Visit.ts"

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
      { _tag: "Ruled", change, visit: wanted.visit },
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
      { _tag: "Ruled", change: { _tag: "Lift", kind, whom }, visit: undefined },
      { _tag: kind === "ban" ? "WasUnbanned" : "WasUnmuted", name },
      whom.length === 0 ? Effect.void : note(visit, kind === "ban" ? "lifted a ban" : "lifted a mute", { whom: name })
    )
  }).pipe(alone(shared))

const alone = ({ changing }: Shared) => <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  changing.withPermits(1)(Effect.uninterruptible(self))

export const mute = (shared: Shared, visit: Visit, { duration, name: text }: Of<"Mute">) =>
  Effect.gen(function*() {
    const meant = yield* person(shared, text)
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, "/mute NAME [DURATION]")
    const { name, online } = meant.right
    const whom = Targets.muted(meant.right)
    yield* set(shared, visit, "mute", { name, whom, duration, reason: "", visit: online?.since })
  })

export const unmute = (shared: Shared, visit: Visit, { name: text }: Of<"Unmute">) =>
  Effect.gen(function*() {
    const meant = yield* person(shared, text)
    const online = Either.isRight(meant) ? meant.right.online : undefined
    const mutes = Rules.list((yield* shared.online).rules, "mute", shared.clock.unsafeCurrentTimeMillis())
    const rules = Targets.rulesFor(mutes, online?.who.name ?? text, online && Targets.networkOf(online))
    // Whoever is muted may be gone.
    if (Either.isLeft(meant) && (meant.left === "LookAlike" || rules.length === 0)) {
      return yield* refuse(shared, visit, meant.left, "/unmute NAME")
    }
    yield* lift(shared, visit, "mute", Either.isRight(meant) ? meant.right.name : terminalSafe(text), rules)
  })

export const ban = (shared: Shared, visit: Visit, { duration, reason, target }: Of<"Ban">) =>
  Effect.gen(function*() {
    const usage = "/ban NAME|IP|CIDR [DURATION] [REASON]"
    const meant = yield* banned(shared, target)
    if (Either.isLeft(meant)) return yield* refuse(shared, visit, meant.left, usage)
    const { name, whom } = meant.right
    if (Targets.isTooMuch(whom, ipOf(visit.user.peer), shared.proxies)) {
      return yield* refuse(shared, visit, "Usage", usage)
    }
    yield* set(shared, visit, "ban", { name, whom, duration, reason: terminalSafe(reason), visit: undefined })
  }).pipe(
    // Where it comes from is not known, so nobody is banned.
    Effect.catchTag("OutOfReach", () => reply(shared, visit, { _tag: "Unreachable", name: terminalSafe(target) }))
  )

const banned = (
  shared: Shared,
  text: string
): Effect.Effect<Either.Either<Targets.Banned, Targets.Problem>, OutOfReach> =>
  Effect.gen(function*() {
    const network = Targets.bannedNetwork(text)
    if (Either.isLeft(network)) return Either.left(network.left)
    if (Option.isSome(network.right)) return Either.right(network.right.value)
    const meant = yield* person(shared, text)
    if (Either.isLeft(meant)) return Either.left(meant.left)
    const { online } = meant.right
    return Targets.bannedPerson(meant.right, online && (yield* shared.real.of(online)))
  })

export const unban = (shared: Shared, visit: Visit, { target }: Of<"Unban">) =>
  Effect.gen(function*() {
    const { clock, online } = shared
    const bans = Rules.list((yield* online).rules, "ban", clock.unsafeCurrentTimeMillis())
    const rules = Targets.rulesFor(bans, target)
    const [first] = rules
    if (first === undefined) return yield* reply(shared, visit, { _tag: "NoSuchBan" })
    yield* lift(shared, visit, "ban", first.name, rules)
  })

export const lock = (shared: Shared, visit: Visit, isLocked: boolean) =>
  act(
    shared,
    visit,
    { _tag: "Ruled", change: { _tag: "Lock", isLocked }, visit: undefined },
    { _tag: isLocked ? "WasLocked" : "WasUnlocked" },
    note(visit, isLocked ? "locked the server" : "unlocked the server")
  )
