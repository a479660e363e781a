import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Option from "effect/Option"
import * as Networks from "../../src/domain/Networks.ts"

const read = (text: string) => Option.getOrThrow(Networks.read(text))

describe("Networks", () => {
  it("knows who is in them, each kind of address, and nobody else", () => {
    const networks = read("10.0.0.0/8, 192.0.2.7,fd00::/8,::1")
    for (const ip of ["10.255.0.1", "192.0.2.7", "fd12::1", "::1", "::ffff:10.0.0.1"]) {
      assert.isTrue(Networks.has(networks, ip), ip)
    }
    for (const ip of ["11.0.0.1", "192.0.2.8", "fe80::1", "fe80::1%eth0", "::2", "::ffff:11.0.0.1", ""]) {
      assert.isFalse(Networks.has(networks, ip), ip)
    }
    assert.isTrue(Networks.has(read("fe80::/10"), "fe80::1%eth0"))
    assert.isTrue(Networks.has(read("0.0.0.0/0"), "10.0.0.1"))
    assert.isFalse(Networks.has(read("0.0.0.0/0"), "::1"))
  })

  for (
    const text of [
      "",
      "10.0.0.1,",
      "10.0.0.0/33",
      "fd00::/129",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "10.0.0",
      "010.0.0.1",
      "localhost",
      "10.0.0.1 10.0.0.2",
      "fe80::1%eth0",
      "::ffff:10.0.0.1",
      "::ffff:a00:0/104"
    ]
  ) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.isTrue(Option.isNone(Networks.read(text)))
    })
  }

  it.prop("reads anything or refuses it, and throws at nothing", [
    FastCheck.array(FastCheck.constantFrom(..."0129af:.,/ %", "::", "255", "10.0.0.1"))
  ], ([parts]) => {
    const networks = Networks.read(parts.join(""))
    if (Option.isSome(networks)) assert.isBoolean(Networks.has(networks.value, "10.0.0.1"))
  })
})
