/** The parts of the terminal client that know neither a terminal nor a socket: laws. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { Move } from "../../src/client/Presence.ts"
import { addressOf, parse } from "../../src/terminal/Args.ts"
import { languageOf, wordsIn } from "../../src/terminal/Language.ts"
import { privateLine, saidLine } from "../../src/terminal/Piped.ts"
import * as Style from "../../src/terminal/Style.ts"
import { told } from "../../src/terminal/Told.ts"
import { View } from "../../src/terminal/View.ts"
import type { Told } from "../../src/wire/JsonLines.ts"
import { text } from "../support/arbitraries.ts"

const { array, boolean, constantFrom, oneof, record, tuple } = FastCheck

/** What drives a terminal, and what does not. */
const hostile = oneof(
  text,
  tuple(constantFrom("\x1b[", "\x1b]0;", "\x9b", "\x07", "\r", "\n", "\x1bP", "\u202e", "\x7f", "\u2028"), text).map((
    all
  ) => all.join(""))
)
const me = "Me\x1b[2J"
const from = record({ addr: hostile, name: oneof(hostile, constantFrom(me)) })
const time = constantFrom("2026-11-26T00:00:00.000Z", "2026-11-27T10:11:12.000Z")
const spoken = record({
  kind: FastCheck.constant("said" as const),
  seq: FastCheck.nat(),
  room: hostile,
  time,
  from,
  text: hostile
})
const written = { time, from, to: hostile, text: hostile }
const message = oneof(record(written), record({ ...written, kept: FastCheck.constant(true as const) }))
const style = record({
  wording: constantFrom(wordsIn("zh"), wordsIn("en")),
  depth: constantFrom(1, 4, 8, 24)
})

// Colours, and a bell before all else: whatever else is left is none of ours.
// oxlint-disable no-control-regex -- control characters are what it is about
const withoutOwn = (line: string) => line.replace(/^\x07/, "").replace(/\x1b\[[0-9;]*m/g, "")
const control = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

describe("What is shown in a terminal", () => {
  it.prop("holds no control but its own colours and bell, whatever a server says", [
    style,
    array(oneof(
      spoken.map((line) => (view: View) => view.said([line], true)),
      message.map((message) => (view: View) => view.told(message)),
      hostile.map((text) => (view: View) => view.note(text)),
      hostile.map((text) => (view: View) => view.heading(text)),
      tuple(constantFrom<Move>("came", "left"), hostile).map(([move, name]) => (view: View) => view.moved(move, name))
    ))
  ], ([style, acts]) => {
    const lines: Array<string> = []
    const view = new View(style, (...more) => lines.push(...more), () => me)
    for (const act of acts) act(view)
    view.note("")
    for (const line of lines) assert.notMatch(withoutOwn(line), control)
    if (style.depth === 1) { for (const line of lines) assert.notInclude(line, "\x1b") }
  })

  it.prop("ends each colour", [style, spoken, message], ([style, line, message]) => {
    for (
      const shown of [
        Style.said(style, line, { me: "Me", hasTime: true }),
        Style.told(style, message, { me: "Me", hasTime: true })
      ]
    ) {
      const [ons = 0, offs = 0] = [/\x1b\[(?!0m)/g, /\x1b\[0m/g].map((code) => [...shown.matchAll(code)].length)
      assert.strictEqual(ons, offs)
    }
  })

  it.prop("is one line in a pipe, without any control", [spoken, message], ([line, message]) => {
    for (const shown of [saidLine(line), privateLine(message)]) assert.notMatch(shown, control)
  })

  it("has only colours that can be read on black and on white", () => {
    const levels = [0, 95, 135, 175, 215, 255]
    const light = (value = 0) => value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
    for (const colour of Style.palette) {
      const at = colour - 16
      const [r, g, b] = [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((level) => light(levels[level]))
      const luminance = 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
      assert.isAtLeast((luminance + 0.05) / 0.05, 4, String(colour))
      assert.isAtLeast(1.05 / (luminance + 0.05), 4, String(colour))
    }
  })

  it("tells of a day where it begins, and gathers who comes and goes", () => {
    const lines: Array<string> = []
    const view = new View({ wording: wordsIn("en"), depth: 1 }, (...more) => lines.push(...more), () => "Me")
    const line = (time: string, text: string) =>
      ({ kind: "said", seq: 1, room: "lobby", time, from: { addr: "a", name: "Bob" }, text }) as const
    view.times(true)
    view.said([line("2026-11-25T12:00:00.000Z", "one"), line("2026-11-25T12:00:01.000Z", "two")], false)
    view.moved("came", "Ann")
    view.moved("came", "Cem")
    view.moved("left", "Cem")
    view.times(false)
    view.said([line("2026-11-25T12:00:02.000Z", "three")], true)
    assert.match(lines[0] ?? "", /^--- .*25 November 2026|November 25, 2026.* ---$/)
    assert.deepStrictEqual(lines.slice(1).map((line) => line.replace(/^[\d:]{8} /, "")), [
      "Bob: one",
      "Bob: two",
      "*** Ann came",
      "Bob: three"
    ])
  })
})

describe("A line of a server", () => {
  const person = { addr: "127.0.0.1:1", name: "Bob" }
  const good: ReadonlyArray<Told> = [
    { kind: "hello", v: 1, version: "0", log: "a", you: person, room: "lobby", seq: 1, maxLine: 9 },
    { kind: "said", seq: 1, room: "lobby", time: "2026-11-26T00:00:00.000Z", from: person, text: "" },
    { kind: "past", id: 4, seq: 1, room: "lobby", time: "2026-11-26T00:00:00.000Z", from: person, text: "" },
    { kind: "private", time: "2026-11-26T00:00:00.000Z", from: person, to: "Ann", text: "", kept: true },
    { kind: "online", room: "lobby", who: person, time: "2026-11-26T00:00:00.000Z" },
    { kind: "offline", room: "lobby", who: person, time: "2026-11-26T00:00:00.000Z", reason: "quit" },
    { kind: "came", room: "tea", who: person, time: "2026-11-26T00:00:00.000Z", from: "lobby", seq: 7 },
    { kind: "went", room: "lobby", who: person, time: "2026-11-26T00:00:00.000Z", to: "tea" },
    { kind: "renamed", room: "lobby", who: person, time: "2026-11-26T00:00:00.000Z", name: "Cem" },
    { kind: "users", room: "lobby", users: [{ ...person, since: "2026-11-26T00:00:00.000Z" }] },
    { kind: "rooms", rooms: [{ room: "lobby", users: 2 }] },
    { kind: "notice", code: "skipped", text: "", lines: 3 },
    { kind: "beat" },
    { kind: "answer", id: 1, ok: true, seq: 3 },
    { kind: "answer", ok: false, code: "busy", text: "" }
  ]

  it("is believed if it is as it must be, with what is new in it", () => {
    for (const line of good) {
      assert.deepStrictEqual<unknown>(told(JSON.stringify({ ...line, novel: 1 })), { ...line, novel: 1 })
    }
  })

  it("is passed over if a field that is used is another thing", () => {
    for (const line of good) {
      for (const field of Object.keys(line).filter((field) => !/^(?:v|seq|since)$/.test(field))) {
        assert.isUndefined(told(JSON.stringify({ ...line, [field]: { a: [] } })), `${line.kind} ${field}`)
      }
    }
    for (const line of ["", "null", "[]", "7", "{", "{\"kind\":\"constructor\"}", "{\"kind\":\"new\"}"]) {
      assert.isUndefined(told(line))
    }
    assert.isUndefined(told(JSON.stringify({ ...good[1], time: "never" })))
  })

  it.prop("is never believed by accident", [FastCheck.json()], ([line]) => assert.isUndefined(told(line)))
})

describe("The command line of the client", () => {
  it("takes an address in all its forms", () => {
    for (
      const [text, host, port] of [
        ["chat.example.org", "chat.example.org", 8888],
        ["127.0.0.1:9000", "127.0.0.1", 9000],
        ["[::1]:9000", "::1", 9000],
        ["[::1]", "::1", 8888],
        ["fd00::7", "fd00::7", 8888]
      ] as const
    ) assert.deepStrictEqual(addressOf(text), { host, port })
    for (const text of ["", ":9000", "a:0", "a:65536", "a b", "[::1", "a:b"]) assert.isUndefined(addressOf(text), text)
  })

  it("is refused with code 2 and its reason, and helps with code 0", () => {
    for (
      const args of [
        [],
        ["a", "b"],
        ["a", "--what"],
        ["a", "--lang", "fr"],
        ["a:b:c"],
        ["[a]:1"],
        ["a", "--tls-fingerprint", "12"],
        ["a", "--secret-file", "f"]
      ]
    ) {
      const parsed = parse(args)
      assert.isTrue("words" in parsed && parsed.code === 2 && parsed.words !== "", args.join(" "))
    }
    for (const flag of ["--help", "--version"]) {
      const parsed = parse([flag])
      assert.isTrue("words" in parsed && parsed.code === 0 && parsed.words !== "")
    }
  })

  it("knows TLS, a fingerprint with or without colons, a name, a room", () => {
    const digits = "ab".repeat(32)
    const fingerprint = Array.from({ length: 32 }, () => "AB").join(":")
    for (const typed of [digits, fingerprint]) {
      assert.deepStrictEqual(
        parse(["h:1", "--tls-fingerprint", typed, "--name", "N", "--room", "#dev", "--lang", "zh"]),
        {
          wanted: {
            host: "h",
            port: 1,
            isTls: true,
            fingerprint,
            name: "N",
            secretFile: undefined,
            room: "dev",
            language: "zh"
          }
        }
      )
    }
  })

  it.prop(
    "is in the language of the machine",
    [boolean(), constantFrom("LC_ALL", "LC_MESSAGES", "LANG")],
    ([isZh, key]) => {
      assert.strictEqual(
        languageOf({ LANG: "de_DE", LC_ALL: "", [key]: isZh ? "zh_CN.UTF-8" : "en_GB" }),
        isZh ? "zh" : "en"
      )
      assert.strictEqual(languageOf({ LC_ALL: "C", LANG: "zh_CN.UTF-8" }), "en")
      assert.strictEqual(languageOf({}), "en")
    }
  )
})
