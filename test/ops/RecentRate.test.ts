import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { RecentRate } from "../../src/ops/RecentRate.ts"

describe("RecentRate", () => {
  it("knows no rate from one sample", () => {
    assert.strictEqual(new RecentRate().sample(1000, 7), 0)
  })

  it("forgets what was more than 5 s ago", () => {
    const rate = new RecentRate()
    rate.sample(0, 0)
    assert.strictEqual(rate.sample(1000, 100), 100)
    for (let second = 2; second <= 6; second++) rate.sample(second * 1000, 100)
    assert.strictEqual(rate.sample(7000, 100), 0)
  })

  it.prop(
    "tells a steady rate exactly, whenever it is asked",
    [
      FastCheck.integer({ min: 1, max: 100 }),
      FastCheck.array(FastCheck.integer({ min: 1, max: 3000 }), { minLength: 1 })
    ],
    ([perMs, steps]) => {
      const rate = new RecentRate()
      let at = 0
      rate.sample(at, 0)
      for (const step of steps) {
        at += step
        assert.approximately(rate.sample(at, at * perMs), perMs * 1000, 1e-6)
      }
    }
  )
})
