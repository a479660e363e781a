import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Command, type HelpTopic, parse, topics } from "../src/Command.ts"
import { chosenName, text } from "./support/arbitraries.ts"

/** What each topic of the help promises, for the name and the text in its spelling. */
const promised: { readonly [Topic in HelpTopic]: (name: string, text: string) => Command } = {
  who: () => Command.Who(),
  rename: (name) => Command.Rename({ name }),
  to: (name, text) => Command.Tell({ name, text }),
  stats: () => Command.Stats(),
  help: () => Command.Help(),
  quit: () => Command.Quit(),
  say: (_, text) => Command.Say({ text: `/${text}` })
}

const spellings = topics.flatMap(({ topic, usage }) => usage.split(", ").map((spelling) => ({ topic, spelling })))

describe("Command", () => {
  const rows: ReadonlyArray<readonly [line: string, Command]> = [
    ["who", Command.Who()],
    ["/who", Command.Who()],
    ["rename|bob", Command.Rename({ name: "bob" })],
    ["rename|", Command.Rename({ name: "" })],
    ["rename|a|b", Command.Rename({ name: "a|b" })],
    ["/rename bob", Command.Rename({ name: "bob" })],
    ["/rename   bob  ", Command.Rename({ name: "bob" })],
    ["/rename", Command.Rename({ name: "" })],
    ["/nick bob", Command.Rename({ name: "bob" })],
    ["to|bob|hi", Command.Tell({ name: "bob", text: "hi" })],
    ["to|a|b|c", Command.Tell({ name: "a", text: "b|c" })],
    ["to|bob|", Command.Tell({ name: "bob", text: "" })],
    ["to||hi", Command.Tell({ name: "", text: "hi" })],
    ["to|127.0.0.1:4000|hi", Command.Tell({ name: "127.0.0.1:4000", text: "hi" })],
    ["to|bob", Command.TellMalformed()],
    ["to|", Command.TellMalformed()],
    ["/to bob hi there", Command.Tell({ name: "bob", text: "hi there" })],
    ["/to bob", Command.Tell({ name: "bob", text: "" })],
    ["/to", Command.Tell({ name: "", text: "" })],
    ["/msg bob a|b", Command.Tell({ name: "bob", text: "a|b" })],
    ["/stats", Command.Stats()],
    ["/help", Command.Help()],
    ["/quit", Command.Quit()],
    ["//who", Command.Say({ text: "/who" })],
    ["//", Command.Say({ text: "/" })],
    ["///", Command.Say({ text: "//" })],
    ["/xyz", Command.Unknown({ command: "/xyz" })],
    ["/xyz some words", Command.Unknown({ command: "/xyz" })],
    ["/WHO", Command.Unknown({ command: "/WHO" })],
    ["/constructor", Command.Unknown({ command: "/constructor" })],
    ["/", Command.Unknown({ command: "/" })],
    ["", Command.Blank()],
    [" \t\u00a0\u3000", Command.Blank()],
    ["\r", Command.Blank()],
    ["who is there", Command.Say({ text: "who is there" })],
    ["rename", Command.Say({ text: "rename" })],
    ["rename bob", Command.Say({ text: "rename bob" })],
    ["to", Command.Say({ text: "to" })],
    ["to bob hi", Command.Say({ text: "to bob hi" })],
    ["help", Command.Say({ text: "help" })],
    [" who", Command.Say({ text: " who" })],
    ["hello", Command.Say({ text: "hello" })]
  ]
  for (const [line, command] of rows) {
    it(`reads ${JSON.stringify(line)} as ${JSON.stringify(command)}`, () => {
      assert.deepStrictEqual(parse(line), command)
    })
  }

  it.prop("says every text as it is that is no command, whatever it holds", [text], ([text]) => {
    const isCommand = text === "who" || /^(\/|rename\||to\|)/.test(text)
    FastCheck.pre(text.trim() !== "" && !isCommand)
    assert.deepStrictEqual(parse(text), Command.Say({ text }))
  })

  it.prop("says whatever stands behind a doubled slash", [text], ([text]) => {
    assert.deepStrictEqual(parse(`//${text}`), Command.Say({ text: `/${text}` }))
  })

  it.prop("takes everything behind the second | as the text", [chosenName, text], ([name, text]) => {
    assert.deepStrictEqual(parse(`to|${name}|${text}`), Command.Tell({ name, text }))
  })

  it.prop("makes a command of every line that begins like one", [
    FastCheck.constantFrom(
      { start: "to|", tags: ["Tell", "TellMalformed"] },
      { start: "/to ", tags: ["Tell"] },
      { start: "/msg\t", tags: ["Tell"] },
      { start: "rename|", tags: ["Rename"] },
      { start: "/nick ", tags: ["Rename"] },
      { start: "/who ", tags: ["Who"] },
      { start: "/", tags: ["Who", "Rename", "Tell", "Help", "Quit", "Say", "Unknown"] }
    ),
    text
  ], ([{ start, tags }, text]) => assert.include(tags, parse(start + text)._tag))

  it.prop("does what the help says, for each spelling in it", [
    FastCheck.constantFrom(...spellings),
    chosenName,
    text
  ], ([{ topic, spelling }, name, text]) => {
    const line = spelling.replace("NAME", () => name).replace("TEXT", () => text)
    assert.deepStrictEqual(parse(line), promised[topic](name, text))
  })

  it("names each of its words in the help", () => {
    for (const { slash: [words], usage } of topics) {
      for (const word of words) assert.include(usage.split(/[ ,]+/), `/${word}`)
    }
  })

  it("explains each command in the help", () => {
    assert.sameMembers(topics.map(({ topic }) => topic), Object.keys(promised))
  })
})
