/** Records as bytes in the stream. What comes in is decoded like a stranger's: bounded, and made safe to show again. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Address } from "../domain/Address.ts"
import { type Event, NodeId, Nonce, Seq, UserId } from "../domain/Event.ts"
import { Name, NameKey, nameKey } from "../domain/Name.ts"
import type { EndReason } from "../domain/Reasons.ts"
import type { Room } from "../domain/Room.ts"
import { terminalSafe } from "../domain/Text.ts"
import { recordEvents } from "./MessageLog.ts"

/** So many bytes a record is meant to have; what is read may have twice as many. */
export const recordBytes = 262_144

/** The number of the first event of the record at this place of the stream. */
export const seqAt = (place: number): Seq => Seq(place * recordEvents)

/** So many users of one node have a number. */
export const usersOfNode = 2 ** 32

const text = (longest: number) => Schema.String.pipe(Schema.maxLength(longest))
const safe = (longest: number) =>
  Schema.transform(text(longest), Schema.String, { strict: true, decode: terminalSafe, encode: (text) => text })

/** Who writes records; no more than a part of a subject. */
export const Node = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{0,32}$/), Schema.fromBrand(NodeId))
export const User = Schema.Int.pipe(Schema.between(0, usersOfNode - 1), Schema.fromBrand(UserId))
export const ShownAddress = safe(64).pipe(Schema.fromBrand(Address))
export const ShownName = safe(128).pipe(Schema.fromBrand(Name))
export const ShownText = safe(65_536)
export const Who = Schema.Struct({
  address: ShownAddress,
  name: ShownName
})
/** A room by what it is called; its key follows from that. */
export const RoomName = Schema.transform(safe(128), Schema.Any as Schema.Schema<Room>, {
  strict: true,
  decode: (name): Room => ({ key: nameKey(name), name }),
  encode: ({ name }) => name
})
/** What a client asks for may be a key of no name: of 256 units, each of which NFKC can make 18 of. */
export const Key = text(8192).pipe(Schema.fromBrand(NameKey))
export const Token = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9_-]{16,64}$/), Schema.fromBrand(Nonce))

/** What a `Date` can be. */
export const Time = Schema.Int.pipe(Schema.between(0, 8.64e15))
/** A place in the order of all events. */
const Place = Schema.NonNegativeInt.pipe(Schema.fromBrand(Seq))

/** So many UTF-16 units the reason has that an operator gives. */
export const longestReason = 256
const Reason = safe(longestReason)
const Whom = Schema.Union(
  Schema.TaggedStruct("Name", { key: Key }),
  Schema.TaggedStruct("Network", { network: safe(64) })
)
export const Rule = Schema.Struct({
  whom: Whom,
  name: safe(128),
  until: Schema.UndefinedOr(Time),
  reason: Reason,
  by: safe(128)
})
const Kind = Schema.Literal("ban", "mute")
const Change = Schema.Union(
  Schema.TaggedStruct("Set", { kind: Kind, rules: Schema.Array(Rule).pipe(Schema.maxItems(2)) }),
  Schema.TaggedStruct("Lift", { kind: Kind, whom: Schema.Array(Whom).pipe(Schema.maxItems(recordEvents)) }),
  Schema.TaggedStruct("Lock", { isLocked: Schema.Boolean })
)

// As an object, so that none is missing: whoever left for another reason would stay for ever.
const reasons: Record<EndReason, EndReason> = {
  quit: "quit",
  "end-of-input": "end-of-input",
  reset: "reset",
  idle: "idle",
  stalled: "stalled",
  shutdown: "shutdown",
  foreign: "foreign",
  "taken-over": "taken-over",
  removed: "removed",
  banned: "banned",
  defect: "defect"
}

const EventSchema = Schema.Union(
  Schema.TaggedStruct("Said", {
    user: User,
    who: Who,
    room: RoomName,
    text: ShownText,
    nonce: Schema.optionalWith(Token, { exact: true })
  }),
  Schema.TaggedStruct("Arrived", { user: User, address: ShownAddress }),
  Schema.TaggedStruct("Left", { user: User, reason: Schema.Enums(reasons) }),
  Schema.TaggedStruct("Renamed", {
    user: User,
    name: ShownName,
    as: Schema.Literal("owner", "new owner", "guest", "returning")
  }),
  Schema.TaggedStruct("Moved", { user: User, room: RoomName }),
  Schema.TaggedStruct("Disowned", { key: Key }),
  Schema.TaggedStruct("NodeGone", { node: Node }),
  Schema.TaggedStruct("Told", { user: User, who: Who, nonce: Token, to: Schema.UndefinedOr(Key) }),
  Schema.TaggedStruct("Ruled", { change: Change, visit: Schema.UndefinedOr(Place) }),
  Schema.TaggedStruct("Removed", { user: User, visit: Place, reason: Reason }),
  Schema.TaggedStruct("Announced", { user: User, text: ShownText }),
  Schema.TaggedStruct("Erased", {
    erasure: Schema.Struct({ whose: Schema.Array(safe(256)).pipe(Schema.maxItems(1024)), from: Time })
  })
)

const RecordSchema = Schema.parseJson(Schema.Struct({
  v: Schema.Literal(1),
  node: Node,
  number: Schema.NonNegativeInt,
  events: Schema.Array(EventSchema).pipe(Schema.maxItems(recordEvents))
}))

/** The events of a node as it wrote them: its users have its own numbers. */
export interface NodeRecord {
  readonly node: NodeId
  readonly number: number
  readonly events: ReadonlyArray<Event>
}

/** Reads text by a schema; `undefined`: it is not so. Effect makes a string of the tag of a union, which may throw. */
export const decoderOf = <A, I>(schema: Schema.Schema<A, I>): (text: I) => A | undefined => {
  const decode = Schema.decodeOption(schema)
  return (text) => {
    try {
      return Option.getOrUndefined(decode(text))
    } catch {
      return undefined
    }
  }
}

const decodeRecord = decoderOf(RecordSchema)

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** What bytes say in UTF-8; `undefined`: they say nothing, or are too many. */
export const textOf = (body: Uint8Array, mostBytes: number): string | undefined => {
  if (body.length > mostBytes) return undefined
  try {
    return utf8.decode(body)
  } catch {
    return undefined
  }
}

export const encode = ({ events, node, number }: NodeRecord): Uint8Array =>
  Buffer.from(JSON.stringify({ v: 1, node, number, events: events.map(plain) }))

/** `undefined`: it is no record. */
export const decode = (body: Uint8Array): NodeRecord | undefined => {
  const text = textOf(body, 2 * recordBytes)
  return text === undefined ? undefined : decodeRecord(text)
}

const plain = (event: Event) => "room" in event ? { ...event, room: event.room.name } : event
