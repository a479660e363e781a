/** A server as a child process that says how much it holds. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { bundle } from "./bundle.ts"
import { port, quiet, start } from "./child.ts"
import { within } from "./client.ts"
import type { Reading } from "./gauge.ts"

export interface Gauged {
  readonly port: number
  /** What is left after a forced collection. Of several, one at a time. */
  readonly measure: Effect.Effect<Reading>
  /** Measures until it holds; at the end of the patience, the message says what was measured last. */
  readonly settles: (what: string, holds: (reading: Reading) => boolean) => Effect.Effect<Reading>
}

export const server = (...flags: ReadonlyArray<string>): Effect.Effect<Gauged, never, Scope.Scope> =>
  Effect.gen(function*() {
    const preloaded = ["--expose-gc", "--import", "tsx", "--import", "./test/support/gauge.ts"]
    const child = yield* start(process.execPath, [...preloaded, bundle, "--port", "0", ...flags], quiet)
    const listening = yield* port(child)
    let readings = 0
    const measure = Effect.gen(function*() {
      const number = ++readings
      yield* child.signal("SIGUSR2")
      const [, json = ""] = yield* child.prints(new RegExp(`^gauge ${number} (.+)\n`, "m"))
      const reading: Reading = JSON.parse(json)
      return reading
    })
    return {
      port: listening,
      measure,
      settles: (what, holds) =>
        Effect.suspend(() => {
          let last: Reading | undefined
          const once = Effect.tap(measure, (reading) =>
            Effect.sync(() => {
              last = reading
            }))
          return within(what, Effect.repeat(once, { until: holds })).pipe(
            Effect.catchAllDefect((defect) =>
              Effect.dieMessage(`${defect instanceof Error ? defect.message : String(defect)}: ${JSON.stringify(last)}`)
            )
          )
        })
    }
  })
