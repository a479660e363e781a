/** One user's visit: it arrives, its lines become commands at its own pace, it leaves. Knows no socket. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { EndReason } from "../domain/Domain.ts"
import { chooseName, Name } from "../domain/Name.ts"
import type { Connection } from "../doors/Connection.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import * as Command from "../wire/Command.ts"
import { Discarded, TooLong } from "../wire/LineDecoder.ts"
import { Foreign, type Input, LineInput } from "../wire/LineInput.ts"
import { Phrases } from "../wire/Phrases.ts"
import { Broadcaster, type Reply } from "./Broadcaster.ts"
import { monotonic } from "./monotonic.ts"
import { type Online, OnlineMap } from "./OnlineMap.ts"
import { Pace } from "./Pace.ts"
import type { User } from "./User.ts"
import * as UserChannel from "./UserChannel.ts"

// A line is paid for as one line for each so many bytes of it that were begun.
const lineBytes = 256

// The list of a full house is long, and the question short: each so many bytes of it are paid for as a line.
const answerBytes = 16_384

// What a user takes in that list, roughly, in bytes.
const presentBytes = 64

/** A new name changes the list for everybody, so it is paid for like so many lines. */
const renameLines = 5

const goesOn = Effect.succeed(undefined)

/** A visit: the user, and the paces that its connection, and its address, may go on with. */
interface Visit {
  readonly user: User
  readonly paces: ReadonlyArray<Pace>
}

/**
 * Makes what runs one visit on a connection until that is closed, at its own pace and at the one that it shares with all
 * others of its address; `door` is for the log. Whichever way it ends, by the user, the peer, `end` or an interruption, the
 * name is freed, the rest is told once, and what the user is owed is written out where it can be.
 */
export const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const phrases = yield* Phrases
  const online = yield* OnlineMap
  const broadcaster = yield* Broadcaster
  const stats = yield* Stats
  const clock = yield* Effect.clock
  const idleTimeout = Duration.toMillis(config.idleTimeout)
  let arrivals = 0

  const reply = (user: User, text: string) => broadcaster.reply(user, { bytes: Buffer.from(text), lines: 1 })
  const replyAll = (user: User, lines: ReadonlyArray<string>) =>
    broadcaster.reply(user, { bytes: Buffer.from(lines.join("")), lines: lines.length })
  const help = Command.topics.map(({ topic, usage }) => phrases.help(usage, topic))

  const isOpen = ({ paces }: Visit, now: number) => paces.every((pace) => pace.isOpen(now))
  /** Says for how many ms to wait until so many lines may pass. */
  const pay = ({ paces }: Visit, now: number, lines: number) =>
    paces.reduce((longest, pace) => Math.max(longest, pace.take(now, lines)), 0)

  const costOf = (line: Input): number => {
    if (typeof line === "symbol") return Math.ceil(config.maxLine / lineBytes)
    if (typeof line === "object") return 1
    // A character has three bytes at most.
    return 3 * line.length <= lineBytes ? 1 : Math.ceil(Buffer.byteLength(line) / lineBytes)
  }

  // The same bytes for everyone who asks while nobody comes, goes or changes its name: the list costs far more than the
  // question.
  const rosters = new WeakMap<ReadonlyArray<Online>, Buffer>()
  const roster = Effect.map(online.list, (list) => {
    let bytes = rosters.get(list)
    if (bytes === undefined) {
      bytes = Buffer.from(list.map(({ name, user }) => phrases.present({ address: user.address, name })).join(""))
      rosters.set(list, bytes)
    }
    return { bytes, lines: list.length }
  })

  const statsOf = ({ channel, heardAt }: User, users: number) => ({
    online: users,
    linesPerSecond: stats.linesPerSecond,
    backlog: channel.backlog,
    skipped: channel.skippedLines,
    idleLeft: idleTimeout === 0 ? undefined : Math.ceil((heardAt + idleTimeout - monotonic(clock)) / 1000)
  })

  const carryOut = (
    visit: Visit,
    command: Exclude<Command.Command, { readonly _tag: "Quit" }>,
    waited: boolean
  ): Effect.Effect<void> => {
    const { user } = visit
    switch (command._tag) {
      case "Say":
        return waited
          ? broadcaster.sayPatiently(phrases.said(user, command.text))
          : broadcaster.say(phrases.said(user, command.text))
      case "Who":
        return Effect.flatMap(online.size, (users) => {
          pay(visit, monotonic(clock), Math.floor((users * presentBytes) / answerBytes))
          return broadcaster.ask(user, roster)
        })
      case "Rename":
        pay(visit, monotonic(clock), renameLines - 1)
        return Either.match(chooseName(command.name), {
          onLeft: (why) => reply(user, why === "reserved" ? phrases.nameReserved : phrases.nameNotAllowed),
          onRight: (name) =>
            Effect.matchEffect(online.rename(user, name), {
              onFailure: () => reply(user, phrases.nameTaken),
              onSuccess: () => reply(user, phrases.renamed(name))
            })
        })
      case "Tell":
        if (command.name === "") return reply(user, phrases.tellMalformed)
        return Effect.matchEffect(online.find(command.name), {
          onFailure: () => reply(user, phrases.tellNobody),
          onSuccess: (to) =>
            command.text.trim() === "" ? reply(user, phrases.tellEmpty) : Effect.if(
              broadcaster.tell(to, phrases.told(user, command.text)),
              { onTrue: () => Effect.void, onFalse: () => reply(user, phrases.tellNobody) }
            )
        })
      case "TellMalformed":
        return reply(user, phrases.tellMalformed)
      case "Stats":
        return Effect.flatMap(online.size, (users) => replyAll(user, phrases.stats(statsOf(user, users))))
      case "Help":
        return replyAll(user, help)
      case "Misused":
        return reply(user, phrases.usage(command.usage))
      case "Unknown":
        return reply(user, phrases.unknownCommand(command.command))
      case "Blank":
        return Effect.void
    }
  }

  const note = (user: User, line: Input, now: number) => {
    user.heardAt = now
    user.warned = false
    if (typeof line === "string" || line === TooLong) stats.linesIn++
  }

  const act = (visit: Visit, line: Input, waited: boolean): Effect.Effect<"quit" | undefined> => {
    const { user } = visit
    if (line === Discarded || line === Foreign) return goesOn
    if (line === TooLong) return Effect.zipRight(reply(user, phrases.lineTooLong(config.maxLine)), goesOn)
    if (typeof line === "object") {
      return Effect.zipRight(broadcaster.reply(user, { bytes: line.answer, lines: 0 }), goesOn)
    }
    const command = Command.parse(line)
    return command._tag === "Quit" ? Effect.succeed("quit") : Effect.zipRight(carryOut(visit, command, waited), goesOn)
  }

  /** Carries out a line once its time has come and its answer would find room. Says why the visit ends, if it does. */
  const hear = (visit: Visit, line: Input): Effect.Effect<EndReason | undefined> => {
    const { user } = visit
    if (line === Foreign) return Effect.succeed("foreign")
    const cost = costOf(line)
    const early = pay(visit, monotonic(clock), cost)
    const inTime = Effect.suspend(() => {
      note(user, line, monotonic(clock))
      return act(visit, line, early > 0)
    })
    if (early === 0 && user.channel.hasRoom) return inTime
    // Whoever leaves while it waits must not slow down the others of its address.
    const giveBack = Effect.sync(() => visit.paces.forEach((pace) => pace.giveBack(cost)))
    return Effect.onInterrupt(Effect.sleep(early), () => giveBack).pipe(
      Effect.zipRight(user.channel.room()),
      Effect.zipRight(inTime)
    )
  }

  /** Most lines are words of somebody who has time and room: they are said in the turn that they came in. */
  const hearAtOnce = (visit: Visit, line: Input): boolean => {
    const { user } = visit
    const now = monotonic(clock)
    if (typeof line !== "string" || !isOpen(visit, now) || !user.channel.hasRoom) return false
    const command = Command.parse(line)
    if (command._tag !== "Say" || !broadcaster.unsafeSay(phrases.said(user, command.text))) return false
    pay(visit, now, costOf(line))
    note(user, line, now)
    return true
  }

  const listen = (visit: Visit, connection: Connection): Effect.Effect<EndReason> =>
    Effect.gen(function*() {
      const input = new LineInput(config.maxLine)
      let line: Input | undefined
      const take = (bytes: Buffer) => {
        input.feed(bytes)
        do line = input.next()
        while (line !== undefined && hearAtOnce(visit, line))
        return line === undefined ? undefined : input.giveBack()
      }
      while (yield* connection.pull(take)) {
        for (; line !== undefined; line = input.next()) {
          const reason = yield* hear(visit, line)
          if (reason !== undefined) return reason
        }
      }
      line = input.last()
      return (line === undefined ? undefined : yield* hear(visit, line)) ?? "end-of-input"
    })

  const welcomeOf = (users: number): Reply | undefined => {
    if (config.welcome === "off") return undefined
    return { bytes: Buffer.from(phrases.welcome(config.welcome, users)), lines: 1 }
  }

  const arrive = (connection: Connection, end: User["end"]) =>
    Effect.gen(function*() {
      const channel = yield* UserChannel.make({
        outlet: connection,
        backlog: config.backlog,
        skipped: phrases.skipped,
        stats
      })
      const user: User = {
        id: arrivals++,
        address: connection.address,
        name: Name(connection.address),
        channel,
        heardAt: monotonic(clock),
        warned: false,
        end
      }
      yield* online.claim(user)
      yield* broadcaster.arrive(user, phrases.online(user), welcomeOf(yield* online.size))
      return user
    })

  const leave = (user: User, connection: Connection, reason: EndReason) =>
    Effect.gen(function*() {
      yield* online.release(user)
      if (reason === "idle") yield* reply(user, phrases.kicked)
      yield* broadcaster.leave(user, phrases.offline(user))
      if (reason === "reset" || reason === "stalled" || reason === "foreign") return yield* connection.destroy
      const begin = monotonic(clock)
      if (user.channel.isDraining) {
        yield* Effect.timeoutOption(Effect.interruptible(user.channel.drained()), config.stallTimeout)
      }
      const left = Duration.toMillis(config.stallTimeout) - (monotonic(clock) - begin)
      yield* left > 0 ? connection.finish(Duration.millis(left)) : connection.destroy
    })

  return (connection: Connection, addressPace: Pace, door: string): Effect.Effect<void> =>
    Effect.withFiberRuntime((fiber) => {
      let ended: EndReason | undefined
      const end = (reason: EndReason) => {
        ended ??= reason
        fiber.unsafeInterruptAsFork(FiberId.none)
      }
      connection.onLost(() => end("reset"))
      // Lost, and so closed, before it came: nobody needs to hear of it.
      if (ended !== undefined) {
        stats.ended[ended]++
        return Effect.void
      }
      return Effect.uninterruptible(
        Effect.gen(function*() {
          const user = yield* arrive(connection, end)
          yield* Effect.annotateLogs(Effect.logDebug("arrived"), { peer: user.address, door })
          const exit = yield* Effect.exit(
            Effect.interruptible(
              listen({ user, paces: [new Pace(config.rate, config.burst), addressPace] }, connection)
            )
          )
          const reason = Exit.match(exit, {
            onSuccess: (reason) => reason,
            onFailure: (cause) => Cause.isDie(cause) ? "defect" : ended ?? "shutdown"
          })
          if (Exit.isFailure(exit) && reason === "defect") {
            yield* Effect.annotateLogs(Effect.logError("A session failed", exit.cause), "peer", user.address)
          }
          stats.ended[reason]++
          const log = reason === "stalled" ? Effect.logWarning : Effect.logDebug
          yield* Effect.annotateLogs(log("left"), { peer: user.address, door, reason })
          yield* leave(user, connection, reason)
        })
      )
    })
})
