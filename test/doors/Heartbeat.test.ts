import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Heartbeat } from "../../src/doors/Heartbeat.ts"

const count = () => ({ beats: 0, pings: 0 })

const counting = (counts: ReturnType<typeof count>) => ({
  beat: () => {
    counts.beats++
  },
  ping: () => {
    counts.pings++
  }
})

describe("Heartbeat", () => {
  it.scoped("beats every 20 s and pings every 25 s, not for all at once, until it is over", () =>
    Effect.gen(function*() {
      const heartbeat = new Heartbeat()
      const all = Array.from({ length: 100 }, count)
      const connections = all.map(counting)
      for (const connection of connections) heartbeat.add(connection)
      yield* Effect.forkScoped(heartbeat.run)
      yield* TestClock.adjust("1 second")
      const atOnce = all.reduce((sum, { beats }) => sum + beats, 0)
      assert.isAtMost(atOnce, 10)
      yield* TestClock.adjust("99 seconds")
      for (const { beats, pings } of all) {
        assert.closeTo(beats, 5, 1)
        assert.closeTo(pings, 4, 1)
      }
      for (const connection of connections) heartbeat.remove(connection)
      const before = JSON.stringify(all)
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual(JSON.stringify(all), before)
    }))
})
