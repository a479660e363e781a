/** Looks at all users once a second, and ends those who are silent or stalled for too long. No user has a timer. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Broadcaster } from "./Broadcaster.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { Phrases } from "./Phrases.ts"
import { ServerConfig } from "./ServerConfig.ts"
import type { User } from "./User.ts"

const second = 1000

/** Runs for ever. */
export const run = Effect.gen(function*() {
  const config = yield* ServerConfig
  const phrases = yield* Phrases
  const online = yield* OnlineMap
  const broadcaster = yield* Broadcaster
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

  const sweep = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    for (const { user } of yield* online.list) {
      lookAtStall(user, now)
      if (idleTimeout > 0) yield* lookAtSilence(user, now)
    }
  })
  return yield* Effect.zipRight(Effect.repeat(sweep, Schedule.spaced(period)), Effect.never)
})
