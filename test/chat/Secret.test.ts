import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { scryptSync } from "node:crypto"
import { inspect } from "node:util"
import * as Secret from "../../src/chat/Secret.ts"
import { text } from "../support/arbitraries.ts"

const chosen = (text: string) => Option.getOrThrow(Secret.choose(text))
// An `Option` is iterable, and `deepStrictEqual` takes any two of them for the same.
const valueOf = (text: string) => Option.getOrUndefined(Option.map(Secret.choose(text), Redacted.value))

describe("Secret.choose", () => {
  it.prop(
    "takes any text of 6 code points to 128 bytes, composed and without the blanks around it, but for spoiled ones",
    [FastCheck.oneof(text, FastCheck.string({ unit: "grapheme", minLength: 4, maxLength: 60 }))],
    ([text]) => {
      const trimmed = text.replace(/^[\t\p{Zs}]*/u, "").replace(/[\t\p{Zs}]*$/u, "").normalize("NFC")
      const isAllowed = [...trimmed].length >= 6 && Buffer.from(trimmed).length <= 128 && !trimmed.includes("\ufffd")
      assert.strictEqual(valueOf(text), isAllowed ? trimmed : undefined)
    }
  )

  const rows = [
    ["12345", undefined],
    ["123456", "123456"],
    ["\u3000 123456\t\u00a0", "123456"],
    ["  1 3  ", undefined],
    ["1  2 3", "1  2 3"],
    ["👋👋👋👋👋", undefined],
    ["👋👋👋👋👋👋", "👋👋👋👋👋👋"],
    // Six code points that are five when they are composed.
    ["abcde\u0301", undefined],
    ["abcdee\u0301", "abcde\u00e9"],
    ["x".repeat(128), "x".repeat(128)],
    ["x".repeat(129), undefined],
    ["长".repeat(42), "长".repeat(42)],
    ["长".repeat(43), undefined],
    ["12345\ufffd", undefined],
    ["#12345", "#12345"]
  ] as const
  for (const [text, value] of rows) {
    it(`${value === undefined ? "refuses" : "takes"} ${JSON.stringify(text)}`, () => {
      assert.strictEqual(valueOf(text), value)
    })
  }

  it("gives what does not show itself", () => {
    const secret = chosen("correct horse")
    for (const shown of [String(secret), JSON.stringify({ secret }), inspect(secret, { depth: 9, showHidden: true })]) {
      assert.notInclude(shown, "correct")
    }
  })
})

describe("Secret.hash", () => {
  it.effect("is matched by the secret that it was made of, and by no other", () =>
    Effect.gen(function*() {
      const hashed = yield* Secret.hash(chosen("correct horse"))
      const [right, wrong, spoiled] = yield* Effect.all([
        Secret.matches(chosen(" correct horse\t"), hashed),
        Secret.matches(chosen("Correct horse"), hashed),
        Secret.matches(chosen("correct horse"), { ...hashed, hash: "no hash" })
      ])
      assert.deepStrictEqual([right, wrong, spoiled], [true, false, false])
    }))

  it.effect("is scrypt with N = 2^15, r = 8 and p = 1, over a salt that is never the same", () =>
    Effect.gen(function*() {
      const secret = "correct horse"
      const [one, other] = yield* Effect.all([Secret.hash(chosen(secret)), Secret.hash(chosen(secret))])
      assert.notStrictEqual(one.salt, other.salt)
      assert.notStrictEqual(one.hash, other.hash)
      assert.match(one.salt, /^[0-9a-f]{32}$/)
      const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
      assert.strictEqual(one.hash, scryptSync(secret, Buffer.from(one.salt, "hex"), 32, cost).toString("hex"))
    }))
})
