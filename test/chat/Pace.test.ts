import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Pace } from "../../src/chat/Pace.ts"

// Milliseconds are fractions for most rates.
const tolerance = 1e-6

/** When each line passes; each comes `gaps[i]` ms after the one before it has passed. */
const passages = (pace: Pace, gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let now = 0
  return gaps.map((gap) => {
    now += gap
    return now += pace.take(now)
  })
}

/** The same by a bucket that holds `burst` tokens at most and gets `rate` a second; each line takes one. */
const bucket = (rate: number, burst: number, gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let now = 0
  let tokens = burst
  const wait = (ms: number) => {
    now += ms
    tokens = Math.min(burst, tokens + ms * rate / 1000)
  }
  return gaps.map((gap) => {
    wait(gap)
    if (tokens < 1) wait((1 - tokens) * 1000 / rate)
    tokens -= 1
    return now
  })
}

const rate = FastCheck.integer({ min: 1, max: 1000 })
const burst = FastCheck.integer({ min: 1, max: 100 })

describe("Pace", () => {
  it("lets the burst pass at once, and after that `rate` a second", () => {
    const pace = new Pace(20, 3)
    assert.deepStrictEqual(passages(pace, [0, 0, 0, 0, 0, 0]), [0, 0, 0, 50, 100, 150])
  })

  it("grants the burst again after a rest", () => {
    const pace = new Pace(20, 3)
    assert.deepStrictEqual(passages(pace, [0, 0, 0, 150, 0, 0, 0]), [0, 0, 0, 150, 150, 150, 200])
  })

  it("saves up no more than the burst", () => {
    const pace = new Pace(20, 2)
    assert.deepStrictEqual(passages(pace, [0, 1_000_000, 0, 0]), [0, 1_000_000, 1_000_000, 1_000_050])
  })

  it("lets what costs many lines pass like one, and has it paid off before the next", () => {
    const pace = new Pace(20, 3)
    assert.strictEqual(pace.take(0, 16), 0)
    assert.isFalse(pace.isOpen(0))
    assert.deepStrictEqual(passages(pace, [0, 0]), [700, 750])
  })

  it("takes back what did not pass", () => {
    const pace = new Pace(20, 3)
    pace.take(0, 16)
    pace.giveBack(16)
    assert.deepStrictEqual(passages(pace, [0, 0, 0, 0]), [0, 0, 0, 50])
  })

  it("lets lines pass at its rate, however often it is tried in between", () => {
    const pace = new Pace(10, 2)
    const tries = (...times: ReadonlyArray<number>) => times.map((now) => pace.tryTake(now))
    assert.deepStrictEqual(tries(0, 0, 0, 50, 99), [true, true, false, false, false])
    assert.deepStrictEqual(tries(100, 101, 199, 200), [true, false, false, true])
    assert.deepStrictEqual(tries(1000, 1000, 1000), [true, true, false])
  })

  it("knows when nothing is owed any more", () => {
    const pace = new Pace(20, 3)
    assert.isTrue(pace.isPaid(0))
    pace.take(0, 2)
    assert.isFalse(pace.isPaid(99))
    assert.isTrue(pace.isPaid(100))
  })

  it.prop("lets everything pass at a rate of 0", [burst, FastCheck.array(FastCheck.nat(1000))], ([burst, gaps]) => {
    const pace = new Pace(0, burst)
    let now = 0
    for (const gap of gaps) assert.strictEqual(pace.take(now += gap), 0)
  })

  it.prop("takes (n - burst) / rate seconds for n lines", [rate, burst, FastCheck.integer({ min: 1, max: 300 })], ([
    rate,
    burst,
    n
  ]) => {
    const times = passages(new Pace(rate, burst), Array.from({ length: n }, () => 0))
    assert.approximately(times.at(-1) ?? NaN, Math.max(0, n - burst) * 1000 / rate, tolerance)
  })

  it.prop("lets each line pass just when a token bucket would", [
    rate,
    burst,
    FastCheck.array(FastCheck.oneof(FastCheck.constant(0), FastCheck.nat(200)), { maxLength: 300 })
  ], ([rate, burst, gaps]) => {
    const times = passages(new Pace(rate, burst), gaps)
    for (const [index, time] of bucket(rate, burst, gaps).entries()) {
      assert.approximately(times[index] ?? NaN, time, tolerance)
    }
  })
})
