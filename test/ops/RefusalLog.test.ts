import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import type { RefusalReason } from "../../src/domain/Reasons.ts"
import * as RefusalLog from "../../src/ops/RefusalLog.ts"
import { Stats } from "../../src/ops/Stats.ts"

describe("RefusalLog", () => {
  it.effect("writes one line a second for each reason, with a count, and what is left at its end", () => {
    const logged: Array<string> = []
    return Effect.gen(function*() {
      const stats = yield* Stats
      const refuse = (reason: RefusalReason, count: number, ip: string) => {
        for (let i = 0; i < count; i++) RefusalLog.note(stats, reason, `${ip}.${i % 5}`)
      }
      const log = yield* Effect.fork(RefusalLog.run)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(logged, [])
      refuse("server-full", 300, "10.0.0")
      refuse("handshake-timeout", 1, "10.0.1")
      yield* TestClock.adjust("900 millis")
      refuse("server-full", 2, "10.0.2")
      yield* TestClock.adjust("100 millis")
      assert.sameMembers(logged.splice(0), [
        "refused 302 connections: server-full, reason server-full, count 302, peers 10.0.0.0 10.0.0.1 10.0.0.2",
        "refused 1 connection: handshake-timeout, reason handshake-timeout, count 1, peers 10.0.1.0"
      ])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(logged, [])
      refuse("address-full", 2, "10.0.3")
      yield* Fiber.interrupt(log)
      assert.deepStrictEqual(logged, [
        "refused 2 connections: address-full, reason address-full, count 2, peers 10.0.3.0 10.0.3.1"
      ])
    }).pipe(
      Effect.provide(Stats.layer),
      Effect.provide(Logger.add(Logger.make(({ annotations, message }) => {
        const fields = Array.from(annotations, ([key, value]) => `, ${key} ${String(value)}`)
        logged.push(`${String(message)}${fields.join("")}`)
      })))
    )
  })
})
