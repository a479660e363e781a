import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { networkOf } from "../../src/domain/Address.ts"
import { Caps } from "../../src/doors/Caps.ts"

const limits = { maxConnections: 3, maxConnectionsPerIp: 2, ratePerIp: 10, burst: 5 }

describe("Caps", () => {
  it("says which cap one more connection would break, the server's first", () => {
    const caps = new Caps(limits)
    caps.enter("10.0.0.1", 0)
    assert.isUndefined(caps.reached("10.0.0.1"))
    caps.enter("10.0.0.1", 0)
    assert.strictEqual(caps.reached("10.0.0.1"), "address-full")
    assert.isUndefined(caps.reached("10.0.0.2"))
    caps.enter("10.0.0.2", 0)
    assert.strictEqual(caps.reached("10.0.0.2"), "server-full")
    assert.strictEqual(caps.reached("10.0.0.1"), "server-full")
    caps.leave("10.0.0.1", 0)
    assert.isUndefined(caps.reached("10.0.0.1"))
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
      // It owes this for 100 ms.
      caps.enter(ip, i).take(i)
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
      assert.strictEqual(caps.reached(ip), expected)
      if (expected !== undefined) continue
      caps.enter(ip, 0)
      open.push(ip)
    }
  })
})
