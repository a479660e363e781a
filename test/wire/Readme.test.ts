/** What programmers are told of the JSON form is what the server does. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Schema } from "effect"
import { readFileSync } from "node:fs"
import type { Output } from "../../src/domain/Output.ts"
import { defaults } from "../../src/Flags.ts"
import { Command } from "../../src/wire/Command.ts"
import * as JsonForm from "../../src/wire/JsonForm.ts"
import * as JsonInput from "../../src/wire/JsonInput.ts"
import * as PlainForm from "../../src/wire/PlainForm.ts"
import { outputs, reasons } from "../support/outputs.ts"

const page = readFileSync(new URL("../../src/wire/README.md", import.meta.url), "utf8")

const parse = Schema.decodeUnknownSync(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

/** All lines in fenced blocks of JSON; and of consoles, as far as they are JSON. */
const examples = [...page.matchAll(/^( *)```(json|console)\n([^]*?)^ *```$/gm)].flatMap(([, , kind, block = ""]) =>
  block.split("\n").map((line) => line.trim()).filter((line) => kind === "json" ? line !== "" : line.startsWith("{"))
)
const commands = examples.filter((line) => "do" in parse(line))
const fromServer = examples.filter((line) => "kind" in parse(line))

/** The names of the fields, and of those inside them. */
const shapeOf = (value: unknown): string => {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].join(" or ")}]`
  if (typeof value !== "object" || value === null) return "_"
  return `{${Object.entries(value).map(([name, value]) => `${name}: ${shapeOf(value)}`).join(", ")}}`
}
const lineShape = (line: string) => {
  const object = parse(line)
  return `${object["kind"]} ${object["ok"]}: ${shapeOf(object)}`
}

const form = JsonForm.make(PlainForm.make(defaults), defaults.maxLine)

/** What the form makes of many outputs. */
const rendered = Object.values(outputs).flatMap((output) =>
  FastCheck.sample<Output>(output, { numRuns: 50, seed: 1 }).flatMap((output) =>
    `${form.render(output, 0)}${form.answer(output, 0, 7)}`.split("\n").slice(0, -1)
  )
)
/** Of empty lists nothing can be said. */
const shapes = new Set(rendered.map(lineShape).filter((shape) => !shape.includes("[]")))

/** What stands in code in the first column of the table with this head. */
const column = (head: string) => {
  const [, table = ""] = new RegExp(`^\\| ${head} \\|.*\\n\\|[- |]*\\n((?:\\|.*\\n)*)`, "m").exec(page) ?? []
  return table.split("\n").slice(0, -1).flatMap((row) =>
    [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
  )
}

describe("The page on the JSON form", () => {
  it("has only commands that are read", () => {
    const read = JsonInput.make(defaults.maxLine)
    assert.isNotEmpty(commands)
    for (const line of commands) {
      const { command, id } = read(line)
      assert.notInclude(["Malformed", "Unknown", "Empty", "TooLong", "Blank"], command._tag, line)
      assert.strictEqual(id, parse(line)["id"], line)
    }
    assert.isTrue(Command.$is("Malformed")(read("{\"do\":\"say\"}").command), "this would have been noticed")
  })

  it("has an example of each verb, and of each of its fields, and no others", () => {
    for (const [word, { fields }] of Object.entries(JsonInput.verbs)) {
      const ofVerb = commands.map((line) => parse(line)).filter((command) => command["do"] === word)
      assert.isNotEmpty(ofVerb, word)
      const used = new Set(ofVerb.flatMap((command) => Object.keys(command)))
      assert.sameMembers([...used].filter((name) => name !== "do" && name !== "id"), [...fields], word)
    }
  })

  it("has an example of each line that the server can say, with exactly its fields, and no others", () => {
    assert.deepStrictEqual([...new Set(fromServer.map(lineShape))].toSorted(), [...shapes].toSorted())
  })

  it("has all codes of refusals and of notices, and no others", () => {
    assert.sameMembers(column("code"), [...new Set(Object.values(JsonForm.codes))])
    assert.sameMembers(column("notice"), Object.values(JsonForm.noticeCodes).filter((code) => code !== undefined))
  })

  it("says of each command what its answer carries, and names no command that is none", () => {
    assert.sameMembers(column("command"), Object.keys(JsonInput.verbs))
    const [, ...rows] = /\| code \| why \| of \|\n[^]*?\n\n/.exec(page)?.[0].trim().split("\n") ?? []
    for (const row of rows) {
      for (const [, word = ""] of row.split("|")[3]!.matchAll(/`([^`]+)`/g)) assert.property(JsonInput.verbs, word)
    }
  })

  it("has all reasons for which somebody leaves", () => {
    const [sentence = ""] = /Reasons: [^]*?\.\n/.exec(page) ?? []
    assert.sameMembers([...sentence.matchAll(/`([^`]+)`/g)].map(([, reason]) => reason), [...reasons])
  })

  it("shows the words that the server uses", () => {
    const plain = PlainForm.make(defaults)
    const words = [
      plain.words({ _tag: "Skipped", lines: 37 }),
      plain.words({ _tag: "IdleWarning", seconds: 60 }),
      plain.words({ _tag: "NameTaken" })
    ]
    const texts = fromServer.map((line) => parse(line)).filter((line) => "code" in line).map(({ text }) => text)
    for (const text of words) assert.include(texts, text)
  })
})
