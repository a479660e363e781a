/** Telnet and foreign protocols, as bytes: any cut of them gives the same. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Discarded, TooLong } from "../../src/wire/LineDecoder.ts"
import { Foreign, type Input, LineInput } from "../../src/wire/LineInput.ts"
import { maxSubnegotiation } from "../../src/wire/Telnet.ts"
import { cut, text } from "../support/arbitraries.ts"

const maxLine = 300

/** Reads all chunks. Whoever `stops` gives back what it has not read, after so many lines, and gets it again. */
const read = (chunks: ReadonlyArray<Buffer>, stops = Infinity) => {
  const input = new LineInput(maxLine)
  const lines: Array<Input> = []
  const answers: Array<Buffer> = []
  const keep = (line: Input) => {
    if (typeof line === "object") answers.push(line.answer)
    // How much of a line was thrown away before it was known to be too long depends on the cut.
    else if (line === Discarded) discarded++
    else lines.push(line)
  }
  let count = 0
  let discarded = 0
  for (const chunk of chunks) {
    for (let left = chunk; left.length > 0;) {
      input.feed(left)
      let stopped = 0
      for (let line = input.next(); line !== undefined; line = input.next()) {
        keep(line)
        if (line === Foreign) return { lines, answers: Buffer.concat(answers), discarded }
        if (++count % stops === 0) {
          stopped = input.giveBack()
          for (let rest = input.next(); rest !== undefined; rest = input.next()) {
            keep(rest)
            if (rest === Foreign) return { lines, answers: Buffer.concat(answers), discarded }
          }
          break
        }
      }
      left = left.subarray(left.length - stopped)
    }
  }
  const last = input.last()
  if (last !== undefined) lines.push(last)
  return { lines, answers: Buffer.concat(answers), discarded }
}

const bytes = (...parts: ReadonlyArray<string | ReadonlyArray<number>>) =>
  Buffer.concat(parts.map((part) => typeof part === "string" ? Buffer.from(part) : Buffer.from(part)))

// What telnet is made of, and texts between.
const part: FastCheck.Arbitrary<Buffer> = FastCheck.oneof(
  FastCheck.constantFrom(0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf0, 0xf4, 0, 1, 0x0d, 0x0a, 0x16, 0x03).map((byte) =>
    Buffer.from([byte])
  ),
  FastCheck.constantFrom("\r\n", "\n", "\r\0", "who\n", "GET / HTTP/1.1\r\n", "SSH-2.0-x\n").map((text) =>
    Buffer.from(text)
  ),
  text.map((text) => Buffer.from(text))
)
const traffic = FastCheck.array(part, { maxLength: 40 }).map((parts) => Buffer.concat(parts))

describe("LineInput", () => {
  it.prop("gives the same lines and answers however the bytes are cut, and whoever stops in between", [
    traffic.chain((bytes) => FastCheck.tuple(FastCheck.constant(bytes), cut(bytes))),
    FastCheck.integer({ min: 1, max: 5 })
  ], ([[whole, chunks], stops]) => {
    const { answers, lines } = read([whole])
    assert.deepOwnInclude(read(chunks), { answers, lines })
    assert.deepOwnInclude(read(chunks, stops), { answers, lines })
  })

  it.prop(
    "gives text without 0xFF as it is",
    [FastCheck.array(text.filter((text) => !/[\n\0]/.test(text)))],
    ([texts]) => {
      const lines = ["first", ...texts]
      const expected = lines.map((line) => Buffer.from(line).toString().replace(/\r$/, "").replace(/^\ufeff/, ""))
        .filter((line) => Buffer.byteLength(line) <= maxLine - 5)
      const short = lines.filter((line) => Buffer.byteLength(line) <= maxLine - 5)
      assert.deepStrictEqual(
        read([bytes(...short.map((line) => `${line}\n`))]).lines,
        expected.slice(0, short.length)
      )
    }
  )

  const rows: ReadonlyArray<readonly [what: string, input: Buffer, lines: ReadonlyArray<Input>, answers?: Buffer]> = [
    [
      "refuses what PuTTY offers, and reads its first command",
      bytes([0xff, 0xfb, 0x1f, 0xff, 0xfb, 0x20, 0xff, 0xfd, 1], "rename|Putty\r\n"),
      ["rename|Putty"],
      bytes([0xff, 0xfe, 0x1f, 0xff, 0xfe, 0x20, 0xff, 0xfc, 1])
    ],
    [
      "takes Ctrl-C of `telnet` out",
      bytes("he", [0xff, 0xf4, 0xff, 0xfd, 6], "llo\n"),
      ["hello"],
      bytes([
        0xff,
        0xfc,
        6
      ])
    ],
    [
      "refuses an option once",
      bytes([0xff, 0xfd, 3, 0xff, 0xfd, 3, 0xff, 0xfb, 3]),
      [],
      bytes([
        0xff,
        0xfc,
        3,
        0xff,
        0xfe,
        3
      ])
    ],
    ["answers no refusal", bytes([0xff, 0xfe, 3, 0xff, 0xfc, 3], "a\n"), ["a"]],
    ["reads IAC IAC as U+FFFD", bytes("a", [0xff, 0xff], "b\n"), ["a\ufffdb"]],
    ["takes a subnegotiation out, IAC IAC in it too", bytes("a", [0xff, 0xfa, 24, 0xff, 0xff, 10, 0xff, 0xf0], "b\n"), [
      "ab"
    ]],
    [
      "reads on where a subnegotiation is too long",
      bytes([0xff, 0xfa], "x".repeat(maxSubnegotiation), "said\n"),
      ["said"]
    ],
    ["ends lines as telnet in character mode does", bytes("one\r\0two\r\nthree\n"), ["one", "two", "three"]],
    ["leaves NUL alone elsewhere", bytes("a\0b\n\0\n"), ["a\0b", "\0"]],
    ["leaves CR alone", bytes("a\rb\n"), ["a\rb"]],
    ["knows an HTTP request", bytes("POST /x HTTP/1.1\r\nHost: y\r\n\r\nrename|x\n"), [Foreign]],
    ["knows one that is too long", bytes(`GET /${"x".repeat(5000)} HTTP/1.1\r\n`), [Foreign]],
    ["knows one behind blank lines", bytes("\r\n\r\0 \nPOST / HTTP/1.1\r\n\r\nhello\n"), ["", "", " ", Foreign]],
    ["knows one that does not end", bytes("GET / HTTP/1.0"), [Foreign]],
    ["knows HTTP/2", bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), [Foreign]],
    ["knows TLS by its first bytes", bytes([0x16, 3, 1, 2, 0]), [Foreign]],
    ["knows SSH", bytes("SSH-2.0-OpenSSH_9.2\r\n"), [Foreign]],
    ["knows the PROXY protocol, version 2", bytes("\r\n\r\n\0\r\nQUIT\n!\x11\0\f"), ["", "", Foreign]],
    ["knows the PROXY protocol", bytes("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), [Foreign]],
    ["lets people write of HTTP later", bytes("hi\nGET / HTTP/1.1\n"), ["hi", "GET / HTTP/1.1"]],
    ["lets people write much at first", bytes(`hello ${"x".repeat(1000)}\nhi\n`), [TooLong, "hi"]]
  ]
  for (const [what, input, lines, answers = Buffer.alloc(0)] of rows) {
    it(what, () => {
      assert.deepOwnInclude(read([input]), { lines, answers })
      assert.deepOwnInclude(read([...input].map((byte) => Buffer.from([byte]))), { lines, answers })
    })
  }

  it("has each so many bytes of telnet paid for like those of a line that is too long", () => {
    const input = Buffer.alloc(2 * maxLine + 2, Buffer.from([0xff, 0xf1]))
    assert.deepOwnInclude(read([input]), { lines: [], discarded: 2 })
    assert.deepOwnInclude(read([...input].map((byte) => Buffer.from([byte]))), { lines: [], discarded: 2 })
  })
})
