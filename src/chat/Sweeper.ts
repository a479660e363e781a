/**
 * Looks at all users once a second, and ends those who are silent or stalled for too long. No user has a timer. Logs who
 * reads too slowly, and keeps the figures that are a look at the moment.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { monotonic } from "../domain/monotonic.ts"
import { nextTurn } from "../domain/nextTurn.ts"
import { RecentRate } from "../ops/RecentRate.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Broadcaster } from "./Broadcaster.ts"
import type { User } from "./User.ts"

const second = 1000

/** Runs for ever. */
export const run = Effect.gen(function*() {
  const config = yield* ServerConfig
  const broadcaster = yield* Broadcaster
  const stats = yield* Stats
  const linesIn = new RecentRate()
  const idleTimeout = Duration.toMillis(config.idleTimeout)
  const stallTimeout = Duration.toMillis(config.stallTimeout)
  const notice = idleTimeout < 120 * second ? idleTimeout / 2 : 60 * second
  const watches = new WeakMap<User, Watch>()
  const clock = yield* Effect.clock
  const period = idleTimeout === 0 ? second : Math.min(second, idleTimeout / 4)

  const lookAtSilence = (user: User, now: number) => {
    const silence = now - user.heardAt
    if (silence >= idleTimeout) user.end("idle")
    else if (silence >= idleTimeout - notice && !user.warned) {
      user.warned = true
      return broadcaster.inform(user, { _tag: "IdleWarning", seconds: Math.ceil(notice / second) })
    }
    return Effect.void
  }

  const watchOf = (user: User): Watch => {
    let watch = watches.get(user)
    if (watch === undefined) {
      watches.set(user, watch = { stalledSince: undefined, progress: 0, skipped: 0, isSkipping: false })
    }
    return watch
  }

  const lookAtStall = ({ channel, end }: User, watch: Watch, now: number) => {
    if (!channel.isStalled || channel.progress > watch.progress) watch.stalledSince = undefined
    watch.progress = channel.progress
    if (!channel.isStalled) return
    watch.stalledSince ??= now
    if (now - watch.stalledSince >= stallTimeout) end("stalled")
  }

  const lookAtSkipping = ({ channel, peer }: User, watch: Watch) => {
    const isSkipping = channel.skippedLines > watch.skipped
    const begins = isSkipping && !watch.isSkipping
    watch.skipped = channel.skippedLines
    watch.isSkipping = isSkipping
    return begins
      ? Effect.annotateLogs(Effect.logWarning("a user reads too slowly: lines are skipped"), "peer", peer)
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
    for (const user of Array.from(broadcaster.users)) {
      const watch = watchOf(user)
      if (late > period) forgive(user, watch, late, now)
      if (user.channel.isStalled) stalled++
      lookAtStall(user, watch, now)
      yield* lookAtSkipping(user, watch)
      if (idleTimeout > 0) yield* lookAtSilence(user, now)
    }
    stats.stalled = stalled
    stats.linesPerSecond = linesIn.sample(now, stats.linesIn + stats.linesOfOthers)
  })
  return yield* Effect.zipRight(Effect.repeat(sweep, Schedule.spaced(period)), Effect.never)
})

/** What was seen of a user when it was last looked at. */
interface Watch {
  /** Since when, in ms of the monotonic clock, its socket has taken nothing. */
  stalledSince: number | undefined
  progress: number
  skipped: number
  isSkipping: boolean
}

/** Moves the deadlines of a user by so many ms. */
const forgive = (user: User, watch: Watch, late: number, now: number): void => {
  user.heardAt = Math.min(now, user.heardAt + late)
  if (watch.stalledSince !== undefined) watch.stalledSince = Math.min(now, watch.stalledSince + late)
}
