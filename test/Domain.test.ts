import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { address, chooseName, nameKey } from "../src/Domain.ts"
import { chosenName, text } from "./support/arbitraries.ts"

const chosen = (text: string): string | undefined => Option.getOrUndefined(chooseName(text))

describe("chooseName", () => {
  for (
    const name of [
      "a",
      "Bob",
      "张三",
      "o_O-1.2",
      ".",
      "_",
      "Ｂｏｂ",
      "é",
      "ИВАН",
      "नमस्ते",
      "٣",
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
    "a star": "***",
    "a slash": "/who",
    "an emoji": "👋",
    "a joiner": "a\u200db",
    "a right-to-left override": "a\u202eb",
    "an escape": "a\u001bb",
    "an unpaired surrogate": "a\ud800",
    "server": "server",
    "server in other case": "SerVer",
    "system": "system",
    "system in capitals": "SYSTEM",
    "server in wide letters": "ｓｅｒｖｅｒ",
    "server with a mark that shows nothing": "ser\ufe0fver",
    "nothing but a mark that shows nothing": "\ufe0f",
    "nothing but letters that show nothing": "\u3164\u115f"
  }
  for (const [what, text] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.isUndefined(chosen(text)))
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
      assert.notInclude(["SERVER", "SYSTEM", ""], nameKey(granted))
    }
  }, { fastCheck: { numRuns: 1000 } })
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

describe("address", () => {
  const rows = [
    ["127.0.0.1", "127.0.0.1:4000"],
    ["::1", "[::1]:4000"],
    ["fe80::1%eth0", "[fe80::1%eth0]:4000"],
    ["::ffff:192.0.2.1", "192.0.2.1:4000"],
    ["::FFFF:192.0.2.1", "192.0.2.1:4000"],
    ["::ffff:c000:201", "[::ffff:c000:201]:4000"]
  ] as const
  for (const [ip, printed] of rows) {
    it(`prints ${ip} as ${printed}`, () => assert.strictEqual<string>(address(ip, 4000), printed))
  }
})
