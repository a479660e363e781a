/** All that the server can say, for laws. */
import { FastCheck } from "effect"
import { Address, address } from "../../src/domain/Address.ts"
import { alone, type Line, type Online, Seq, UserId, type Who } from "../../src/domain/Event.ts"
import { Name, NameKey } from "../../src/domain/Name.ts"
import type { Output } from "../../src/domain/Output.ts"
import type { OfflineReason } from "../../src/domain/Reasons.ts"
import { lobby, type Room } from "../../src/domain/Room.ts"
import type { Rule } from "../../src/domain/Rules.ts"
import { chosenName, text } from "./arbitraries.ts"

export type Tag = Output["_tag"]
/** The output with this tag. */
type Of<T extends Tag> = Output extends infer One
  ? One extends { readonly _tag: infer Tags } ? T extends Tags ? Omit<One, "_tag"> & { readonly _tag: T } : never
  : never
  : never

const { array, boolean, constant, constantFrom, integer, option, oneof, record } = FastCheck

const hidden = FastCheck.stringMatching(/^~[a-z2-7]{8}$/).map((text) => Address(text))
const anyAddress = oneof(
  record({ ip: FastCheck.ipV4(), port: integer({ min: 1, max: 65_535 }) }),
  record({ ip: FastCheck.ipV6(), port: integer({ min: 1, max: 65_535 }) })
).map(({ ip, port }) => address(ip, port))
const name = oneof(chosenName, anyAddress, hidden).map((text) => Name(text))
const who: FastCheck.Arbitrary<Who> = record({ address: oneof(anyAddress, hidden), name })
const room: FastCheck.Arbitrary<Room> = oneof(
  constant(lobby),
  chosenName.map((name) => ({ key: lobby.key, name }))
)
const seq = FastCheck.maxSafeNat().map((n) => Seq(n))
/** A moment, in ms. */
export const at = integer({ min: 0, max: 4_102_444_800_000 })
const count = FastCheck.nat()
// What comes from a file may have been written by others.
const line: FastCheck.Arbitrary<Line> = record({
  seq,
  at,
  room: constant(lobby.key),
  who: record({ address: anyAddress, name: oneof(name, text.map((text) => Name(text))) }),
  text
})
const online: FastCheck.Arbitrary<Online> = record({
  user: count.map((n) => UserId(n)),
  who,
  room: constant(lobby.key),
  since: seq,
  at,
  node: constant(alone)
})
const rule: FastCheck.Arbitrary<Rule> = record({
  whom: oneof(
    text.map((text) => ({ _tag: "Name" as const, key: NameKey(text) })),
    FastCheck.ipV4().map((network) => ({ _tag: "Network" as const, network }))
  ),
  name: text,
  until: option(at, { nil: undefined }),
  reason: oneof(text, constant("")),
  by: name
})
export const reasons = [
  "quit",
  "end-of-input",
  "reset",
  "idle",
  "stalled",
  "shutdown",
  "foreign",
  "taken-over",
  "defect",
  "removed",
  "banned",
  "node-gone"
] as const satisfies ReadonlyArray<OfflineReason>
const bare = <const T extends Tag>(_tag: T) => constant({ _tag })

/** By their tags: whatever is missing here does not compile. */
export const outputs: { readonly [T in Tag]: FastCheck.Arbitrary<Of<T>> } = {
  Online: record({ _tag: constant("Online"), who, room }),
  Offline: record({ _tag: constant("Offline"), who, room, reason: constantFrom(...reasons) }),
  Came: oneof(
    record({ _tag: constant("Came" as const), who, room, from: room }),
    record({ _tag: constant("Came" as const), who, room, from: room, seq })
  ),
  Went: record({ _tag: constant("Went"), who, room, to: room }),
  NowCalled: record({ _tag: constant("NowCalled"), who, room, name }),
  Said: record({ _tag: constant("Said"), who, room, text, seq }),
  Private: record({ _tag: constant("Private"), from: who, to: name, text }),
  Kept: record({ _tag: constant("Kept"), from: who, to: name, text, at }),
  Wrote: record({ _tag: constant("Wrote"), from: who, to: name, text }),
  Done: oneof(bare("Done"), record({ _tag: constant("Done" as const), seq })),
  Past: record({ _tag: constant("Past"), room, lines: array(line) }),
  PastEnd: record({ _tag: constant("PastEnd"), any: boolean(), more: boolean() }),
  Users: record({ _tag: constant("Users"), room, users: array(online, { maxLength: 250 }) }),
  Rooms: record({ _tag: constant("Rooms"), rooms: array(record({ room, users: count }), { maxLength: 250 }) }),
  Whois: record({ _tag: constant("Whois"), who, room, at }),
  Stats: record({
    _tag: constant("Stats"),
    standing: record({
      online: count,
      linesPerSecond: FastCheck.double({ min: 0, max: 1e6, noNaN: true }),
      backlog: count,
      skipped: count,
      idleLeft: option(count, { nil: undefined })
    })
  }),
  Called: record({ _tag: constant("Called"), name, owned: boolean() }),
  Delivered: record({ _tag: constant("Delivered"), to: name, kept: boolean() }),
  Ignoring: record({ _tag: constant("Ignoring"), names: array(name) }),
  Disowned: record({ _tag: constant("Disowned"), name }),
  Ignored: record({ _tag: constant("Ignored"), name }),
  Unignored: record({ _tag: constant("Unignored"), name }),
  AlreadyThere: record({ _tag: constant("AlreadyThere"), room }),
  Hello: record({ _tag: constant("Hello"), log: FastCheck.uuid(), you: who, room, seq }),
  SecretChanged: bare("SecretChanged"),
  TimeShown: bare("TimeShown"),
  TimeHidden: bare("TimeHidden"),
  Help: bare("Help"),
  OperatorHelp: bare("OperatorHelp"),
  IsOperator: bare("IsOperator"),
  NoOperator: bare("NoOperator"),
  WasRemoved: record({ _tag: constant("WasRemoved"), name }),
  WasMuted: record({ _tag: constant("WasMuted"), name }),
  WasUnmuted: record({ _tag: constant("WasUnmuted"), name }),
  WasBanned: record({ _tag: constant("WasBanned"), name: text }),
  WasUnbanned: record({ _tag: constant("WasUnbanned"), name: text }),
  WasLocked: bare("WasLocked"),
  WasUnlocked: bare("WasUnlocked"),
  WasReleased: record({ _tag: constant("WasReleased"), name: text }),
  WasErased: record({ _tag: constant("WasErased"), lines: count }),
  Bans: record({ _tag: constant("Bans"), bans: array(rule) }),
  Removed: record({ _tag: constant("Removed"), reason: oneof(text, constant("")) }),
  Announcement: record({ _tag: constant("Announcement"), text }),
  Banned: bare("Banned"),
  Locked: bare("Locked"),
  NowMuted: bare("NowMuted"),
  Muted: bare("Muted"),
  LookAlike: bare("LookAlike"),
  NoSuchBan: bare("NoSuchBan"),
  Renamed: record({ _tag: constant("Renamed"), name }),
  Owned: record({ _tag: constant("Owned"), name }),
  Welcome: record({ _tag: constant("Welcome"), users: count }),
  IdleWarning: record({ _tag: constant("IdleWarning"), seconds: count }),
  Away: record({ _tag: constant("Away"), lines: count, isAll: boolean() }),
  Skipped: record({ _tag: constant("Skipped"), lines: count }),
  NotKept: record({ _tag: constant("NotKept"), lines: count }),
  TakenOver: bare("TakenOver"),
  OlderMissed: bare("OlderMissed"),
  Gap: bare("Gap"),
  Kicked: bare("Kicked"),
  KeepingFails: bare("KeepingFails"),
  KeepingWorks: bare("KeepingWorks"),
  CutOff: bare("CutOff"),
  Back: bare("Back"),
  Replaced: bare("Replaced"),
  ServerFull: bare("ServerFull"),
  AddressFull: bare("AddressFull"),
  TooFast: bare("TooFast"),
  ShuttingDown: bare("ShuttingDown"),
  Usage: record({ _tag: constant("Usage"), usage: constantFrom("/nick NAME", "rename|NAME") }),
  UnknownCommand: record({ _tag: constant("UnknownCommand"), command: text }),
  LineTooLong: record({ _tag: constant("LineTooLong"), limit: count }),
  NameOwned: record({ _tag: constant("NameOwned"), name }),
  NotOwner: record({ _tag: constant("NotOwner"), name }),
  MailboxFull: record({ _tag: constant("MailboxFull"), name: text }),
  Unreachable: record({ _tag: constant("Unreachable"), name: text }),
  Malformed: bare("Malformed"),
  TellMalformed: bare("TellMalformed"),
  TellEmpty: bare("TellEmpty"),
  NameTaken: bare("NameTaken"),
  NameNotAllowed: bare("NameNotAllowed"),
  NameReserved: bare("NameReserved"),
  WrongSecret: bare("WrongSecret"),
  BadSecret: bare("BadSecret"),
  NeverOwned: bare("NeverOwned"),
  TooManyNames: bare("TooManyNames"),
  Busy: bare("Busy"),
  NoSuchUser: bare("NoSuchUser"),
  NoSuchRoom: bare("NoSuchRoom"),
  RoomNotAllowed: bare("RoomNotAllowed"),
  TooManyRooms: bare("TooManyRooms"),
  IgnoreFull: bare("IgnoreFull")
}
