/** What a second SIGINT or SIGTERM does while the first is being obeyed. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

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
      const now = clock.unsafeCurrentTimeMillis()
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
