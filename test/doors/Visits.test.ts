import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Networks from "../../src/domain/Networks.ts"
import { Visits } from "../../src/doors/Visits.ts"

const limits = { visitsPerIp: 60, visitsBurst: 3, allow: Option.none() }

/** Whether each of so many comes in. */
const come = (visits: Visits, count: number, now: number, ip = "10.0.0.1") =>
  Array.from({ length: count }, () => visits.come(ip, now))

describe("Visits", () => {
  it("lets so many come at once, and so many a minute after that", () => {
    const visits = new Visits(limits)
    assert.deepStrictEqual(come(visits, 4, 0), [true, true, true, false])
    assert.deepStrictEqual(come(visits, 2, 1000), [true, false])
    assert.deepStrictEqual(come(visits, 4, 1_000_000), [true, true, true, false])
  })

  it("lets as many of a network in that nobody lets rest", () => {
    const visits = new Visits(limits)
    const tries = Array.from({ length: 1000 }, (_, n) => visits.come("10.0.0.1", n * 100))
    assert.strictEqual(tries.filter((isIn) => isIn).length, 3 + 99)
  })

  it("takes a /64 as one, and each IPv4 address by itself", () => {
    const visits = new Visits(limits)
    assert.deepStrictEqual(come(visits, 3, 0, "2001:db8::1"), [true, true, true])
    assert.isFalse(visits.come("2001:db8:0:0:ffff::2", 0))
    assert.isTrue(visits.come("2001:db8:0:1::1", 0))
    assert.deepStrictEqual(come(visits, 4, 0, "10.0.0.1"), [true, true, true, false])
    assert.isTrue(visits.come("10.0.0.2", 0))
  })

  it("lets everybody in at 0, and whoever is allowed at any number", () => {
    const free = new Visits({ ...limits, visitsPerIp: 0 })
    assert.isTrue(come(free, 1000, 0).every((isIn) => isIn))
    assert.strictEqual(free.networks, 0)
    const some = new Visits({ ...limits, allow: Networks.read("10.0.9.0/24,2001:db8::/32") })
    for (const ip of ["10.0.9.9", "2001:db8:7::1"]) assert.isTrue(come(some, 1000, 0, ip).every((isIn) => isIn), ip)
    assert.deepStrictEqual(come(some, 4, 0, "10.0.8.9"), [true, true, true, false])
  })

  it("forgets networks that owe nothing any more", () => {
    const visits = new Visits(limits)
    for (let i = 0; i < 10_000; i++) visits.come(`2001:db8:${i.toString(16)}::1`, i * 100)
    assert.isAtMost(visits.networks, 1024)
  })
})
