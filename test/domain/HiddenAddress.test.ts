import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { createHmac, randomBytes } from "node:crypto"
import { Address, address, originOf } from "../../src/domain/Address.ts"
import { hide, keyBytes, keyOfDay } from "../../src/domain/HiddenAddress.ts"

const key = randomBytes(keyBytes)
const hidden = (ip: string, port = 4000) => hide(key, originOf(address(ip, port)))

describe("A hidden address", () => {
  it.prop("is a tilde and 8 small letters or digits, of whatever address", [
    FastCheck.oneof(FastCheck.ipV4(), FastCheck.ipV6())
  ], ([ip]) => {
    assert.match(hidden(ip), /^~[a-z2-7]{8}$/)
  })

  it("is made of an HMAC with SHA-256", () => {
    const bytes = createHmac("sha256", key).update("10.0.0.1").digest()
    const letters = Array.from(bytes.subarray(0, 8), (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31])
    assert.strictEqual<string>(hidden("10.0.0.1"), `~${letters.join("")}`)
  })

  it("is one for a network, whatever the port, and another one for another network or under another key", () => {
    assert.strictEqual(hidden("10.0.0.1", 1), hidden("::ffff:10.0.0.1", 2))
    assert.strictEqual(hidden("2001:db8::1"), hidden("2001:db8:0:0:ffff::2"))
    assert.notStrictEqual(hidden("2001:db8::1"), hidden("2001:db8:0:1::1"))
    assert.notStrictEqual(hidden("10.0.0.1"), hidden("10.0.0.2"))
    assert.notStrictEqual(hidden("10.0.0.1"), hide(randomBytes(keyBytes), "10.0.0.1"))
  })

  it("is another one each UTC day, and the same all day long", () => {
    const at = (time: string) => hide(keyOfDay(key, Date.parse(time)), "10.0.0.1")
    assert.strictEqual(at("2026-11-26T00:00:00Z"), at("2026-11-26T23:59:59.999Z"))
    assert.notStrictEqual(at("2026-11-26T23:59:59.999Z"), at("2026-11-27T00:00:00Z"))
    assert.notStrictEqual(at("2026-11-26T12:00:00Z"), at("2025-11-26T12:00:00Z"))
  })

  it("is the network that is bounded by it", () => {
    assert.strictEqual<string>(originOf(hidden("10.0.0.1")), hidden("10.0.0.1"))
    assert.strictEqual(originOf(Address("~abcdefgh")), "~abcdefgh")
  })
})
