import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { address } from "../../src/domain/Address.ts"
import { Seq } from "../../src/domain/Event.ts"
import { Name, nameKey } from "../../src/domain/Name.ts"
import type { Notice, Output, Refusal } from "../../src/domain/Output.ts"
import { lobby } from "../../src/domain/Room.ts"
import { terminalSafe } from "../../src/domain/Text.ts"
import { defaults } from "../../src/Flags.ts"
import * as JsonForm from "../../src/wire/JsonForm.ts"
import * as PlainForm from "../../src/wire/PlainForm.ts"
import { text } from "../support/arbitraries.ts"
import { at, outputs, type Tag } from "../support/outputs.ts"
import { type Told, told } from "../support/program.ts"

const any: FastCheck.Arbitrary<Output> = FastCheck.oneof(...Object.values(outputs))
const anyId = FastCheck.oneof(
  FastCheck.constant(undefined),
  FastCheck.maxSafeInteger(),
  text.map((text) => text.slice(0, 64))
)

const langs = ["zh", "en"] as const
const forms = langs.map((lang) => {
  const plain = PlainForm.make({ ...defaults, lang })
  return { plain, json: JsonForm.make(plain, 4096) }
})

const isRefusal = (output: Output): output is Refusal => output._tag in JsonForm.codes
const isNotice = (output: Output): output is Notice => output._tag in JsonForm.noticeCodes

const linesOf = (text: string) => text.split("\n").slice(0, -1)

// By the properties of Unicode: TAB is the one control that may stay, and JSON writes that as `\t`.
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

const front = ({ addr, name }: { readonly addr: string; readonly name: string }) => `[${addr}]${name}:`

/** The people and the words that a line tells of, as a plain line has them. */
const wordsOf = (line: Told): ReadonlyArray<string> => {
  switch (line.kind) {
    case "said":
    case "past":
      return [`${front(line.from)}${line.text}`]
    case "online":
    case "offline":
    case "renamed":
      return [front(line.who)]
    case "came":
      return [front(line.who), line.room]
    case "went":
      return [front(line.who), line.to]
    case "private":
      return [line.from.name, line.text]
    case "users":
      return line.users.map(front)
    case "rooms":
      return line.rooms.map(({ room, users }) => `#${room} ${users}`)
    case "notice":
      return [line.text]
    case "hello":
      return []
    case "answer":
      return wordsOfAnswer(line)
  }
}

const wordsOfAnswer = (line: Extract<Told, { readonly kind: "answer" }>): ReadonlyArray<string> => {
  if (!line.ok) return [line.text]
  if ("who" in line) return [`[${line.who.addr}]${line.who.name}`, line.room]
  if ("names" in line) return line.names
  if ("bans" in line) return line.bans.flatMap(({ reason, target }) => [target, reason])
  if ("lines" in line) return [String(line.lines)]
  if ("name" in line) return [line.name]
  if ("room" in line) return [line.room]
  return "online" in line ? [String(line.online), String(line.backlog), String(line.skipped)] : []
}

// Only programs are told of these: people see what comes of them.
const forProgramsOnly: ReadonlySet<Tag> = new Set<Tag>(["NowCalled", "Wrote", "Called", "Hello", "Done", "NowMuted"])
// People are told of these in words, and programs by the answer, or by what is told beside it.
const inOtherWays: ReadonlySet<Tag> = new Set<Tag>(["Renamed", "OlderMissed", "Delivered", "Help", "OperatorHelp"])

describe("JsonForm", () => {
  it.prop(
    "says anything in whole lines, each one object that is documented, without line breaks and terminal controls",
    [any, at, anyId],
    ([output, at, id]) => {
      for (const { json } of forms) {
        for (const bytes of [json.render(output, at), json.answer(output, at, id)]) {
          assert.isTrue(bytes === "" || bytes.endsWith("\n"))
          for (const line of linesOf(bytes)) {
            assert.notMatch(line, control)
            told(line)
          }
        }
      }
    },
    { fastCheck: { numRuns: 3000 } }
  )

  it.prop("says the same words as the plain lines", [any, at], ([output, at]) => {
    for (const { json, plain } of forms) {
      const inJson = linesOf(json.render(output, at) + json.answer(output, at, 7)).flatMap((line) =>
        wordsOf(told(line))
      )
      const inPlain = plain.plain.render(output, at).toWellFormed()
      if (forProgramsOnly.has(output._tag)) assert.strictEqual(inPlain, "")
      else if (!inOtherWays.has(output._tag)) {
        for (const words of inJson) assert.include(inPlain, words.toWellFormed())
      }
    }
  }, { fastCheck: { numRuns: 3000 } })

  it.prop("answers each question once, last, and with its number", [any, at, anyId], ([output, at, id]) => {
    const { json } = forms[0]!
    const rendered = linesOf(json.render(output, at)).map((line) => told(line).kind)
    assert.notInclude(rendered, "answer")
    const lines = linesOf(json.answer(output, at, id)).map((line) => told(line))
    for (const line of lines) {
      assert.isTrue(line.kind === "answer" || line.kind === "past")
      if (line.kind === "answer" || line.kind === "past") assert.strictEqual(line.id, id)
    }
    assert.isAtMost(lines.filter(({ kind }) => kind === "answer").length, 1)
  }, { fastCheck: { numRuns: 1000 } })

  it.prop("tells of a line as it was said, with its place", [outputs.Said, at], ([said, at]) => {
    assert.deepStrictEqual(told(forms[0]!.json.render(said, at)), {
      kind: "said",
      seq: said.seq,
      room: said.room.name,
      time: new Date(at).toISOString(),
      from: { addr: said.who.address, name: said.who.name },
      text: terminalSafe(said.text)
    })
  })

  it.prop("tells of old lines as they were said, with the number of whoever asks", [outputs.Past, at], ([past, at]) => {
    const lines = linesOf(forms[0]!.json.answer(past, at, "x")).map((line) => told(line))
    assert.deepStrictEqual(
      lines,
      past.lines.map(({ at, seq, text, who }) => ({
        kind: "past",
        id: "x",
        seq,
        room: past.room.name,
        time: new Date(at).toISOString(),
        from: { addr: who.address, name: terminalSafe(who.name) },
        text: terminalSafe(text)
      }))
    )
  })

  it.prop("tells private lines to both, with the time at which they were written", [
    FastCheck.oneof(outputs.Private, outputs.Wrote, outputs.Kept),
    at
  ], ([output, at]) => {
    assert.deepStrictEqual(told(forms[0]!.json.render(output, at)), {
      kind: "private",
      time: new Date(output._tag === "Kept" ? output.at : at).toISOString(),
      from: { addr: output.from.address, name: output.from.name },
      to: output.to,
      text: terminalSafe(output.text),
      ...(output._tag === "Kept" ? { kept: true } : {})
    })
    if (output._tag === "Kept") assert.strictEqual(forms[0]!.json.answer(output, at, undefined), "", "nobody asked")
  })

  it.prop("lists everybody and every room, at most 100 in a line", [outputs.Users, outputs.Rooms], ([users, rooms]) => {
    const { json } = forms[0]!
    const [first, ...more] = linesOf(json.render(users, 0)).map((line) => told(line))
    const ofUsers = [first!, ...more].flatMap((line) => line.kind === "users" ? line.users : [])
    assert.deepStrictEqual(
      ofUsers,
      users.users.map(({ at, who: { address, name } }) => ({ addr: address, name, since: new Date(at).toISOString() }))
    )
    const ofRooms = linesOf(json.render(rooms, 0)).map((line) => told(line))
    assert.deepStrictEqual(
      ofRooms.flatMap((line) => line.kind === "rooms" ? line.rooms : []),
      rooms.rooms.map(({ room, users }) => ({ room: room.name, users }))
    )
    assert.strictEqual(ofRooms.length, Math.max(1, Math.ceil(rooms.rooms.length / 100)))
  })

  for (const tag of Object.keys(JsonForm.codes) as ReadonlyArray<keyof typeof JsonForm.codes>) {
    it(`refuses with "${JsonForm.codes[tag]}", and in plain words, for ${tag}`, () => {
      const [output] = FastCheck.sample<Output>(outputs[tag], { numRuns: 1, seed: 1 })
      for (const { json, plain } of forms) {
        assert.deepStrictEqual(told(json.answer(output!, 0, 7)), {
          kind: "answer",
          id: 7,
          ok: false,
          code: JsonForm.codes[tag],
          text: plain.words(output!)
        })
        assert.strictEqual(json.render(output!, 0), "")
      }
    })
  }

  for (const [tag, code] of Object.entries(JsonForm.noticeCodes)) {
    it(
      code === undefined ? `leaves ${tag} to the answer` : `gives notice of "${code}", in plain words, for ${tag}`,
      () => {
        const [output] = FastCheck.sample<Output>(outputs[tag as keyof typeof JsonForm.noticeCodes], {
          numRuns: 1,
          seed: 1
        })
        assert.isTrue(isNotice(output!) && !isRefusal(output))
        for (const { json, plain } of forms) {
          assert.strictEqual(json.answer(output!, 0, 7), "")
          if (code === undefined) assert.strictEqual(json.render(output!, 0), "")
          else {
            assert.deepStrictEqual(told(json.render(output!, 0)), {
              kind: "notice",
              code,
              ..."lines" in output! ? { lines: Number(output.lines) } : {},
              ..."seconds" in output! ? { seconds: output.seconds } : {},
              text: plain.words(output!)
            })
          }
        }
      }
    )
  }

  // The lists of the protocol, without what operators and several nodes bring.
  it("has all codes of the protocol that can come about", () => {
    const ofAnswers =
      "malformed unknown-command usage too-long empty name-taken name-not-allowed name-reserved name-owned " +
      "wrong-secret bad-secret not-owner too-many-names busy no-such-user no-such-room room-not-allowed too-many-rooms " +
      "mailbox-full ignore-full unreachable muted look-alike no-such-ban"
    const ofNotices =
      "welcome away owned elsewhere idle idle-kick skipped gap log-down log-up log-dropped cut-off back log-lost full " +
      "address-full too-fast shutdown banned locked removed muted announcement"
    assert.sameMembers([...new Set(Object.values(JsonForm.codes))], ofAnswers.split(" "))
    assert.sameMembers(Object.values(JsonForm.noticeCodes).filter((code) => code !== undefined), ofNotices.split(" "))
  })

  it("says what an answer carries", () => {
    const answer = (output: Output) => told(forms[1]!.json.answer(output, 0, 7))
    const bob = { address: address("127.0.0.1", 4000), name: Name("Bob") }
    const ok = { kind: "answer", id: 7, ok: true } as const
    const standing = { online: 3, linesPerSecond: 12.5, backlog: 500, skipped: 7, idleLeft: 300 }
    const rows: ReadonlyArray<readonly [Output, object]> = [
      [{ _tag: "Done" }, ok],
      [{ _tag: "Done", seq: Seq(119) }, { ...ok, seq: 119 }],
      [{ _tag: "Called", name: Name("Bob"), owned: true }, { ...ok, name: "Bob", owned: true }],
      [{ _tag: "Delivered", to: "Bob", kept: false }, { ...ok, kept: false }],
      [{ _tag: "PastEnd", any: true, more: true }, { ...ok, more: true }],
      [{ _tag: "Stats", standing }, { ...ok, ...standing }],
      [{ _tag: "Ignoring", names: ["Bob"] }, { ...ok, names: ["Bob"] }],
      [{ _tag: "Ignored", name: "Bob" }, { ...ok, name: "Bob" }],
      [{ _tag: "AlreadyThere", room: lobby }, { ...ok, room: "lobby" }],
      [{ _tag: "SecretChanged" }, ok],
      [{ _tag: "WasBanned", name: "Bob" }, ok],
      [{ _tag: "WasErased", lines: 7 }, { ...ok, lines: 7 }],
      [
        {
          _tag: "Bans",
          bans: [
            { whom: { _tag: "Name", key: nameKey("Bob") }, name: "Bob", until: 0, reason: "", by: "Ann" },
            { whom: { _tag: "Network", network: "10.0.0.0/8" }, name: "x", until: undefined, reason: "spam", by: "Ann" }
          ]
        },
        {
          ...ok,
          bans: [
            { target: "Bob", until: "1970-01-01T00:00:00.000Z", reason: "", by: "Ann" },
            { target: "10.0.0.0/8", until: null, reason: "spam", by: "Ann" }
          ]
        }
      ],
      [{ _tag: "Users", room: lobby, users: [] }, ok],
      [{ _tag: "Rooms", rooms: [] }, ok],
      [
        { _tag: "Whois", who: bob, room: lobby, at: 0 },
        { ...ok, who: { addr: bob.address, name: "Bob" }, room: "lobby", since: "1970-01-01T00:00:00.000Z" }
      ]
    ]
    for (const [output, expected] of rows) assert.deepStrictEqual(answer(output), expected)
  })
})
