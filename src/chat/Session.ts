/** One user's visit: it arrives, its lines become commands at its own pace, it leaves. Knows no socket. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { ipOf, isLoopback } from "../domain/Address.ts"
import { UserId } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { Name } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import type { EndReason } from "../domain/Reasons.ts"
import { lobby } from "../domain/Room.ts"
import * as Rules from "../domain/Rules.ts"
import * as World from "../domain/World.ts"
import { MessageLog } from "../log/MessageLog.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import * as Command from "../wire/Command.ts"
import type { Read } from "../wire/Input.ts"
import { JsonForm } from "../wire/JsonForm.ts"
import { Discarded, TooLong } from "../wire/LineDecoder.ts"
import { Foreign, type Input, LineInput } from "../wire/LineInput.ts"
import { PlainForm } from "../wire/PlainForm.ts"
import { Addresses } from "./Addresses.ts"
import { Broadcaster } from "./Broadcaster.ts"
import * as Commands from "./Commands.ts"
import * as Homecoming from "./Homecoming.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { Pace } from "./Pace.ts"
import type { Peer } from "./Peer.ts"
import type { User } from "./User.ts"
import * as UserChannel from "./UserChannel.ts"
import { Visit } from "./Visit.ts"

// A line is paid for as one line for each so many bytes of it that were begun.
const lineBytes = 256

const goesOn = Effect.succeed(undefined)

/** What all sessions share. */
const makeShared = Effect.gen(function*() {
  return {
    addresses: yield* Addresses,
    config: yield* ServerConfig,
    forms: { plain: (yield* PlainForm).plain, json: yield* JsonForm },
    homecoming: yield* Homecoming.make,
    log: yield* MessageLog,
    online: yield* OnlineMap,
    broadcaster: yield* Broadcaster,
    stats: yield* Stats,
    clock: yield* Effect.clock,
    execute: yield* Commands.make,
    arrivals: 0
  }
})
type Shared = Effect.Effect.Success<typeof makeShared>

/**
 * Makes what runs one visit on a connection until that is closed, at its own pace and at the one that it shares with all
 * others of its address; `door` is for the log. Whichever way it ends, by the user, the peer, `end` or an interruption, the
 * name is freed, the rest is told once, and what the user is owed is written out where it can be.
 */
export const make = Effect.map(
  makeShared,
  (shared) => (peer: Peer, addressPace: Pace, door: string): Effect.Effect<void> =>
    Effect.withFiberRuntime((fiber) => {
      let ended: EndReason | undefined
      let over = false
      const interrupt = (reason: EndReason) => {
        ended ??= reason
        fiber.unsafeInterruptAsFork(FiberId.none)
      }
      // Whoever goes by itself is told what it is owed, whatever else would end its visit.
      const end = (reason: EndReason) => over ? undefined : interrupt(reason)
      peer.onLost(() => interrupt("reset"))
      // Lost, and so closed, before it came: nobody needs to hear of it.
      if (ended !== undefined) {
        shared.stats.ended[ended]++
        return Effect.void
      }
      return Effect.uninterruptible(
        Effect.gen(function*() {
          const user = yield* arrive(shared, peer, end)
          const read = peer.form === "json" ? yield* readingJson(shared) : readPlainly
          yield* Effect.annotateLogs(Effect.logDebug("arrived"), { peer: user.peer, door })
          const { burst, rate } = shared.config
          const visit = new Visit(user, read, new Pace(rate, burst), addressPace)
          visit.isProgram = peer.form === "json"
          visit.isSafe = peer.isEncrypted || isLoopback(ipOf(user.peer))
          const exit = yield* Effect.exit(Effect.interruptible(readLines(shared, visit, peer)))
          over = true
          peer.stop()
          const reason = Exit.match(exit, {
            onSuccess: (reason) => reason,
            onFailure: (cause) => Cause.isDie(cause) ? "defect" : ended ?? "shutdown"
          })
          if (Exit.isFailure(exit) && reason === "defect") {
            yield* Effect.annotateLogs(Effect.logError("A session failed", exit.cause), "peer", user.peer)
          }
          shared.stats.ended[reason]++
          const log = reason === "stalled" ? Effect.logWarning : Effect.logDebug
          yield* Effect.annotateLogs(log("left"), { peer: user.peer, door, reason })
          yield* leave(shared, visit, peer, reason)
        })
      )
    })
)

const arrive = (shared: Shared, peer: Peer, end: User["end"]) =>
  Effect.gen(function*() {
    const { addresses, broadcaster, clock, config, forms, log, online, stats } = shared
    const form = forms[peer.form]
    const channel = yield* UserChannel.make({
      outlet: peer,
      backlog: config.backlog,
      form,
      skipped: (lines, form) => form.render({ _tag: "Skipped", lines }, clock.unsafeCurrentTimeMillis()),
      stats
    })
    const user: User = {
      id: UserId(shared.arrivals++),
      peer: peer.address,
      address: addresses.shown(peer.address),
      channel,
      who: undefined,
      form,
      circle: undefined,
      ignores: undefined,
      heardAt: monotonic(clock),
      warned: false,
      end
    }
    yield* peer.form === "json"
      ? broadcaster.arriveAsProgram(user, (world) => hello(log.id(), user, world))
      : broadcaster.arrive(user, config.welcome !== "off", config.replay)
    // A ban that came since the door let it in; from here on it is met by those that come.
    const { rules } = yield* online
    if (Rules.isBanned(rules, ipOf(user.peer), clock.unsafeCurrentTimeMillis())) end("banned")
    return user
  })

/** What becomes of a visit that ends for each reason: what its user is told last, and whether it gets what is owed. */
const ends: Record<EndReason, { readonly last?: Output; readonly close: "finish" | "destroy" }> = {
  quit: { close: "finish" },
  "end-of-input": { close: "finish" },
  shutdown: { close: "finish" },
  defect: { close: "finish" },
  idle: { last: { _tag: "Kicked" }, close: "finish" },
  reset: { close: "destroy" },
  stalled: { close: "destroy" },
  "taken-over": { close: "finish" },
  removed: { close: "finish" },
  banned: { last: { _tag: "Banned" }, close: "finish" },
  foreign: { close: "destroy" }
}

const leave = ({ broadcaster, config, homecoming }: Shared, visit: Visit, peer: Peer, reason: EndReason) =>
  Effect.gen(function*() {
    const { user } = visit
    const { close, last } = ends[reason]
    if (last !== undefined) yield* broadcaster.inform(user, last)
    yield* broadcaster.carry({ _tag: "Left", user: user.id, reason })
    const isTaken = close === "finish" && (yield* drain(user, config.stallTimeout))
    if (visit.owning !== undefined) {
      if (reason === "quit" || reason === "end-of-input") yield* homecoming.heard(visit)
      yield* homecoming.go(visit)
    }
    yield* isTaken ? peer.finish(config.stallTimeout, reason) : peer.destroy
  })

/** Waits until the user has taken what it is owed; or nothing for so long, which makes it `false`. */
const drain = ({ channel }: Pick<User, "channel">, patience: Duration.Duration): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    if (!channel.isDraining) return Effect.succeed(true)
    const { progress } = channel
    return Effect.flatMap(
      Effect.timeoutOption(Effect.interruptible(channel.drained()), patience),
      (drained) =>
        Option.isSome(drained) || channel.progress > progress ? drain({ channel }, patience) : Effect.succeed(false)
    )
  })

/** Reads until the end, and carries out each line before the next. Says why the visit ends. */
const readLines = (shared: Shared, visit: Visit, peer: Peer): Effect.Effect<EndReason> =>
  Effect.gen(function*() {
    const { maxLine } = shared.config
    const input = new LineInput(visit.isProgram ? longestObject(maxLine) : maxLine)
    let line: Input | undefined
    const take = (bytes: Buffer) => {
      input.feed(bytes)
      do line = input.next()
      while (line !== undefined && handleAtOnce(shared, visit, line))
      return line === undefined ? undefined : input.giveBack()
    }
    while (yield* peer.pull(take)) {
      for (; line !== undefined; line = input.next()) {
        const reason = yield* handle(shared, visit, input, line)
        if (reason !== undefined) return reason
      }
    }
    line = input.last()
    return (line === undefined ? undefined : yield* handle(shared, visit, input, line)) ?? "end-of-input"
  })

/** Most lines are words of somebody who has time and room: they are said in the turn that they came in. */
const handleAtOnce = (shared: Shared, visit: Visit, line: Input): boolean => {
  const now = monotonic(shared.clock)
  if (typeof line !== "string" || !visit.isOpen(now) || !visit.user.channel.hasRoom) return false
  if (visit.owning?.handedOver !== undefined) return false
  const { command, id } = visit.read(line)
  const event = command._tag === "Say" ? Commands.said(visit, command) : undefined
  const asker = visit.isProgram ? { user: visit.user, id } : undefined
  if (event === undefined || !shared.broadcaster.unsafeHappen(event, asker)) return false
  visit.pay(now, costOf(shared, line))
  note(shared, visit.user, line, now)
  return true
}

/** Carries out a line once its time has come and its answer would find room. Says why the visit ends, if it does. */
const handle = (
  shared: Shared,
  visit: Visit,
  input: LineInput,
  line: Input
): Effect.Effect<EndReason | undefined> => {
  const { user } = visit
  if (line === Foreign) return Effect.succeed("foreign")
  const cost = costOf(shared, line)
  const now = monotonic(shared.clock)
  const early = visit.pay(now, cost)
  // Whoever must wait is not silent meanwhile.
  user.heardAt = now + early
  const inTime = Effect.suspend(() => {
    note(shared, user, line, monotonic(shared.clock))
    visit.waited = early > 0
    const done = execute(shared, visit, input, line)
    return visit.owning === undefined ? done : Effect.zipRight(shared.homecoming.heard(visit), done)
  })
  const arrived = user.who === undefined
    ? Effect.zipRight(shared.broadcaster.askAndWait(visit.asker, () => ({})), inTime)
    : inTime
  if (early === 0 && user.channel.hasRoom) return arrived
  // Whoever leaves while it waits must not slow down the others of its address.
  return Effect.onInterrupt(Effect.sleep(early), () => Effect.sync(() => visit.giveBack(cost))).pipe(
    Effect.zipRight(user.channel.room()),
    Effect.zipRight(arrived)
  )
}

const execute = (
  shared: Shared,
  visit: Visit,
  input: LineInput,
  line: Input
): Effect.Effect<"quit" | undefined> => {
  const { broadcaster, config } = shared
  const { user } = visit
  if (line === Discarded || line === Foreign) return goesOn
  if (line === TooLong) {
    visit.asker = { user, id: undefined }
    return Effect.zipRight(broadcaster.reply(visit.asker, { _tag: "LineTooLong", limit: config.maxLine }), goesOn)
  }
  if (typeof line === "object") return Effect.zipRight(broadcaster.inform(user, line.answer), goesOn)
  const { command, id } = visit.read(line)
  if (visit.isProgram) visit.asker = { user, id }
  if (command._tag === "Quit") {
    return Effect.as(visit.isProgram ? broadcaster.reply(visit.asker, { _tag: "Done" }) : Effect.void, "quit")
  }
  const done = command._tag === "Json" ? speakJson(shared, visit, input) : shared.execute(visit, command)
  return Effect.zipRight(done, goesOn)
}

const readPlainly: Read = (line) => ({ command: Command.parse(line), id: undefined })

/** How long a line in JSON may be: there is room for the object around words in which each character is escaped. */
const longestObject = (maxLine: number): number => 2 * maxLine + 512

// Only programs need it, and it takes long to load.
const readingJson = ({ config: { maxLine } }: Shared): Effect.Effect<Read> =>
  Effect.map(Effect.promise(() => import("../wire/JsonInput.ts")), ({ make }) => make(maxLine))

/** From the next line on, both directions are JSON. */
const speakJson = (shared: Shared, visit: Visit, input: LineInput) =>
  Effect.gen(function*() {
    const { broadcaster, config, forms, log } = shared
    const read = yield* readingJson(shared)
    const { user } = visit
    yield* broadcaster.reform(user, forms.json, (world) => hello(log.id(), user, world))
    visit.read = read
    visit.isProgram = true
    input.setLimit(longestObject(config.maxLine))
  })

const hello = (log: string, { address, id }: User, world: World.World): Output =>
  Option.match(HashMap.get(world.users, id), {
    // It was taken over just now, and hears no more of it.
    onNone: () => ({ _tag: "Hello", log, you: { address, name: Name(address) }, room: lobby, seq: world.said }),
    onSome: ({ room, who }) => ({ _tag: "Hello", log, you: who, room: World.roomOf(world, room), seq: world.said })
  })

const note = ({ stats }: Shared, user: User, line: Input, now: number) => {
  user.heardAt = now
  user.warned = false
  if (typeof line === "string" || line === TooLong) stats.linesIn++
}

const costOf = ({ config }: Shared, line: Input): number => {
  if (typeof line === "symbol") return Math.ceil(config.maxLine / lineBytes)
  if (typeof line === "object") return 1
  // A character has three bytes at most.
  return 3 * line.length <= lineBytes ? 1 : Math.ceil(Buffer.byteLength(line) / lineBytes)
}
