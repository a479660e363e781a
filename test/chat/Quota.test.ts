/** A quota, held against a plain list of all that was taken. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { day, hour, Quota } from "../../src/chat/Quota.ts"

const period = 1000
const step = FastCheck.record({
  key: FastCheck.constantFrom("a", "b", "c"),
  later: FastCheck.oneof(
    { weight: 4, arbitrary: FastCheck.nat({ max: 200 }) },
    { weight: 1, arbitrary: FastCheck.constantFrom(period - 1, period, period + 1) }
  ),
  takes: FastCheck.boolean()
})

describe("Quota", () => {
  it.prop(
    "is open for a key if fewer than its number were taken in the period before",
    [FastCheck.integer({ min: 1, max: 4 }), FastCheck.array(step, { maxLength: 60 })],
    ([count, steps]) => {
      const quota = new Quota(count, period)
      const taken: Array<{ readonly key: string; readonly at: number }> = []
      let now = 0
      for (const { key, later, takes } of steps) {
        now += later
        const recent = taken.filter((one) => one.key === key && one.at > now - period).length
        assert.strictEqual(quota.isOpen(key, now), recent < count)
        // Whoever takes without a look takes all the same.
        if (!takes) continue
        quota.take(key, now)
        taken.push({ key, at: now })
      }
    }
  )

  it("changes nothing by a look", () => {
    const quota = new Quota(1, period)
    for (let n = 0; n < 3; n++) assert.isTrue(quota.isOpen("a", n))
    assert.strictEqual(quota.size, 0)
  })

  it("forgets keys that are out of date, before they are more than twice as many as those that are not", () => {
    const quota = new Quota(1, period)
    for (let n = 0; n < 3000; n++) quota.take(`first ${n}`, 0)
    assert.strictEqual(quota.size, 3000)
    for (let round = 1; round <= 20; round++) {
      for (let n = 0; n < 500; n++) quota.take(`${round} ${n}`, round * period)
      assert.isAtMost(quota.size, 4096)
    }
    assert.isAtMost(quota.size, 1024)
    assert.isFalse(quota.isOpen("20 0", 20 * period))
  })

  it("knows an hour and a day", () => {
    assert.strictEqual(hour, 60 * 60 * 1000)
    assert.strictEqual(day, 24 * 60 * 60 * 1000)
  })
})
