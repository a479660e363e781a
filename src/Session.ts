/** One user's visit: it arrives, its lines become commands at its own pace, it leaves. Knows no socket. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import { Broadcaster } from "./Broadcaster.ts"
import * as Command from "./Command.ts"
import type { Connection } from "./Connection.ts"
import { chooseName, type EndReason, Name } from "./Domain.ts"
import { Discarded, type Line, LineDecoder, TooLong } from "./LineDecoder.ts"
import { type Online, OnlineMap } from "./OnlineMap.ts"
import { Pace } from "./Pace.ts"
import { Phrases } from "./Phrases.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Stats } from "./Stats.ts"
import type { User } from "./User.ts"
import * as UserChannel from "./UserChannel.ts"

// The list of a full house is long, and the question short: each so many bytes of it are paid for as a line.
const answerBytes = 16_384

/**
 * Makes what runs one visit on a connection, until that is closed. Whichever way it ends, by the user, the peer, `end`
 * or an interruption, the name is freed, the rest is told once, and what the user is owed is written out where it can be.
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

  const reply = (user: User, text: string) => broadcaster.reply(user, Buffer.from(text), 1)
  const replyAll = (user: User, lines: ReadonlyArray<string>) =>
    broadcaster.reply(user, Buffer.from(lines.join("")), lines.length)
  const help = Command.topics.map(({ topic, usage }) => phrases.help(usage, topic))

  // The same bytes for all who ask while nobody comes, goes or changes its name: the list costs far more than the question.
  const rosters = new WeakMap<ReadonlyArray<Online>, Buffer>()
  const rosterOf = (list: ReadonlyArray<Online>): Buffer => {
    let roster = rosters.get(list)
    if (roster === undefined) {
      roster = Buffer.from(list.map(({ name, user }) => phrases.present({ address: user.address, name })).join(""))
      rosters.set(list, roster)
    }
    return roster
  }

  const standingOf = ({ channel, heardAt }: User, users: number) => ({
    online: users,
    linesPerSecond: stats.linesPerSecond,
    backlog: channel.backlog,
    skipped: channel.skippedLines,
    idleLeft: idleTimeout === 0
      ? undefined
      : Math.ceil((heardAt + idleTimeout - clock.unsafeCurrentTimeMillis()) / 1000)
  })

  const carryOut = (
    user: User,
    pace: Pace,
    command: Exclude<Command.Command, { readonly _tag: "Quit" }>
  ): Effect.Effect<void> => {
    switch (command._tag) {
      case "Say":
        return broadcaster.say(phrases.said(user, command.text))
      case "Who":
        return Effect.flatMap(online.list, (list) => {
          const roster = rosterOf(list)
          pace.charge(Math.floor(roster.length / answerBytes))
          return broadcaster.reply(user, roster, list.length)
        })
      case "Rename":
        return Option.match(chooseName(command.name), {
          onNone: () => reply(user, phrases.nameNotAllowed),
          onSome: (name) =>
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
            command.text.trim() === ""
              ? reply(user, phrases.tellEmpty)
              : broadcaster.tell(to, phrases.told(user, command.text))
        })
      case "TellMalformed":
        return reply(user, phrases.tellMalformed)
      case "Stats":
        return Effect.flatMap(online.size, (users) => replyAll(user, phrases.stats(standingOf(user, users))))
      case "Help":
        return replyAll(user, help)
      case "Unknown":
        return reply(user, phrases.unknownCommand(command.command))
      case "Blank":
        return Effect.void
    }
  }

  /** Carries out a line once its time has come and its answer would find room. `true`: the user wants to go. */
  const hear = (user: User, pace: Pace, line: Line): Effect.Effect<boolean> => {
    const act = Effect.suspend(() => {
      user.heardAt = clock.unsafeCurrentTimeMillis()
      user.warned = false
      if (line === Discarded) return Effect.succeed(false)
      stats.linesIn++
      if (line === TooLong) return Effect.as(reply(user, phrases.lineTooLong(config.maxLine)), false)
      const command = Command.parse(line)
      return command._tag === "Quit" ? Effect.succeed(true) : Effect.as(carryOut(user, pace, command), false)
    })
    const early = pace.take(clock.unsafeCurrentTimeMillis())
    if (early === 0 && user.channel.hasRoom) return act
    return Effect.sleep(early).pipe(Effect.zipRight(user.channel.room()), Effect.zipRight(act))
  }

  /** Most lines are words of somebody who has time and room: they are said in the turn that they came in. */
  const hearAtOnce = (user: User, pace: Pace, line: Line): boolean => {
    const now = clock.unsafeCurrentTimeMillis()
    if (typeof line === "symbol" || !pace.isOpen(now) || !user.channel.hasRoom) return false
    const command = Command.parse(line)
    if (command._tag !== "Say" || !broadcaster.unsafeSay(phrases.said(user, command.text))) return false
    pace.take(now)
    stats.linesIn++
    user.heardAt = now
    user.warned = false
    return true
  }

  const listen = (user: User, connection: Connection) =>
    Effect.gen(function*() {
      const decoder = new LineDecoder(config.maxLine)
      const pace = new Pace(config.rate, config.burst)
      let line: Line | undefined
      const take = (bytes: Buffer) => {
        decoder.feed(bytes)
        do line = decoder.next()
        while (line !== undefined && hearAtOnce(user, pace, line))
        return line === undefined
      }
      while (yield* connection.pull(take)) {
        for (; line !== undefined; line = decoder.next()) {
          if (yield* hear(user, pace, line)) return "quit"
        }
      }
      const last = decoder.last()
      return last !== undefined && (yield* hear(user, pace, last)) ? "quit" : "end-of-input"
    })

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
        name: Name.make(connection.address),
        channel,
        heardAt: clock.unsafeCurrentTimeMillis(),
        warned: false,
        end
      }
      yield* online.claim(user)
      yield* broadcaster.arrive(user, phrases.online(user))
      return user
    })

  const leave = (user: User, connection: Connection, reason: EndReason) =>
    Effect.gen(function*() {
      yield* online.release(user)
      if (reason === "idle") yield* reply(user, phrases.kicked)
      yield* broadcaster.leave(user, phrases.offline(user))
      if (reason === "reset" || reason === "stalled") return yield* connection.destroy
      yield* Effect.zipRight(user.channel.drained(), connection.finish).pipe(
        Effect.interruptible,
        Effect.timeoutOption(config.stallTimeout),
        Effect.ensuring(connection.destroy)
      )
    })

  return (connection: Connection): Effect.Effect<void> =>
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
          const exit = yield* Effect.exit(Effect.interruptible(listen(user, connection)))
          const reason = Exit.match(exit, {
            onSuccess: (reason) => reason,
            onFailure: (cause) => Cause.isDie(cause) ? "defect" : ended ?? "shutdown"
          })
          if (Exit.isFailure(exit) && reason === "defect") yield* Effect.logError("A session failed", exit.cause)
          stats.ended[reason]++
          const log = reason === "stalled" ? Effect.logWarning : Effect.logDebug
          yield* log(`${user.address} left: ${reason}`)
          yield* leave(user, connection, reason)
        })
      )
    })
})
