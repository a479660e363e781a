/** Lines that were said, read page by page as the reader takes them: nobody's memory holds all of them at once. */
import * as Effect from "effect/Effect"
import type { Seq } from "../domain/Event.ts"
import type { Output } from "../domain/Output.ts"
import type { Room } from "../domain/Room.ts"
import { MessageLog } from "../log/MessageLog.ts"

/** The next lines, or `undefined` behind the last. */
export type Pages = Effect.Effect<Output | undefined>

/** The last `limit` lines of a room before a place. If they cannot be read, the last page says so. */
export const pages = (
  log: typeof MessageLog.Service,
  room: Room,
  before: Seq,
  limit: number
): Pages => {
  let from: Seq | undefined
  let over = false
  return Effect.gen(function*() {
    if (over) return undefined
    from ??= yield* log.startOf(room, before, limit)
    const lines = from < before ? yield* log.read(room, from, before) : []
    const last = lines.at(-1)
    if (last === undefined) {
      over = true
      return undefined
    }
    from = (last.seq + 1) as Seq
    return { _tag: "Past", lines } as const
  }).pipe(
    Effect.catchAll((error) => {
      over = true
      return Effect.as(Effect.logError(error.message), { _tag: "Busy" } as const)
    })
  )
}
