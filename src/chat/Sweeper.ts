/**
 * Looks at all users once a second, and ends those who are silent or stalled for too long. No user has a timer. Logs who
 * reads too slowly, and keeps the figures that are a look at the moment.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { RecentRate } from "../ops/RecentRate.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Phrases } from "../wire/Phrases.ts"
import { Broadcaster } from "./Broadcaster.ts"
import { monotonic } from "./monotonic.ts"
import { nextTurn } from "./nextTurn.ts"
import { OnlineMap } from "./OnlineMap.ts"
import type { User } from "./User.ts"

const second = 1000

/** Runs for ever. */
export const run = Effect.gen(function*() {
  const config = yield* ServerConfig
  const phrases = yield* Phrases
  const online = yield* OnlineMap
  const broadcaster = yield* Broadcaster
  const stats = yield* Stats
  const linesIn = new RecentRate()
  const idleTimeout = Duration.toMillis(config.idleTimeout)
  const stallTimeout = Duration.toMillis(config.stallTimeout)
  const notice = idleTimeout < 120 * second ? idleTimeout / 2 : 60 * second
  const warning = { bytes: Buffer.from(phrases.idleWarning(Math.ceil(notice / second))), lines: 1 }
  const clock = yield* Effect.clock
  const period = idleTimeout === 0 ? second : Math.min(second, idleTimeout / 4)

  const lookAtSilence = (user: User, now: number) => {
    const silence = now - user.heardAt
    if (silence >= idleTimeout) user.end("idle")
    else if (silence >= idleTimeout - notice && !user.warned) {
      user.warned = true
      return broadcaster.reply(user, warning)
    }
    return Effect.void
  }

  const lookAtStall = ({ channel, end }: User, now: number) => {
    if (!channel.isDraining) return
    channel.stalledSince ??= now
    if (now - channel.stalledSince >= stallTimeout) end("stalled")
  }

  const lookAtSkipping = ({ address, channel }: User) => {
    const skipping = channel.skippedLines > channel.skippedSeen
    const begins = skipping && !channel.wasSkipping
    channel.skippedSeen = channel.skippedLines
    channel.wasSkipping = skipping
    return begins
      ? Effect.annotateLogs(Effect.logWarning("a user reads too slowly: lines are skipped"), "peer", address)
      : Effect.void
  }

  let last = monotonic(clock)
  const sweep = Effect.gen(function*() {
    // Of a process that stood still, the users have not been silent: what they sent meanwhile is read first, and the time
    // is taken off all that is measured here.
    yield* nextTurn
    const now = monotonic(clock)
    const late = now - last - period
    last = now
    let stalled = 0
    for (const { user } of yield* online.list) {
      if (late > period) forgive(user, late, now)
      if (user.channel.isDraining) stalled++
      lookAtStall(user, now)
      yield* lookAtSkipping(user)
      if (idleTimeout > 0) yield* lookAtSilence(user, now)
    }
    stats.stalled = stalled
    stats.linesPerSecond = linesIn.sample(now, stats.linesIn)
  })
  return yield* Effect.zipRight(Effect.repeat(sweep, Schedule.spaced(period)), Effect.never)
})

/** Moves the deadlines of a user by so many ms. */
const forgive = (user: User, late: number, now: number): void => {
  user.heardAt = Math.min(now, user.heardAt + late)
  const { channel } = user
  if (channel.stalledSince !== undefined) channel.stalledSince = Math.min(now, channel.stalledSince + late)
}
