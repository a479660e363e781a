/** What each command does, for the user who typed it. Knows how lines are paid for, and nothing of how they came. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Event, Seq } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { chooseName, nameKey } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import { chooseRoom, lobby, type Room } from "../domain/Room.ts"
import { terminalSafe } from "../domain/Text.ts"
import * as World from "../domain/World.ts"
import { MessageLog } from "../log/MessageLog.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Command } from "../wire/Command.ts"
import { PlainForm } from "../wire/PlainForm.ts"
import { Broadcaster } from "./Broadcaster.ts"
import type { Answer, Pages, Verdict } from "./Entry.ts"
import * as History from "./History.ts"
import * as Homecoming from "./Homecoming.ts"
import * as Ignoring from "./Ignoring.ts"
import * as Lists from "./Lists.ts"
import { OnlineMap } from "./OnlineMap.ts"
import * as Operators from "./Operators.ts"
import { OwnedNames } from "./OwnedNames.ts"
import * as PrivateLines from "./PrivateLines.ts"
import { RealAddresses } from "./RealAddresses.ts"
import { Records } from "./Records.ts"
import * as Secret from "./Secret.ts"
import { behind } from "./Turn.ts"
import type { Visit } from "./Visit.ts"

/** All commands but those that change how the session goes on. */
export type Executable = Exclude<Command, { readonly _tag: "Quit" | "Json" }>

type Handlers = {
  readonly [Tag in Executable["_tag"]]: (
    visit: Visit,
    command: Extract<Executable, { readonly _tag: Tag }>
  ) => Effect.Effect<void>
}

export type Execute = (visit: Visit, command: Executable) => Effect.Effect<void>

// A long answer is paid for as a line for each so many bytes of it; and what a user or a room takes in a list, roughly, in bytes.
const answerBytes = 16_384
const listedBytes = 64

/** What changes something for many is paid for like so many lines: a name, a room. */
const dearLines = 5

/** What a user says, as an event. */
export const said = (
  { user: { circle, id, who } }: Visit,
  { nonce, text }: Extract<Command, { readonly _tag: "Say" }>
): Event | undefined => {
  if (who === undefined || circle === undefined) return undefined
  const event = { _tag: "Said", user: id, who, room: circle.room, text: terminalSafe(text) } as const
  return nonce === undefined ? event : { ...event, nonce }
}

export const make = Effect.gen(function*() {
  const handlers = makeHandlers(yield* makeShared)
  // Each handler takes the command with its own tag.
  const execute: Execute = (visit, command) =>
    (handlers[command._tag] as (visit: Visit, command: Executable) => Effect.Effect<void>)(visit, command)
  return execute
})

const makeShared = Effect.gen(function*() {
  const { idleTimeout, maxLine, replay } = yield* ServerConfig
  return {
    broadcaster: yield* Broadcaster,
    clock: yield* Effect.clock,
    forms: yield* PlainForm,
    homecoming: yield* Homecoming.make,
    idleTimeout: Duration.toMillis(idleTimeout),
    log: yield* Effect.flatMap(MessageLog, History.shareReads),
    maxLine,
    names: yield* OwnedNames,
    online: yield* OnlineMap,
    real: yield* RealAddresses,
    operate: yield* Operators.make,
    records: yield* Records,
    replay,
    stats: yield* Stats,
    tell: yield* PrivateLines.make
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

const makeHandlers = (shared: Shared): Handlers => {
  const { ask, askAndWait, happen, happenPatiently, inform, reform, reply } = shared.broadcaster
  const pay = (visit: Visit, lines: number) => visit.pay(monotonic(shared.clock), lines)
  /** Lets a list be paid for by its length. */
  const paid = (visit: Visit, answer: Answer): Answer => {
    const { reply } = answer
    const listed = reply?._tag === "Users" ? reply.users : reply?._tag === "Rooms" ? reply.rooms : []
    pay(visit, Math.floor((listed.length * listedBytes) / answerBytes))
    return answer
  }
  const say = (output: Output) => ({ asker }: Visit) => reply(asker, output)
  const refuse = ({ asker }: Visit, refusal: Output) => reply(asker, refusal)

  return {
    Say: (visit, command) => {
      const event = said(visit, command)
      if (event === undefined) return Effect.void
      const asker = visit.isProgram ? visit.asker : undefined
      return visit.waited ? happenPatiently(event, asker) : happen(event, asker)
    },
    Who: (visit, { room }) =>
      askAndWait(visit.asker, (world) =>
        paid(
          visit,
          Lists.users(world, room === undefined ? visit.user.circle?.room : Option.getOrUndefined(chooseRoom(room)))
        )),
    Rename: (visit, command) => {
      pay(visit, dearLines - 1)
      return rename(shared, visit, command)
    },
    Secret: (visit, { secret }) => {
      pay(visit, dearLines - 1)
      return Option.match(Secret.choose(secret), {
        onNone: () => refuse(visit, { _tag: "BadSecret" }),
        onSome: (secret) => Effect.flatMap(shared.names.change(visit.user, secret), (told) => reply(visit.asker, told))
      })
    },
    Disown: (visit) => {
      pay(visit, dearLines - 1)
      return Effect.flatMap(shared.names.disown(visit.user), (told) =>
        Effect.zipRight(
          told._tag === "Disowned" ? shared.homecoming.go(visit, true) : Effect.void,
          reply(visit.asker, told)
        ))
    },
    Tell: (visit, command) => shared.tell(visit, command),
    TellMalformed: (visit) => shared.tell(visit, Command.Tell({ name: "", text: "" })),
    History: (visit, { after, before, limit }) =>
      stream(shared, visit, (world, room) => {
        const end = Seq(Math.min(before ?? Infinity, behind(world)))
        return after === undefined
          ? History.last(shared.log, room, end, limit)
          : History.since(shared.log, room, Seq(after + 1), end, limit)
      }),
    Missed: (visit) => {
      const { owning } = visit
      if (owning === undefined) return refuse(visit, { _tag: "NeverOwned" })
      const { missed } = owning
      return stream(shared, visit, (_world, room) =>
        missed === undefined
          ? History.none()
          : Homecoming.untilTaken(
            visit,
            room,
            missed,
            History.missed(shared.log, room, missed.from, missed.before, Homecoming.mostMissed)
          ))
    },
    Join: (visit, { room }) =>
      Option.match(chooseRoom(room), {
        onNone: () => refuse(visit, { _tag: "RoomNotAllowed" }),
        onSome: (room) => join(shared, visit, room)
      }),
    Leave: (visit) => join(shared, visit, lobby),
    Rooms: (visit) => askAndWait(visit.asker, (world) => paid(visit, Lists.rooms(world))),
    Ignore: (visit, { name }) =>
      name === undefined
        ? reply(visit.asker, { _tag: "Ignoring", names: (visit.user.ignores ?? []).map(({ name }) => name) })
        : Ignoring.ignore(shared, visit, name),
    Unignore: (visit, { name }) => Ignoring.unignore(shared, visit, name),
    Whois: (visit, { name }) =>
      visit.isOperator
        ? whoisInFact(shared, visit, name)
        : ask(visit.asker, (world) => Lists.whois(world, Lists.found(world, visit.user.id, name))),
    Time: (visit, { shown }) =>
      Effect.zipRight(
        reform(visit.user, shown ? shared.forms.timed : shared.forms.plain),
        inform(visit.user, { _tag: shown ? "TimeShown" : "TimeHidden" })
      ),
    Stats: (visit) => ask(visit.asker, (world) => ({ reply: standing(shared, visit, world) })),
    Help: (visit) => reply(visit.asker, { _tag: visit.isOperator ? "OperatorHelp" : "Help" }),
    Operate: shared.operate,
    Misused: (visit, { usage }) => refuse(visit, { _tag: "Usage", usage }),
    Unknown: (visit, { command }) => refuse(visit, { _tag: "UnknownCommand", command }),
    Malformed: say({ _tag: "Malformed" }),
    Empty: say({ _tag: "TellEmpty" }),
    TooLong: say({ _tag: "LineTooLong", limit: shared.maxLine }),
    Blank: () => Effect.void
  }
}

/** With where somebody comes from in fact: it may have to be asked for, so it is as it is when that is known. */
const whoisInFact = ({ broadcaster, online, real }: Shared, { asker, user }: Visit, name: string | undefined) =>
  Effect.gen(function*() {
    const meant = Lists.found(yield* online, user.id, name)
    if (Option.isNone(meant)) return yield* broadcaster.reply(asker, { _tag: "NoSuchUser" })
    const { user: id, who } = meant.value
    yield* Effect.matchEffect(real.of(meant.value), {
      onFailure: () => broadcaster.reply(asker, { _tag: "Unreachable", name: who.name }),
      onSuccess: (peer) => broadcaster.ask(asker, (world) => Lists.whois(world, HashMap.get(world.users, id), peer))
    })
  })

/** Old lines, paid for by their bytes as they are taken. One answer of this kind is on its way at a time. */
const stream = (
  { broadcaster, clock }: Shared,
  visit: Visit,
  find: (world: World.World, room: Room) => Pages
): Effect.Effect<void> =>
  Effect.suspend(() => {
    let bytes = 0
    const pay = (more: number) => {
      bytes += more
      const lines = Math.floor(bytes / answerBytes)
      bytes -= lines * answerBytes
      return lines === 0 ? 0 : visit.pay(monotonic(clock), lines)
    }
    const taken = Effect.unsafeMakeLatch()
    const before = visit.streaming
    visit.streaming = taken.await
    const pages = (world: World.World) =>
      Effect.tap(find(world, visit.user.circle?.room ?? lobby), (page) => page === undefined ? taken.open : Effect.void)
    return Effect.zipRight(before, broadcaster.stream(visit.asker, pages, pay))
  })

const rename = (
  shared: Shared,
  visit: Visit,
  { name: text, secret: given }: Extract<Command, { readonly _tag: "Rename" }>
) =>
  Effect.gen(function*() {
    const { broadcaster, clock, homecoming, names, online } = shared
    const { asker, user } = visit
    const secret = given === undefined ? undefined : Option.getOrUndefined(Secret.choose(given))
    if (given !== undefined && secret === undefined) return yield* broadcaster.reply(asker, { _tag: "BadSecret" })
    const chosen = chooseName(text)
    if (Either.isLeft(chosen)) {
      return yield* broadcaster.reply(asker, { _tag: chosen.left === "reserved" ? "NameReserved" : "NameNotAllowed" })
    }
    const name = chosen.right
    if (World.isMuted(yield* online, user.id, clock.unsafeCurrentTimeMillis())) {
      return yield* broadcaster.reply(asker, { _tag: "Muted" })
    }
    // Nothing more of this user is heard before it is called so: what it says holds its name.
    const verdict: Verdict = secret === undefined
      ? yield* broadcaster.attempt(user, { _tag: "Renamed", user: user.id, name, as: "guest" })
      : yield* names.take(user, name, secret)
    // It is told so as its visit ends.
    if (verdict.refusal?._tag === "Banned") return user.end("banned")
    if (verdict.refusal !== undefined) return yield* broadcaster.reply(asker, verdict.refusal)
    // Its own name written otherwise is still the one that it owns.
    const owned = secret !== undefined || visit.owning?.key === nameKey(name)
    if (secret !== undefined) yield* homecoming.come(visit, name, verdict.seq ?? Seq(0))
    else if (!owned) yield* homecoming.go(visit)
    yield* broadcaster.reply(asker, { _tag: "Called", name, owned })
  })

const join = ({ broadcaster, clock, homecoming, replay }: Shared, visit: Visit, room: Room) =>
  Effect.gen(function*() {
    visit.pay(monotonic(clock), dearLines - 1)
    const { asker, user } = visit
    const { refusal, seq } = yield* broadcaster.attempt(user, { _tag: "Moved", user: user.id, room }, replay)
    if (refusal !== undefined) return yield* broadcaster.reply(asker, refusal)
    yield* homecoming.enter(visit, room, seq ?? Seq(0))
    yield* broadcaster.reply(asker, { _tag: "Done" })
  })

const standing = (
  { clock, idleTimeout, stats }: Shared,
  { user: { channel, heardAt } }: Visit,
  world: World.World
): Output => ({
  _tag: "Stats",
  standing: {
    online: World.size(world),
    linesPerSecond: stats.linesPerSecond,
    backlog: channel.backlog,
    skipped: channel.skippedLines,
    idleLeft: idleTimeout === 0 ? undefined : Math.ceil((heardAt + idleTimeout - monotonic(clock)) / 1000)
  }
})
