import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Fiber } from "effect"
import * as MessageChannel from "../../src/chat/MessageChannel.ts"

/** A channel of numbers, each as large as it says. */
const make = (limit: number, patientLimit = limit) =>
  Effect.gen(function*() {
    const offered: Array<number> = []
    const lost: Array<number> = []
    const channel = yield* MessageChannel.make<number>({
      limit,
      patientLimit,
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

  it.effect("lets a few in after each rest of those who are patient, in their order, and everybody else before them", () =>
    Effect.gen(function*() {
      const { channel } = yield* make(100, 10)
      const patient = yield* Effect.forEach([6, 4, 5, 20, 1], (size) => Effect.fork(channel.offerPatiently(size)))
      yield* Effect.yieldNow()
      assert.isTrue(channel.unsafeOffer(50))
      assert.isTrue(channel.holdsPatient)
      assert.deepStrictEqual(yield* channel.takeAll, [6, 4, 50])
      assert.isFalse(channel.holdsPatient)
      assert.isTrue(channel.unsafeOffer(51))
      assert.deepStrictEqual(yield* channel.takeAll, [51])
      channel.endRest()
      assert.deepStrictEqual(yield* channel.takeAll, [5])
      channel.endRest()
      assert.isTrue(channel.unsafeOffer(51))
      assert.deepStrictEqual(yield* channel.takeAll, [20, 51])
      channel.endRest()
      assert.deepStrictEqual(yield* channel.takeAll, [1])
      yield* Fiber.joinAll(patient)
    }))

  it.effect("forgets whoever is interrupted while it is patient, and keeps nobody once it is closed", () =>
    Effect.gen(function*() {
      const { channel, lost } = yield* make(100, 1)
      const [one, two, three] = yield* Effect.forEach([1, 2, 3], (size) => Effect.fork(channel.offerPatiently(size)))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(two!)
      yield* channel.close
      yield* Fiber.joinAll([one!, three!])
      assert.sameMembers(lost, [1, 3])
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
