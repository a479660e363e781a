import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { chooseName, longestName, nameKey } from "../../src/domain/Name.ts"
import { skeleton } from "../../src/domain/Skeleton.ts"
import { chosenName, text } from "../support/arbitraries.ts"

const chosen = (text: string): string | undefined =>
  Either.match(chooseName(text), {
    onLeft: () => undefined,
    onRight: (name) => name
  })

const whyNot = (text: string): string | undefined =>
  Either.match(chooseName(text), {
    onLeft: (why) => why,
    onRight: () => undefined
  })

describe("chooseName", () => {
  for (
    const name of [
      "a",
      "Bob",
      "张三",
      "o_O-1.2",
      "_a",
      "007a",
      "l.o",
      "Ολο",
      "Ｂｏｂ",
      "é",
      "ИВАН",
      "नमस्ते",
      "क्षि",
      "x".repeat(32),
      "𝒜".repeat(32)
    ]
  ) {
    it(`grants ${name}`, () => assert.strictEqual(chosen(name), name))
  }

  const refused = {
    "the empty text": "",
    "one code point more than 32": "x".repeat(33),
    "one astral code point more than 32": "𝒜".repeat(33),
    "a blank": "a b",
    "a blank before": " bob",
    "a blank behind": "bob ",
    "a wide blank": "a\u3000b",
    "a tabulator": "a\tb",
    "a line feed behind": "bob\n",
    "a line feed before": "\nbob",
    "a |": "a|b",
    "a [": "[a",
    "a :": "a:b",
    "an address": "127.0.0.1:4000",
    "a hidden address": "~abcdefgh",
    "one in wide letters": "～abcdefgh",
    "a star": "***",
    "a slash": "/who",
    "an emoji": "👋",
    "a joiner": "a\u200db",
    "a right-to-left override": "a\u202eb",
    "an escape": "a\u001bb",
    "an unpaired surrogate": "a\ud800",
    "an underline only": "_",
    "a point only": ".",
    "an address without a port": "10.0.0.1",
    "one that looks so": "1O.0.0.l",
    "one in other digits": "١٠.٠.٠.١",
    "digits only": "007",
    "a letter that looks like a colon": "127.0.0.1\ua4fd43272",
    "another": "127.0.0.1\u02d043272",
    "a mark first": "\u0301a",
    "marks only": "\u0301\u0302",
    "four marks in a row": "q\u0323\u0324\u0325\u0326",
    "a blank hieroglyph": "a\u{13441}",
    "a number joiner, which shows nothing": "admin\u{1107f}",
    "a conjoiner, which shows nothing": "admin\u{11f42}",
    "a consonant joiner, which shows nothing": "root\u2d7f",
    "a mark that shows nothing": "bo\ufe0fb",
    "a filler": "a\u3164",
    "nothing but a mark that shows nothing": "\ufe0f",
    "nothing but letters that show nothing": "\u3164\u115f"
  }
  for (const [what, text] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.isUndefined(chosen(text)))
  }

  for (
    const name of [
      "server",
      "SerVer",
      "SYSTEM",
      "ｓｅｒｖｅｒ",
      "系统",
      "管理员",
      "root",
      "R00T",
      "аdmin",
      "АDMIN",
      "ΑDΜΙΝ",
      "SΥSTEM",
      "ѕуѕtеm",
      "adrnin",
      "𝐫𝐨𝐨𝐭"
    ]
  ) {
    it(`reserves ${name}`, () => assert.strictEqual(whyNot(name), "reserved"))
  }

  it("grants names that only contain a reserved word", () => {
    assert.strictEqual(chosen("server1"), "server1")
    assert.strictEqual(chosen("my-system"), "my-system")
  })

  it("normalises to NFC, and counts code points after that", () => {
    assert.strictEqual(chosen("e\u0301"), "é")
    assert.strictEqual(chosen("e\u0301".repeat(32)), "é".repeat(32))
    assert.isUndefined(chosen("e\u0301".repeat(33)))
  })

  it.prop("grants any mix of letters, digits, _, - and .", [chosenName], ([name]) => {
    assert.strictEqual(chosen(name), name.normalize("NFC"))
  })

  it.prop("grants nothing that could break a line, a prefix or a command", [chosenName, text], ([name, text]) => {
    for (const granted of [chosen(text), chosen(name + text), chosen(text + name)]) {
      if (granted === undefined) continue
      assert.notMatch(granted, /[\s\p{C}\p{Z}\p{S}|[\]:*/]/u)
      assert.isAtMost(Array.from(granted).length, 32)
      assert.strictEqual(chosen(granted), granted)
      assert.notInclude(["SERVER", "SYSTEM", "系统", "管理员", "ROOT", "ADMIN", ""], nameKey(granted))
      assert.notMatch(skeleton(granted), /[:|[\]*#]/)
      assert.notMatch(granted, /\p{M}{4}|^[\p{Nd}.]+$|^\p{M}/u)
    }
  }, { fastCheck: { numRuns: 1000 } })
})

describe("Names", () => {
  it("hold no character at all whose skeleton is a part of a line or a command", () => {
    let looksLikeOne = 0
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code)
      if (!/[:|[\]*#∼]/.test(skeleton(character))) continue
      looksLikeOne++
      assert.isUndefined(chosen(`a${character}b`), `U+${code.toString(16)}`)
    }
    // The six themselves, the tilde of hidden addresses, and the letters and marks that look like a colon.
    assert.isAbove(looksLikeOne, 7)
  })

  const unicode = "/usr/share/unicode/UnicodeData.txt"
  it.skipIf(!existsSync(unicode))("hold nothing that Unicode calls a blank or a filler", () => {
    for (const line of readFileSync(unicode, "utf8").split("\n")) {
      const [code = "", name = ""] = line.split(";")
      if (!/\b(?:BLANK|FILLER)\b/.test(name)) continue
      assert.isUndefined(chosen(`a${String.fromCodePoint(Number.parseInt(code, 16))}b`), name)
    }
  })

  it("are refused in time, however costly they would be to normalise", () => {
    const marks = Array.from({ length: 2000 }, (_, i) => i % 2 === 0 ? "\u0301" : "\u0323").join("")
    assert.isUndefined(chosen(`a${marks}`))
    assert.isAbove(marks.length, longestName)
    for (let round = 0; round < 1000; round++) assert.isUndefined(chosen(`a${marks}`.slice(0, longestName)))
  })
})

describe("nameKey", () => {
  const same = [
    ["Bob", "bob"],
    ["Bob", "BOB"],
    ["Bob", "Ｂｏｂ"],
    ["straße", "STRASSE"],
    ["é", "e\u0301"],
    ["Σας", "ΣΑΣ"],
    ["ﬁ", "FI"],
    [
      "K",
      "\u212a"
    ],
    ["bob", "bo\ufe0fb"],
    ["é", "e\u034f\u0301"],
    ["ª", "a"]
  ] as const
  for (const [one, other] of same) {
    it(`is one for ${one} and ${other}`, () => assert.strictEqual(nameKey(one), nameKey(other)))
  }

  it("differs for names that differ in more than case and form", () => {
    const names = ["bob", "bob1", "bo_b", "b.ob", "bób", "张三", "张四", "127.0.0.1:4000", "127.0.0.1:4001"]
    assert.strictEqual(new Set(names.map(nameKey)).size, names.length)
  })

  it.prop("is the key of itself", [text], ([text]) => assert.strictEqual(nameKey(nameKey(text)), nameKey(text)))

  it.prop("does not depend on case or form", [chosenName], ([name]) => {
    for (const form of [name.toUpperCase(), name.toLowerCase(), name.normalize("NFD"), name.normalize("NFKC")]) {
      assert.strictEqual(nameKey(form), nameKey(name))
    }
  })
})
