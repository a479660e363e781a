/** Waits for the end of this turn of the event loop: all that sockets have ready has been read by then. */
import * as Effect from "effect/Effect"

export const nextTurn: Effect.Effect<void> = Effect.async((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})
