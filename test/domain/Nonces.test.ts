/** Which nonces are known, held against a plain list. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck, HashMap, Option, SortedMap } from "effect"
import { Nonce, Seq } from "../../src/domain/Event.ts"
import * as Nonces from "../../src/domain/Nonces.ts"

const step = FastCheck.record({
  // Mostly new ones, of few networks.
  nonce: FastCheck.nat({ max: 5000 }),
  origin: FastCheck.constantFrom("a", "a", "b", "c"),
  later: FastCheck.oneof(
    { weight: 200, arbitrary: FastCheck.nat({ max: 800 }) },
    { weight: 1, arbitrary: FastCheck.constantFrom(Nonces.nonceLife - 1, Nonces.nonceLife, Nonces.nonceLife / 2) }
  )
})

/** The list after one more, oldest first. */
const remember = (list: ReadonlyArray<Nonces.Used>, used: Nonces.Used): ReadonlyArray<Nonces.Used> => {
  const all = [...list.filter(({ at, nonce }) => nonce !== used.nonce && used.at - at < Nonces.nonceLife), used]
  const own = all.filter(({ origin }) => origin === used.origin)
  return own.length <= Nonces.noncesOfNetwork ? all : all.filter((one) => one !== own[0])
}

// An `Option` is iterable, and `deepStrictEqual` takes any two of them for the same.
const placeOf = (nonces: Nonces.Nonces, nonce: Nonce, at: number): Seq | undefined =>
  Option.getOrUndefined(Nonces.find(nonces, nonce, at))

describe("Nonces", () => {
  it.prop(
    "are known for ten minutes, two hundred of a network, and the oldest are forgotten first",
    [FastCheck.array(step, { minLength: 400, maxLength: 800 })],
    ([steps]) => {
      let nonces = Nonces.empty
      let list: ReadonlyArray<Nonces.Used> = []
      let at = 0
      for (const [n, { later, nonce: number, origin }] of steps.entries()) {
        at += later
        const nonce = Nonce(`nonce ${number}`)
        const known = list.find((used) => used.nonce === nonce && at - used.at < Nonces.nonceLife)
        assert.strictEqual(placeOf(nonces, nonce, at), known?.seq)
        // As the fold does: what is known is not used again.
        if (known !== undefined) continue
        const used = { nonce, seq: Seq(2 * n), at, origin }
        nonces = Nonces.remember(nonces, used)
        list = remember(list, used)
      }
      assert.deepStrictEqual(Array.from(SortedMap.values(nonces.inOrder)), list)
      assert.strictEqual(HashMap.size(nonces.known), list.length)
      // The last steps may have used nothing: then some are still kept, and yet too old.
      for (const used of list) {
        const expected = at - used.at < Nonces.nonceLife ? used.seq : undefined
        assert.strictEqual(placeOf(nonces, used.nonce, at), expected)
      }
      // Nothing of a network is left of which nothing is known.
      assert.deepStrictEqual(
        Array.from(HashMap.keys(nonces.ofOrigin)).toSorted(),
        Array.from(new Set(list.map(({ origin }) => origin))).toSorted()
      )
    },
    // To make it smaller would take minutes.
    { fastCheck: { numRuns: 20, endOnFailure: true } }
  )

  it("are forgotten at the very moment at which ten minutes are over", () => {
    const nonce = Nonce("nonce")
    const nonces = Nonces.remember(Nonces.empty, { nonce, seq: Seq(7), at: 100, origin: "a" })
    assert.strictEqual(placeOf(nonces, nonce, 100 + Nonces.nonceLife - 1), Seq(7))
    assert.isUndefined(placeOf(nonces, nonce, 100 + Nonces.nonceLife))
    // Then it may be used again, and stands where it was used last.
    const again = Nonces.remember(nonces, { nonce, seq: Seq(9), at: 100 + Nonces.nonceLife, origin: "b" })
    assert.strictEqual(placeOf(again, nonce, 100 + Nonces.nonceLife), Seq(9))
    assert.strictEqual(HashMap.size(again.known), 1)
  })

  it("are two hundred of a network, whatever another one does", () => {
    let nonces = Nonces.empty
    const use = (name: string, seq: number, origin: string) => {
      nonces = Nonces.remember(nonces, { nonce: Nonce(name), seq: Seq(seq), at: 0, origin })
    }
    const isKnown = (name: string) => Option.isSome(Nonces.find(nonces, Nonce(name), 0))
    use("of b", 0, "b")
    for (let n = 1; n <= Nonces.noncesOfNetwork; n++) use(`of a ${n}`, n, "a")
    assert.deepStrictEqual([isKnown("of b"), isKnown("of a 1")], [true, true])
    use("of a, too many", 1000, "a")
    assert.deepStrictEqual([isKnown("of b"), isKnown("of a 1"), isKnown("of a 2")], [true, false, true])
  })

  it("are a hundred thousand in all", () => {
    let nonces = Nonces.empty
    const count = Nonces.noncesInAll + 3
    const nonce = (n: number) => Nonce(`nonce ${n}`)
    for (let n = 0; n < count; n++) {
      nonces = Nonces.remember(nonces, { nonce: nonce(n), seq: Seq(n), at: 0, origin: `origin ${n % 1000}` })
    }
    assert.strictEqual(HashMap.size(nonces.known), Nonces.noncesInAll)
    assert.isTrue(Option.isNone(Nonces.find(nonces, nonce(2), 0)))
    assert.isTrue(Option.isSome(Nonces.find(nonces, nonce(3), 0)))
  })
})
