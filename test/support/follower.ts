/** Follows a log, and folds nothing. */
import * as Effect from "effect/Effect"
import { originOf } from "../../src/domain/Address.ts"
import { type Line, type Nonce, Seq, type Stored } from "../../src/domain/Event.ts"
import type { Used } from "../../src/domain/Nonces.ts"
import * as World from "../../src/domain/World.ts"
import type { Condition, Follower, Kept } from "../../src/log/MessageLog.ts"

/** All that was said, and each nonce once: as if nothing before had to do with it. */
export const keptOf = ({ at, events, seq }: Stored): Kept => {
  const lines: Array<Line> = []
  const nonces = new Map<Nonce, Used>()
  events.forEach((event, index) => {
    if (event._tag !== "Said" && event._tag !== "Told") return
    const place = Seq(seq + index)
    if (event.nonce !== undefined) {
      if (nonces.has(event.nonce)) return
      nonces.set(event.nonce, { nonce: event.nonce, seq: place, at, origin: originOf(event.who.address) })
    }
    if (event._tag === "Said") lines.push({ seq: place, at, room: event.room.key, who: event.who, text: event.text })
  })
  return { lines, nonces: [...nonces.values()] }
}

/** One that keeps all, and is told of each record. */
export const follower = (
  told: (record: Stored) => Effect.Effect<void> = () => Effect.void,
  changed: (condition: Condition) => void = () => {}
): Follower => ({
  fold: (record) => Effect.succeed({ kept: keptOf(record), apply: told(record) }),
  tell: Effect.void,
  changed,
  world: Effect.succeed(World.empty(Seq(0))),
  renew: () => Effect.die("it is another log")
})
