/** What signals do: a second SIGINT or SIGTERM while the first is being obeyed, and those that ask for some work. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { monotonic } from "../domain/monotonic.ts"

// One Ctrl-C under `npm start` arrives up to three times, within milliseconds: from the terminal, and passed on by npm
// and by tsx. So what comes this soon after the first is not another wish.
const same = Duration.millis(500)

const signals = ["SIGINT", "SIGTERM"] as const

/** The first signal is left to `NodeRuntime.runMain`, which interrupts the main fiber; another ends the process at once. */
export const layer = Layer.scopedDiscard(
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    let first: number | undefined
    const onSignal = (signal: NodeJS.Signals) => {
      const now = monotonic(clock)
      first ??= now
      if (now - first < Duration.toMillis(same)) return
      process.off(signal, onSignal)
      process.kill(process.pid, signal)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => signals.forEach((signal) => process.on(signal, onSignal))),
      () => Effect.sync(() => signals.forEach((signal) => process.off(signal, onSignal)))
    )
  })
)

/** Does `work` after each such signal until the scope ends; all that come while it works are one. */
export const each = <R>(signal: NodeJS.Signals, work: Effect.Effect<void, never, R>) =>
  Effect.gen(function*() {
    const wanted = yield* Queue.sliding<NodeJS.Signals>(1)
    const onSignal = (signal: NodeJS.Signals) => {
      Queue.unsafeOffer(wanted, signal)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on(signal, onSignal)),
      () => Effect.sync(() => process.off(signal, onSignal))
    )
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(wanted), work)))
  })
