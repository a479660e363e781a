/**
 * Looks at all users once a second, and ends those who are silent or stalled for too long. No user has a timer. Logs who
 * reads too slowly, and keeps the figures that are a look at the moment.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Broadcaster } from "./Broadcaster.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { Phrases } from "./Phrases.ts"
import { RecentRate } from "./RecentRate.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Stats } from "./Stats.ts"
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
  const warning = Buffer.from(phrases.idleWarning(Math.ceil(notice / second)))
  const period = idleTimeout === 0 ? second : Math.min(second, idleTimeout / 4)

  const lookAtSilence = (user: User, now: number) => {
    const silence = now - user.heardAt
    if (silence >= idleTimeout) user.end("idle")
    else if (silence >= idleTimeout - notice && !user.warned) {
      user.warned = true
      return broadcaster.reply(user, warning, 1)
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
    return begins ? Effect.logWarning(`${address} reads too slowly: lines are skipped`) : Effect.void
  }

  const sweep = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    let stalled = 0
    for (const { user } of yield* online.list) {
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
