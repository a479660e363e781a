import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Nonce } from "../../src/domain/Event.ts"
import { Command } from "../../src/wire/Command.ts"
import * as JsonInput from "../../src/wire/JsonInput.ts"
import { OperatorCommand } from "../../src/wire/OperatorCommand.ts"
import { text } from "../support/arbitraries.ts"

const maxLine = 64
const read = JsonInput.make(maxLine)
const ask = (object: object) => read(JSON.stringify(object))

const nonce = "b1f0b1f0_-b1f0b1f0"
const longWord = "x".repeat(512)
const notTexts = [undefined, null, 7, true, [], {}, ["a"]]
const notMaybeTexts = [null, 7, true, [], {}]

type Fields = Readonly<Record<string, unknown>>

const operators = (
  word: string,
  [fields, act]: readonly [Fields, OperatorCommand],
  ...bad: ReadonlyArray<Fields>
): { readonly good: ReadonlyArray<readonly [Fields, Command]>; readonly bad: ReadonlyArray<Fields> } => ({
  good: [[fields, Command.Operate({ command: word, act })]],
  bad
})

/** What each verb makes of its fields; and fields that it does not take, each beside the good ones. */
const verbs: Readonly<
  Record<string, { readonly good: ReadonlyArray<readonly [Fields, Command]>; readonly bad: ReadonlyArray<Fields> }>
> = {
  say: {
    good: [
      [{ text: "hi" }, Command.Say({ text: "hi" })],
      [{ text: "/quit" }, Command.Say({ text: "/quit" })],
      [{ text: "who" }, Command.Say({ text: "who" })],
      [{ text: " hi " }, Command.Say({ text: " hi " })],
      [{ text: "hi", nonce }, Command.Say({ text: "hi", nonce: Nonce(nonce) })],
      [{ text: "" }, Command.Empty()],
      [{ text: " \t\u3000" }, Command.Empty()]
    ],
    bad: [...notTexts.map((text) => ({ text })), { text: "hi", nonce: 7 }]
  },
  to: {
    good: [
      [{ name: "Bob", text: "hi" }, Command.Tell({ name: "Bob", text: "hi" })],
      [{ name: "Bob", text: "hi", nonce }, Command.Tell({ name: "Bob", text: "hi", nonce: Nonce(nonce) })],
      // Who it is for is looked at first.
      [{ name: "Bob", text: " " }, Command.Tell({ name: "Bob", text: " " })],
      [{ name: "", text: "hi" }, Command.Tell({ name: "", text: "hi" })]
    ],
    bad: [
      ...notTexts.map((name) => ({ name, text: "hi" })),
      ...notTexts.map((text) => ({ name: "Bob", text })),
      { name: `${longWord}x`, text: "hi" }
    ]
  },
  rename: {
    good: [
      [{ name: "Bob" }, Command.Rename({ name: "Bob", secret: undefined })],
      [{ name: "Bob", secret: "a#b c" }, Command.Rename({ name: "Bob", secret: "a#b c" })],
      // No secret hides in a name.
      [{ name: "Bob#secret" }, Command.Rename({ name: "Bob#secret", secret: undefined })],
      [{ name: longWord }, Command.Rename({ name: longWord, secret: undefined })]
    ],
    bad: [
      ...notTexts.map((name) => ({ name })),
      ...notMaybeTexts.map((secret) => ({ name: "Bob", secret })),
      { name: `${longWord}x` },
      { name: "Bob", secret: `${longWord}x` }
    ]
  },
  secret: { good: [[{ secret: "open sesame" }, Command.Secret({ secret: "open sesame" })]], bad: [{}, { secret: 7 }] },
  disown: { good: [[{}, Command.Disown()]], bad: [] },
  history: {
    good: [
      [{}, Command.History({ limit: 20 })],
      [{ limit: 7 }, Command.History({ limit: 7 })],
      [{ limit: 1001 }, Command.History({ limit: 1000 })],
      [{ limit: 2 ** 53 - 1 }, Command.History({ limit: 1000 })],
      [{ before: 9 }, Command.History({ limit: 20, before: 9 })],
      [{ after: 0, before: 9, limit: 1 }, Command.History({ limit: 1, after: 0, before: 9 })]
    ],
    bad: [
      ...[0, -1, 1.5, null, "7", []].map((limit) => ({ limit })),
      ...[-1, 1.5, 2 ** 53, null, "7", []].flatMap((place) => [{ before: place }, { after: place }])
    ]
  },
  missed: { good: [[{}, Command.Missed()]], bad: [] },
  who: {
    good: [[{}, Command.Who({ room: undefined })], [{ room: "#tea" }, Command.Who({ room: "#tea" })]],
    bad: notMaybeTexts.map((room) => ({ room }))
  },
  join: { good: [[{ room: "tea" }, Command.Join({ room: "tea" })]], bad: notTexts.map((room) => ({ room })) },
  leave: { good: [[{}, Command.Leave()]], bad: [] },
  rooms: { good: [[{}, Command.Rooms()]], bad: [] },
  ignore: {
    good: [[{}, Command.Ignore({ name: undefined })], [{ name: "Bob" }, Command.Ignore({ name: "Bob" })]],
    bad: notMaybeTexts.map((name) => ({ name }))
  },
  unignore: { good: [[{ name: "Bob" }, Command.Unignore({ name: "Bob" })]], bad: notTexts.map((name) => ({ name })) },
  whois: {
    good: [[{}, Command.Whois({ name: undefined })], [{ name: "Bob" }, Command.Whois({ name: "Bob" })]],
    bad: notMaybeTexts.map((name) => ({ name }))
  },
  op: operators("op", [{ secret: "x" }, OperatorCommand.Op({ secret: "x" })], { secret: 7 }, {}),
  deop: operators("deop", [{}, OperatorCommand.Deop()]),
  kick: operators(
    "kick",
    [{ name: "Bob", reason: "go" }, OperatorCommand.Kick({ name: "Bob", reason: "go" })],
    { reason: "go" },
    { name: "Bob", reason: "x".repeat(257) }
  ),
  mute: operators(
    "mute",
    [{ name: "Bob", duration: "2m" }, OperatorCommand.Mute({ name: "Bob", duration: 120_000 })],
    ...["0s", "2", "2 m", 120, null].map((duration) => ({ name: "Bob", duration }))
  ),
  unmute: operators("unmute", [{ name: "Bob" }, OperatorCommand.Unmute({ name: "Bob" })], {}),
  ban: operators(
    "ban",
    [
      { target: "Bob", duration: "2h", reason: "go" },
      OperatorCommand.Ban({ target: "Bob", duration: 7_200_000, reason: "go" })
    ],
    { target: "Bob", duration: "later" },
    { target: "Bob", reason: 7 }
  ),
  unban: operators("unban", [{ target: "::1" }, OperatorCommand.Unban({ target: "::1" })], {}),
  bans: operators("bans", [{}, OperatorCommand.Bans()]),
  lock: operators("lock", [{}, OperatorCommand.Lock()]),
  unlock: operators("unlock", [{}, OperatorCommand.Unlock()]),
  release: operators("release", [{ name: "Bob" }, OperatorCommand.Release({ name: "Bob" })], {}),
  erase: operators(
    "erase",
    [{ target: "Bob", duration: "1d" }, OperatorCommand.Erase({ whose: "Bob", duration: 86_400_000 })],
    { duration: "1d" },
    { target: "Bob", duration: "x" }
  ),
  announce: operators("announce", [{ text: "a" }, OperatorCommand.Announce({ text: "a" })], { text: 7 }, {}),
  stats: { good: [[{}, Command.Stats()]], bad: [] },
  quit: { good: [[{}, Command.Quit()]], bad: [] }
}

const goodIds = [undefined, 0, 7, -7, 2 ** 53 - 1, 1 - 2 ** 53, "", "a", "é".repeat(64), "7", "\n"]
const badIds = [null, true, 1.5, 2 ** 53, -(2 ** 53), "x".repeat(65), [], {}, [7]]

/** All texts in what a line asks for. */
const textsOf = (command: object): ReadonlyArray<string> =>
  Object.entries(command).flatMap(([field, value]) => field !== "_tag" && typeof value === "string" ? [value] : [])

const isGoodId = (id: unknown) =>
  id === undefined || typeof id === "string" && id.length <= 64 || typeof id === "number" && Number.isSafeInteger(id)

const anyWord = FastCheck.oneof(FastCheck.constantFrom(...Object.keys(JsonInput.verbs)), text)

/** Objects that are nearly, or quite, what is asked for. */
const anyObject = FastCheck.record({
  do: FastCheck.oneof(anyWord, FastCheck.jsonValue()),
  id: FastCheck.oneof(FastCheck.constantFrom(...goodIds), FastCheck.jsonValue()),
  text: FastCheck.oneof(text, FastCheck.jsonValue()),
  name: FastCheck.oneof(text, FastCheck.jsonValue()),
  target: FastCheck.oneof(text, FastCheck.jsonValue()),
  reason: FastCheck.oneof(text, FastCheck.jsonValue()),
  duration: FastCheck.oneof(FastCheck.constant("1h"), text, FastCheck.jsonValue()),
  room: FastCheck.oneof(text, FastCheck.jsonValue()),
  secret: FastCheck.oneof(text, FastCheck.jsonValue()),
  nonce: FastCheck.oneof(FastCheck.constant(nonce), text, FastCheck.jsonValue()),
  limit: FastCheck.oneof(FastCheck.integer(), FastCheck.jsonValue()),
  before: FastCheck.oneof(FastCheck.maxSafeInteger(), FastCheck.jsonValue()),
  after: FastCheck.oneof(FastCheck.maxSafeInteger(), FastCheck.jsonValue())
}, { requiredKeys: [] })

const anyLine = FastCheck.oneof(text, FastCheck.json(), anyObject.map((object) => JSON.stringify(object)))

describe("JsonInput", () => {
  it.prop("makes a request of bounded size of any line, and never throws", [anyLine], ([line]) => {
    const { command, id } = read(line)
    assert.isTrue(isGoodId(id))
    assert.strictEqual(Command.$is("Blank")(command), !/\S/.test(line))
    for (const text of [...textsOf(command), ...Command.$is("Operate")(command) ? textsOf(command.act) : []]) {
      assert.isAtMost(text.length, 512)
      assert.isTrue(text.isWellFormed(), JSON.stringify(text))
    }
    if (Command.$is("Say")(command) || Command.$is("Tell")(command)) {
      assert.isAtMost(Buffer.byteLength(command.text), maxLine)
    }
    if (Command.$is("History")(command)) assert.isTrue(command.limit >= 1 && command.limit <= 1000)
  }, { fastCheck: { numRuns: 3000 } })

  it("has a row here for each verb, and takes no fields but those that the rows have", () => {
    assert.sameMembers(Object.keys(verbs), Object.keys(JsonInput.verbs))
    for (const [word, { bad, good }] of Object.entries(verbs)) {
      const fields = [...good.map(([fields]) => fields), ...bad].flatMap((fields) => Object.keys(fields))
      assert.sameMembers([...new Set(fields)], [...JsonInput.verbs[word]!.fields], word)
    }
  })

  for (const [word, { bad, good }] of Object.entries(verbs)) {
    it(`reads "${word}" with its fields, and passes over all that it does not know`, () => {
      for (const [fields, command] of good) {
        assert.deepEqual(ask({ do: word, ...fields, id: 7 }), { command, id: 7 })
        assert.deepEqual(ask({ later: [{}], ...fields, do: word }).command, command)
      }
    })

    it(`answers "${word}" with other fields that it is malformed`, () => {
      for (const fields of bad) {
        // Whether that is told depends on who asks.
        const command = good.some(([, command]) => Command.$is("Operate")(command))
          ? Command.Operate({ command: word, act: OperatorCommand.Malformed() })
          : Command.Malformed()
        assert.deepEqual(ask({ do: word, ...fields, id: 7 }), { command, id: 7 })
      }
    })
  }

  it("asks for nothing with a line of white space", () => {
    for (const line of ["", " ", "\t\u3000 "]) {
      assert.deepEqual(read(line), { command: Command.Blank(), id: undefined })
    }
  })

  it("finds whatever is no object with a verb malformed", () => {
    const malformed = { command: Command.Malformed(), id: undefined }
    for (const line of ["who", "/quit", "7", "null", "\"say\"", "[]", "[{\"do\":\"who\"}]", "{", "{}{}", "{'do':1}"]) {
      assert.deepEqual(read(line), malformed, line)
    }
    assert.deepEqual(read("{}"), malformed)
    for (const word of [null, 7, ["who"], {}]) {
      assert.deepEqual(ask({ do: word, id: 7 }), { command: Command.Malformed(), id: 7 })
    }
    assert.deepEqual(read(`${"[".repeat(8000)}${"]".repeat(8000)}`), malformed)
    assert.deepEqual(
      read(`{"do":"who","x":${"[".repeat(8000)}${"]".repeat(8000)}}`).command,
      Command.Who({ room: undefined })
    )
  })

  it("says which verb it does not know, and not more of it than fits", () => {
    for (const word of ["json", "time", "help", "Say", "say ", "constructor", "__proto__", "toString", ""]) {
      assert.deepEqual(ask({ do: word, id: "a" }), { command: Command.Unknown({ command: word }), id: "a" })
    }
    assert.deepEqual(ask({ do: "x".repeat(99) }).command, Command.Unknown({ command: "x".repeat(64) }))
  })

  it("gives back a number within 2^53, or a short text, as the answer's own", () => {
    for (const id of goodIds) assert.deepEqual(ask({ do: "quit", id }), { command: Command.Quit(), id })
  })

  it("gives back no number at all where there is none that it could give back", () => {
    for (const id of badIds) {
      assert.deepEqual(ask({ do: "quit", id }), { command: Command.Malformed(), id: undefined })
      assert.deepEqual(ask({ do: "nonsense", id }), { command: Command.Malformed(), id: undefined })
    }
    assert.deepEqual(read("{\"do\":\"quit\",\"id\":1e400}"), { command: Command.Malformed(), id: undefined })
    assert.deepEqual(read("{\"do\":\"quit\",\"id\":9007199254740993}"), { command: Command.Malformed(), id: undefined })
  })

  it("takes a nonce of 16 to 64 letters, digits, `_` and `-`, and no other", () => {
    for (const nonce of ["0123456789abcdef", "A-Za-z0-9_-ZZZZZ", "x".repeat(64)]) {
      assert.deepEqual(ask({ do: "say", text: "hi", nonce }).command, Command.Say({ text: "hi", nonce: Nonce(nonce) }))
    }
    for (
      const nonce of [
        "",
        "x".repeat(15),
        "x".repeat(65),
        "0123456789abcde ",
        "0123456789abcdé",
        "0123456789abcdef\n",
        null
      ]
    ) {
      assert.deepEqual(ask({ do: "say", text: "hi", nonce }).command, Command.Malformed(), JSON.stringify(nonce))
      assert.deepEqual(ask({ do: "to", name: "Bob", text: "hi", nonce }).command, Command.Malformed())
    }
  })

  it("counts the bytes of a text, not of its line", () => {
    for (
      const fits of ["x".repeat(maxLine), "é".repeat(maxLine / 2), "\"".repeat(maxLine), `${"\n".repeat(maxLine - 1)}x`]
    ) {
      assert.deepEqual(ask({ do: "say", text: fits }).command, Command.Say({ text: fits }))
      assert.deepEqual(ask({ do: "to", name: "Bob", text: fits }).command, Command.Tell({ name: "Bob", text: fits }))
      assert.deepEqual(ask({ do: "say", text: `${fits}x`, id: 7 }), { command: Command.TooLong(), id: 7 })
      assert.deepEqual(ask({ do: "to", name: "Bob", text: `${fits}x`, id: 7 }), { command: Command.TooLong(), id: 7 })
    }
    // As UTF-8 a lone surrogate is U+FFFD, which has three bytes.
    assert.deepEqual(ask({ do: "say", text: "\ud800".repeat(maxLine / 3 + 1) }).command, Command.TooLong())
  })

  it("puts U+FFFD in the place of each half of a character, and leaves line breaks to those who tell of it", () => {
    assert.deepEqual(
      ask({ do: "say", text: "a\ud83db\udc4bc👋\r\n" }).command,
      Command.Say({ text: "a\ufffdb\ufffdc👋\r\n" })
    )
    assert.deepEqual(
      ask({ do: "to", name: "\ud800", text: "\udc00" }).command,
      Command.Tell({ name: "\ufffd", text: "\ufffd" })
    )
    assert.deepEqual(ask({ do: "join", room: "\udc00" }).command, Command.Join({ room: "\ufffd" }))
    assert.deepEqual(ask({ do: "secret", secret: "\udc00abcdef" }).command, Command.Secret({ secret: "\ufffdabcdef" }))
  })
})
