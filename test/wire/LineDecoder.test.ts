import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Discarded, type Line, LineDecoder, TooLong } from "../../src/wire/LineDecoder.ts"
import { cut } from "../support/arbitraries.ts"

/** All that the decoder gives for the chunks; each is overwritten once it was taken, as a reused buffer would be. */
const decode = (maxLine: number, chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Line> => {
  const decoder = new LineDecoder(maxLine)
  const lines: Array<Line> = []
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk)
    decoder.feed(bytes)
    for (let line = decoder.next(); line !== undefined; line = decoder.next()) lines.push(line)
    bytes.fill("!")
  }
  const last = decoder.last()
  return last === undefined ? lines : [...lines, last]
}

const decodeText = (maxLine: number, text: string) => decode(maxLine, [Buffer.from(text)])
const isLine = (line: Line) => line !== Discarded

/** What the lines are, said the simple way: of the whole input at once. Latin-1 makes a character of each byte. */
const reference = (maxLine: number, input: Buffer): ReadonlyArray<Line> => {
  const pieces = input.toString("latin1").split("\n")
  if (pieces.at(-1) === "") pieces.pop()
  return pieces.map((piece) => {
    const bytes = Buffer.from(piece.replace(/\r$/, ""), "latin1")
    return bytes.length > maxLine ? TooLong : new TextDecoder().decode(bytes)
  })
}

const input = FastCheck.array(
  FastCheck.oneof(
    {
      weight: 3,
      arbitrary: FastCheck.constantFrom("a", "\n", "\r\n", "\r", "\ufeff", "é", "张", "👋").map(Buffer.from)
    },
    { weight: 1, arbitrary: FastCheck.string({ minLength: 20, maxLength: 120 }).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: FastCheck.uint8Array({ maxLength: 12 }) }
  ),
  { maxLength: 60 }
).map((parts) => Buffer.concat(parts))

const maxLine = FastCheck.oneof(FastCheck.integer({ min: 1, max: 20 }), FastCheck.integer({ min: 100, max: 300 }))

describe("LineDecoder", () => {
  it.prop(
    "gives the same lines however the bytes are cut",
    [maxLine, input.chain((bytes) => FastCheck.tuple(FastCheck.constant(bytes), cut(bytes)))],
    ([maxLine, [bytes, chunks]]) =>
      assert.deepStrictEqual(decode(maxLine, chunks).filter(isLine), reference(maxLine, bytes)),
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop("gives the same lines byte by byte", [maxLine, input], ([maxLine, bytes]) => {
    const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte))
    assert.deepStrictEqual(decode(maxLine, chunks).filter(isLine), reference(maxLine, bytes))
  })

  it("ends a line at a line feed, with or without a carriage return before it", () => {
    assert.deepStrictEqual(decodeText(16, "one\ntwo\r\n\n\r\nthree\n"), ["one", "two", "", "", "three"])
  })

  it("keeps a carriage return that is not before a line feed", () => {
    assert.deepStrictEqual(decodeText(16, "a\rb\r\r\n"), ["a\rb\r"])
  })

  for (const lineBreak of ["\n", "\r\n"]) {
    const name = JSON.stringify(lineBreak)

    it(`passes a line of exactly the limit that ends with ${name}`, () => {
      assert.deepStrictEqual(decodeText(4, `abcd${lineBreak}`), ["abcd"])
    })

    it(`counts bytes, not characters, of a line that ends with ${name}`, () => {
      assert.deepStrictEqual(decodeText(6, `张张${lineBreak}张张a${lineBreak}`).filter(isLine), ["张张", TooLong])
    })

    it(`tells once of a line with one byte more that ends with ${name}, and reads the next one`, () => {
      assert.deepStrictEqual(decodeText(4, `abcde${lineBreak}next${lineBreak}`).filter(isLine), [TooLong, "next"])
    })
  }

  it("tells of a line that is too long before its end has come", () => {
    assert.deepStrictEqual(decodeText(4, "abcde").filter(isLine), [TooLong])
  })

  it("gives an unterminated last line at the end of the input", () => {
    assert.deepStrictEqual(decodeText(16, "one\ntwo"), ["one", "two"])
  })

  it("gives no last line where the input ended with a line break, or within a line that is too long", () => {
    assert.deepStrictEqual(decodeText(4, "one\n"), ["one"])
    assert.deepStrictEqual(decodeText(4, "abcdef").filter(isLine), [TooLong])
  })

  it("puts U+FFFD in place of what is not UTF-8", () => {
    const lines = decode(16, [Buffer.from([0x61, 0xff, 0x62, 0x0a]), Buffer.from([0xe5, 0xbc, 0x0a, 0xa0, 0x0a])])
    assert.deepStrictEqual(lines, ["a\ufffdb", "\ufffd", "\ufffd"])
  })

  it("keeps a character whole that was cut in the middle", () => {
    const bytes = Buffer.from("👋\n")
    assert.deepStrictEqual(decode(16, [bytes.subarray(0, 2), bytes.subarray(2)]), ["👋"])
  })

  it("drops a leading byte order mark, and no other", () => {
    assert.deepStrictEqual(decodeText(16, "\ufeffwho\na\ufeffb\n"), ["who", "a\ufeffb"])
  })

  it.prop(
    "charges for every further `maxLine` bytes of a line that is too long, however small the chunks",
    [
      FastCheck.integer({ min: 4, max: 20 }),
      FastCheck.integer({ min: 1, max: 500 }),
      FastCheck.integer({ min: 1, max: 64 })
    ],
    ([maxLine, over, size]) => {
      const length = maxLine + over
      const bytes = Buffer.from(`${"x".repeat(length)}\nnext\n`)
      const chunks = Array.from(
        { length: Math.ceil(bytes.length / size) },
        (_, index) => bytes.subarray(index * size, (index + 1) * size)
      )
      const lines = decode(maxLine, chunks)
      assert.deepStrictEqual(lines.filter(isLine), [TooLong, "next"])
      const charges = lines.length - 2
      // What was held before the line was known to be too long, `maxLine + 1` bytes at most, is charged with `TooLong`.
      assert.isAtLeast(charges, Math.floor((length - maxLine - 1) / maxLine))
      assert.isAtMost(charges, Math.floor(length / maxLine))
    }
  )
})
