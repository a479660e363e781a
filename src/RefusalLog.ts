/** Logs who is refused: at most one line a second for each reason, with a count, however many knock. */
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Schedule from "effect/Schedule"
import { Stats } from "./Stats.ts"

/** Runs for ever; what was not logged yet is logged at its end. */
export const run = Effect.gen(function*() {
  const { refused } = yield* Stats
  const logged = { ...refused }
  const look = Effect.gen(function*() {
    for (const reason of Record.keys(refused)) {
      const count = refused[reason] - logged[reason]
      logged[reason] = refused[reason]
      if (count > 0) {
        yield* Effect.logWarning(`refused ${count} ${count === 1 ? "connection" : "connections"}: ${reason}`)
      }
    }
  })
  return yield* Effect.zipRight(Effect.repeat(look, Schedule.spaced("1 second")), Effect.never).pipe(
    Effect.ensuring(look)
  )
})
