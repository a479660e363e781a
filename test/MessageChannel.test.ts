import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Fiber } from "effect"
import * as MessageChannel from "../src/MessageChannel.ts"

/** A channel of numbers, each as large as it says. */
const make = (limit: number) =>
  Effect.gen(function*() {
    const offered: Array<number> = []
    const lost: Array<number> = []
    const channel = yield* MessageChannel.make<number>({
      limit,
      sizeOf: (size) => size,
      onOffered: (size) => offered.push(size),
      onLost: (size) => lost.push(size)
    })
    return { channel, offered, lost }
  })

describe("MessageChannel", () => {
  it.effect.prop("gives everything once, in the order of offering, and never holds more than its limit", [
    FastCheck.integer({ min: 1, max: 100 }),
    FastCheck.array(FastCheck.integer({ min: 1, max: 60 }), { maxLength: 60 })
  ], ([limit, sizes]) =>
    Effect.gen(function*() {
      const { channel, offered } = yield* make(limit)
      const offers = yield* Effect.forEach(sizes, (size) => Effect.fork(channel.offer(size)))
      yield* Effect.yieldNow()
      const taken: Array<number> = []
      while (taken.length < sizes.length) {
        const some = yield* channel.takeAll
        assert.isTrue(some.length === 1 || some.reduce((sum, size) => sum + size, 0) <= limit)
        taken.push(...some)
      }
      assert.deepStrictEqual(taken, sizes)
      assert.deepStrictEqual(offered, sizes)
      yield* Fiber.joinAll(offers)
    }))

  it.effect("lets nobody pass those who wait, however small", () =>
    Effect.gen(function*() {
      const { channel } = yield* make(10)
      assert.isTrue(channel.unsafeOffer(6))
      const large = yield* Effect.fork(channel.offer(5))
      yield* Effect.yieldNow()
      assert.isFalse(channel.unsafeOffer(1))
      assert.deepStrictEqual(yield* channel.takeAll, [6])
      yield* Fiber.join(large)
      assert.isTrue(channel.unsafeOffer(1))
      assert.deepStrictEqual(yield* channel.takeAll, [5, 1])
    }))

  it.effect("takes one that is larger than its limit alone", () =>
    Effect.gen(function*() {
      const { channel } = yield* make(10)
      assert.isTrue(channel.unsafeOffer(1000))
      assert.isFalse(channel.unsafeOffer(1))
      assert.deepStrictEqual(yield* channel.takeAll, [1000])
    }))

  it.effect("forgets whoever is interrupted while it waits", () =>
    Effect.gen(function*() {
      const { channel } = yield* make(10)
      assert.isTrue(channel.unsafeOffer(10))
      const [one, other] = [yield* Effect.fork(channel.offer(1)), yield* Effect.fork(channel.offer(2))]
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(one)
      assert.deepStrictEqual(yield* channel.takeAll, [10])
      yield* Fiber.join(other)
      assert.deepStrictEqual(yield* channel.takeAll, [2])
    }))

  it.effect("keeps nobody waiting once it is closed, and says what is lost", () =>
    Effect.gen(function*() {
      const { channel, lost } = yield* make(10)
      assert.isTrue(channel.unsafeOffer(9))
      const waiting = yield* Effect.fork(channel.offer(8))
      yield* Effect.yieldNow()
      yield* channel.close
      yield* Fiber.join(waiting)
      yield* channel.offer(7)
      assert.isTrue(channel.unsafeOffer(6))
      assert.sameMembers(lost, [9, 8, 7, 6])
      assert.deepStrictEqual(yield* channel.takeAll, [])
    }))
})
