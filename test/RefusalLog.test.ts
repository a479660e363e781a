import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as RefusalLog from "../src/RefusalLog.ts"
import { Stats } from "../src/Stats.ts"

describe("RefusalLog", () => {
  it.effect("writes one line a second for each reason, with a count, and what is left at its end", () => {
    const logged: Array<string> = []
    return Effect.gen(function*() {
      const { refused } = yield* Stats
      const log = yield* Effect.fork(RefusalLog.run)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(logged, [])
      refused["server-full"] += 300
      refused["handshake-timeout"]++
      yield* TestClock.adjust("900 millis")
      refused["server-full"] += 2
      yield* TestClock.adjust("100 millis")
      assert.sameMembers(logged.splice(0), [
        "refused 302 connections: server-full",
        "refused 1 connection: handshake-timeout"
      ])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(logged, [])
      refused["address-full"] += 2
      yield* Fiber.interrupt(log)
      assert.deepStrictEqual(logged, ["refused 2 connections: address-full"])
    }).pipe(
      Effect.provide(Stats.layer),
      Effect.provide(Logger.add(Logger.make(({ message }) => {
        logged.push(String(message))
      })))
    )
  })
})
