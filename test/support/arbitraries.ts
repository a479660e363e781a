/** What the laws are tried on. */
import { FastCheck } from "effect"
import { chooseName } from "../../src/domain/Name.ts"

// What breaks lines, drives terminals, separates words, or is more than one code unit.
const awkward = FastCheck.constantFrom(
  ..."\n\r\t\v\f\0\u0007\b\u001b\u007f\u0085\u009b\u009f\u00a0\u061c\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2066",
  ..."\u2069\u3000\ufe0f\ufeff\ufffd |/*[]:张é👋",
  "\ud800",
  "\udc00",
  "\r\n",
  "e\u0301",
  "👩‍👩‍👧"
)

/** Any text, unpaired surrogates included. */
export const text: FastCheck.Arbitrary<string> = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  FastCheck.array(FastCheck.oneof(awkward, FastCheck.string({ unit: "binary", maxLength: 3 }))).map((parts) =>
    parts.join("")
  )
)

/** A name that a user may choose. */
export const chosenName: FastCheck.Arbitrary<string> = FastCheck
  .array(FastCheck.constantFrom(..."abzABZ019_-.张Ｂßéñक"), { minLength: 1, maxLength: 32 })
  .map((letters) => letters.join(""))
  .filter((name) => chooseName(name)._tag === "Right")

/** `bytes` in chunks, cut at any places. */
export const cut = (bytes: Buffer): FastCheck.Arbitrary<ReadonlyArray<Buffer>> =>
  FastCheck.array(FastCheck.nat({ max: bytes.length })).map((places) => {
    const sorted = [0, ...places.toSorted((a, b) => a - b), bytes.length]
    return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
  })
