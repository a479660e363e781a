/** One JSON object a line, for programs: what `README.md` beside this file documents. Knows neither when it is said nor to whom. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import manifest from "../../package.json" with { type: "json" }
import type { Line, Who } from "../domain/Event.ts"
import type { Answer, Happening, Notice, Output, Private, Refusal } from "../domain/Output.ts"
import { type Rule, targetOf } from "../domain/Rules.ts"
import { terminalSafe } from "../domain/Text.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { Form } from "./Form.ts"
import type { Ban, Code, Done, NoticeCode, Refused, Told } from "./JsonLines.ts"
import { PlainForm } from "./PlainForm.ts"

export class JsonForm extends Context.Tag("tellnet/JsonForm")<JsonForm, Form>() {
  static readonly layer = Layer.effect(
    JsonForm,
    Effect.gen(function*() {
      const { maxLine } = yield* ServerConfig
      return make(yield* PlainForm, maxLine)
    })
  )
}

/** Why something that was asked for was not done. */
export const codes = {
  Malformed: "malformed",
  TellMalformed: "malformed",
  UnknownCommand: "unknown-command",
  Usage: "usage",
  LineTooLong: "too-long",
  TellEmpty: "empty",
  NameTaken: "name-taken",
  NameNotAllowed: "name-not-allowed",
  NameReserved: "name-reserved",
  NameOwned: "name-owned",
  WrongSecret: "wrong-secret",
  BadSecret: "bad-secret",
  NotOwner: "not-owner",
  NeverOwned: "not-owner",
  TooManyNames: "too-many-names",
  Busy: "busy",
  NoSuchUser: "no-such-user",
  NoSuchRoom: "no-such-room",
  RoomNotAllowed: "room-not-allowed",
  TooManyRooms: "too-many-rooms",
  MailboxFull: "mailbox-full",
  Unreachable: "unreachable",
  IgnoreFull: "ignore-full",
  Muted: "muted",
  LookAlike: "look-alike",
  NoSuchBan: "no-such-ban"
} as const satisfies Record<Refusal["_tag"], Code>

/** What a notice is about; `undefined`: it is told in another way. */
export const noticeCodes = {
  Renamed: undefined,
  Owned: "owned",
  Welcome: "welcome",
  Away: "away",
  TakenOver: "elsewhere",
  IdleWarning: "idle",
  Kicked: "idle-kick",
  Skipped: "skipped",
  Gap: "gap",
  // The answer says so.
  OlderMissed: undefined,
  KeepingFails: "log-down",
  KeepingWorks: "log-up",
  CutOff: "cut-off",
  Back: "back",
  Replaced: "log-lost",
  NotKept: "log-dropped",
  ServerFull: "full",
  AddressFull: "address-full",
  TooFast: "too-fast",
  Banned: "banned",
  Locked: "locked",
  Removed: "removed",
  NowMuted: "muted",
  Announcement: "announcement",
  ShuttingDown: "shutdown"
} as const satisfies Record<Notice["_tag"], NoticeCode | undefined>

// So many users or rooms stand in one line.
const atOnce = 100

export const make = ({ words }: Pick<typeof PlainForm.Service, "words">, maxLine: number): Form => {
  const refusal = (output: Refusal, id: Refused["id"]): Refused => ({
    kind: "answer",
    id,
    ok: false,
    code: codes[output._tag],
    text: words(output)
  })
  return {
    replays: false,
    timesLists: false,
    render: (output, at) => {
      if (output._tag === "Hello") return hello(output, maxLine)
      return isNotice(output) ? notice(output, words(output)) : happening(output, at)
    },
    answer: (output, _at, id) => {
      if (output._tag === "Past") return output.lines.map((line) => past(line, output.room.name, id)).join("")
      // These stand before the answer.
      if (isNotice(output) || output._tag === "Kept") return ""
      return escaped(
        json(isRefusal(output) ? refusal(output, id) : { kind: "answer", id, ok: true, ...resultOf(output) }),
        id
      )
    }
  }
}

// An id comes back as it was, whatever it holds; what could break a line or drive a terminal as an escape of JSON.
const escaped = (line: string, id: string | number | undefined): string =>
  typeof id !== "string"
    ? line
    : line.replace(
      /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
    )

const json = (fields: Told): string => `${JSON.stringify(fields)}\n`

const isRefusal = (output: Output): output is Refusal => output._tag in codes
const isNotice = (output: Output): output is Notice => output._tag in noticeCodes

const whoOf = ({ address, name }: Who) => ({ addr: terminalSafe(address), name: terminalSafe(name) })
const timeOf = (at: number) => new Date(at).toISOString()

/** An old line of a room. */
export const past = ({ at, seq, text, who }: Line, room: string, id: string | number | undefined) =>
  escaped(json({ kind: "past", id, seq, room, time: timeOf(at), from: whoOf(who), text: terminalSafe(text) }), id)

const happening = (output: Happening | Private | Answer | Refusal, at: number): string => {
  const time = timeOf(at)
  switch (output._tag) {
    case "Said":
      return json({
        kind: "said",
        seq: output.seq,
        room: output.room.name,
        time,
        from: whoOf(output.who),
        text: terminalSafe(output.text)
      })
    case "Online":
      return json({ kind: "online", room: output.room.name, who: whoOf(output.who), time })
    case "Offline":
      return json({ kind: "offline", room: output.room.name, who: whoOf(output.who), time, reason: output.reason })
    case "Came": {
      const { from, room, seq, who } = output
      return json({ kind: "came", room: room.name, who: whoOf(who), time, from: from.name, seq })
    }
    case "Went":
      return json({ kind: "went", room: output.room.name, who: whoOf(output.who), time, to: output.to.name })
    case "NowCalled":
      return json({ kind: "renamed", room: output.room.name, who: whoOf(output.who), name: output.name, time })
    case "Private":
    case "Wrote":
      return json({ kind: "private", ...wordsOf(output, time) })
    case "Kept":
      return json({ kind: "private", ...wordsOf(output, timeOf(output.at)), kept: true })
    case "Users":
      return inLines(output.users, (users) => ({
        kind: "users",
        room: output.room.name,
        users: users.map(({ at, who }) => ({ ...whoOf(who), since: timeOf(at) }))
      }))
    case "Rooms":
      return inLines(output.rooms, (rooms) => ({
        kind: "rooms",
        rooms: rooms.map(({ room, users }) => ({ room: room.name, users }))
      }))
    default:
      // What else there is stands in the answer.
      return ""
  }
}

const wordsOf = ({ from, text, to }: Private, time: string) => ({
  time,
  from: whoOf(from),
  to: terminalSafe(to),
  text: terminalSafe(text)
})

const hello = ({ log, room, seq, you }: Extract<Output, { readonly _tag: "Hello" }>, maxLine: number): string =>
  json({ kind: "hello", v: 1, version: manifest.version, log, you: whoOf(you), room: room.name, seq, maxLine })

/** Some in each line; one line if there are none. */
const inLines = <A>(all: ReadonlyArray<A>, line: (some: ReadonlyArray<A>) => Told): string => {
  let lines = json(line(all.slice(0, atOnce)))
  for (let first = atOnce; first < all.length; first += atOnce) lines += json(line(all.slice(first, first + atOnce)))
  return lines
}

const notice = (output: Notice, text: string): string => {
  const code = noticeCodes[output._tag]
  if (code === undefined) return ""
  const about = output._tag === "IdleWarning"
    ? { seconds: output.seconds }
    : "lines" in output
    ? { lines: output.lines }
    : output._tag === "Removed" && output.reason !== ""
    ? { reason: terminalSafe(output.reason) }
    : {}
  return json({ kind: "notice", code, ...about, text })
}

const banOf = (ban: Rule): Ban => ({
  target: terminalSafe(targetOf(ban)),
  until: ban.until === undefined ? null : timeOf(ban.until),
  reason: terminalSafe(ban.reason),
  by: terminalSafe(ban.by)
})

/** What an answer carries beside `ok`. */
const resultOf = (output: Exclude<Output, Notice | Refusal>): Omit<Done, "kind" | "id" | "ok"> => {
  switch (output._tag) {
    case "Done":
      return output.seq === undefined ? {} : { seq: output.seq }
    case "Called":
      return { name: output.name, owned: output.owned }
    case "Delivered":
      return { kept: output.kept }
    case "PastEnd":
      return { more: output.more }
    case "Whois":
      return { who: whoOf(output.who), room: output.room.name, since: timeOf(output.at) }
    case "Stats": {
      const { backlog, idleLeft, linesPerSecond, online, skipped } = output.standing
      return { online, linesPerSecond, backlog, skipped, idleLeft }
    }
    case "Ignoring":
      return { names: output.names }
    case "Disowned":
    case "Ignored":
    case "Unignored":
      return { name: output.name }
    case "WasErased":
      return { lines: output.lines }
    case "Bans":
      return { bans: output.bans.map(banOf) }
    case "AlreadyThere":
      return { room: output.room.name }
    default:
      return {}
  }
}
