import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Pace } from "../../src/chat/Pace.ts"
import { networkOf } from "../../src/domain/Address.ts"
import { Caps } from "../../src/doors/Caps.ts"

const limits = { maxConnections: 3, maxConnectionsPerIp: 2, ratePerIp: 10, burst: 5 }

describe("Caps", () => {
  it("says which cap one more connection would break, the server's first, and counts only who comes in", () => {
    const caps = new Caps(limits)
    assert.instanceOf(caps.enter("10.0.0.1", 0), Pace)
    assert.instanceOf(caps.enter("10.0.0.1", 0), Pace)
    assert.strictEqual(caps.enter("10.0.0.1", 0), "address-full")
    assert.instanceOf(caps.enter("10.0.0.2", 0), Pace)
    assert.strictEqual(caps.enter("10.0.0.2", 0), "server-full")
    assert.strictEqual(caps.enter("10.0.0.1", 0), "server-full")
    caps.leave("10.0.0.1", 0)
    assert.instanceOf(caps.enter("10.0.0.1", 0), Pace)
  })

  it("gives one pace to all connections of an address, and of a /64", () => {
    const caps = new Caps({ ...limits, maxConnections: 100 })
    assert.strictEqual(caps.enter("10.0.0.1", 0), caps.enter("10.0.0.1", 0))
    assert.strictEqual(caps.enter("10.0.0.2", 0), caps.enter("::ffff:10.0.0.2", 0))
    assert.strictEqual(caps.enter("2001:db8::1", 0), caps.enter("2001:db8:0:0:ffff::2", 0))
    assert.notStrictEqual(caps.enter("2001:db8::1", 0), caps.enter("2001:db8:0:1::1", 0))
    assert.notStrictEqual(caps.enter("10.0.0.1", 0), caps.enter("10.0.0.2", 0))
  })

  it("keeps a pace until what is owed is paid, so that to come again does not help", () => {
    const caps = new Caps(limits)
    const pace = caps.enter("10.0.0.1", 0)
    assert.instanceOf(pace, Pace)
    pace.take(0, 30)
    caps.leave("10.0.0.1", 0)
    assert.strictEqual(caps.enter("10.0.0.1", 2999), pace)
    caps.leave("10.0.0.1", 3000)
    assert.notStrictEqual(caps.enter("10.0.0.1", 3000), pace)
  })

  it("forgets networks that nobody comes from any more", () => {
    const caps = new Caps({ ...limits, maxConnections: 10_000 })
    for (let i = 0; i < 10_000; i++) {
      const ip = `2001:db8:${i.toString(16)}::1`
      const pace = caps.enter(ip, i)
      assert.instanceOf(pace, Pace)
      // It owes this for 100 ms.
      pace.take(i)
      caps.leave(ip, i)
    }
    assert.isAtMost(caps.networks, 1024)
  })

  it("knows the /64 however an address is written", () => {
    assert.strictEqual(networkOf("::1"), "0:0:0:0")
    assert.strictEqual(networkOf("fe80::1%eth0"), "fe80:0:0:0")
    assert.strictEqual(networkOf("1:2:3:4:5:6:7:8"), "1:2:3:4")
    assert.strictEqual(networkOf("1:2:3::"), "1:2:3:0")
    assert.strictEqual(networkOf("64:ff9b::10.0.0.1"), "64:ff9b:0:0")
    assert.strictEqual(networkOf("::ffff:10.0.0.1"), "10.0.0.1")
    assert.strictEqual(networkOf("10.0.0.1"), "10.0.0.1")
  })

  it.prop("has as many open as came in and did not leave", [FastCheck.array(FastCheck.nat({ max: 3 }))], ([visits]) => {
    const caps = new Caps({ ...limits, maxConnections: 4 })
    const open: Array<string> = []
    for (const who of visits) {
      const ip = `10.0.0.${who}`
      if (open.length > 0 && who === 3) {
        caps.leave(open.shift()!, 0)
        continue
      }
      const expected = open.length === 4
        ? "server-full"
        : open.filter((other) => other === ip).length === 2
        ? "address-full"
        : undefined
      const entered = caps.enter(ip, 0)
      if (expected === undefined) {
        assert.instanceOf(entered, Pace)
        open.push(ip)
      } else assert.strictEqual(entered, expected)
    }
  })
})
