/** Logs who is refused: at most one line a second for each reason, with a count and some addresses, however many knock. */
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Schedule from "effect/Schedule"
import type { RefusalReason } from "../domain/Reasons.ts"
import { Stats } from "./Stats.ts"

// How many addresses a line names at most.
const fewAddresses = 3

/** Counts one that is refused. */
export const note = ({ refused, refusedFrom }: typeof Stats.Service, reason: RefusalReason, ip: string): void => {
  refused[reason]++
  const from = refusedFrom.get(reason) ?? new Set()
  if (from.size < fewAddresses) refusedFrom.set(reason, from.add(ip))
}

/** Runs for ever; what was not logged yet is logged at its end. */
export const run = Effect.gen(function*() {
  const { refused, refusedFrom } = yield* Stats
  const logged = { ...refused }
  const look = Effect.gen(function*() {
    for (const reason of Record.keys(refused)) {
      const count = refused[reason] - logged[reason]
      logged[reason] = refused[reason]
      if (count > 0) {
        const peers = Array.from(refusedFrom.get(reason) ?? []).join(" ")
        refusedFrom.delete(reason)
        yield* Effect.logWarning(`refused ${count} ${count === 1 ? "connection" : "connections"}: ${reason}`).pipe(
          Effect.annotateLogs({ reason, count, peers })
        )
      }
    }
  })
  return yield* Effect.zipRight(Effect.repeat(look, Schedule.spaced("1 second")), Effect.never).pipe(
    Effect.ensuring(look)
  )
})
