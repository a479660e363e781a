import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Progress from "../src/Progress.ts"

const clear = "\r\u001b[K"

/** What is shown while `steps` are told, each with the ms that it took, and what is left at the end. */
const shown = (isTTY: boolean | undefined, steps: ReadonlyArray<readonly [ms: number, done: number, of: number]>) =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const write = (text: string) => written.push(text)
    yield* Effect.scoped(Effect.gen(function*() {
      const tell = yield* Progress.make(isTTY === undefined ? { write } : { isTTY, write })
      for (const [ms, done, of] of steps) {
        yield* TestClock.adjust(ms)
        tell(done, of)
      }
    }))
    return written
  })

describe("Progress", () => {
  it.effect("is shown on a terminal after a second, ten times a second at most, and taken away at the end", () =>
    Effect.gen(function*() {
      const steps = [[999, 10, 3000], [1, 1234, 3000], [99, 1300, 3000], [1, 2999, 3000], [100, 3000, 3000]] as const
      assert.deepStrictEqual(yield* shown(true, steps), [
        `${clear}1,234 of 3,000 lines (41 %)`,
        `${clear}2,999 of 3,000 lines (99 %)`,
        `${clear}3,000 of 3,000 lines (100 %)`,
        clear
      ])
      assert.deepStrictEqual(yield* shown(true, [[1000, 0, 0]]), [`${clear}0 of 0 lines (100 %)`, clear])
    }))

  it.effect("is not shown where all is done within a second, nor in a pipe or a file", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown(true, [[500, 1, 2], [499, 2, 2]]), [])
      assert.deepStrictEqual(yield* shown(false, [[2000, 1, 2], [2000, 2, 2]]), [])
      assert.deepStrictEqual(yield* shown(undefined, [[2000, 1, 2], [2000, 2, 2]]), [])
    }))
})
