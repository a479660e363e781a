/** What nodes ask each other, as bytes. What comes in is decoded like a stranger's: bounded, and made safe to show again. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type NodeId, Seq } from "../domain/Event.ts"
import { pageLines } from "./MessageLog.ts"
import * as Codec from "./RecordCodec.ts"
import { OutOfReach, type SharedStream } from "./SharedStream.ts"

/** So many UTF-16 units one part of a world has; as UTF-8, with its quotes escaped, less than what a message may have. */
export const partUnits = 100_000
// All of them are less than what a string can hold.
const mostParts = 5000

/** A place in the order of all events. */
const Place = Schema.NonNegativeInt.pipe(Schema.fromBrand(Seq))

/** Which world, of those that a node tells of. */
const Token = Schema.String.pipe(Schema.maxLength(64))

export const Request = Schema.Union(
  /** Whether it knows the world. */
  Schema.TaggedStruct("Here", {}),
  /** A part of its world: the first makes it, further ones have its token. */
  Schema.TaggedStruct("World", { token: Token, part: Schema.NonNegativeInt }),
  /** The last lines before a place in the order of all events, as it remembers them; as many as fit. */
  Schema.TaggedStruct("Lines", { before: Place }),
  /** Tell a user of this node something private. */
  Schema.TaggedStruct("Letter", {
    node: Codec.Node,
    by: Codec.User,
    from: Codec.Who,
    to: Codec.User,
    name: Codec.ShownName,
    text: Codec.ShownText
  }),
  /** Where a user of this node comes from. */
  Schema.TaggedStruct("Peer", { user: Codec.User })
)
export type Request = typeof Request.Type

export const Reply = Schema.Union(
  /** `false`: no, or nobody is here by that number. */
  Schema.TaggedStruct("Answer", { is: Schema.Boolean }),
  Schema.TaggedStruct("Peer", { address: Schema.UndefinedOr(Codec.ShownAddress) }),
  Schema.TaggedStruct("Part", {
    token: Token,
    parts: Schema.Int.pipe(Schema.between(1, mostParts)),
    text: Schema.String.pipe(Schema.maxLength(partUnits))
  }),
  /** Of this log, whose lines it knows up to a place; behind `erased` none is missing. */
  Schema.TaggedStruct("Lines", {
    log: Token,
    known: Place,
    erased: Place,
    lines: Schema.Array(Schema.Struct({
      seq: Place,
      at: Schema.Int.pipe(Schema.between(0, 8.64e15)),
      room: Codec.Key,
      who: Codec.Who,
      text: Codec.ShownText
    })).pipe(Schema.maxItems(pageLines))
  })
)
export type Reply = typeof Reply.Type

const codec = <A, I>(schema: Schema.Schema<A, I>) => {
  const json = Schema.parseJson(schema)
  const encode = Schema.encodeSync(json)
  const decode = Codec.decoderOf(json)
  return {
    encode: (value: A): Uint8Array => Buffer.from(encode(value)),
    /** `undefined`: it is none. */
    decode: (body: Uint8Array): A | undefined => {
      const text = Codec.textOf(body, 2 * Codec.recordBytes)
      return text === undefined ? undefined : decode(text)
    }
  }
}

export const request = codec(Request)
export const reply = codec(Reply)

const isOf = <A extends Reply["_tag"]>(tag: A) => (value: Reply | undefined): value is Extract<Reply, { _tag: A }> =>
  value?._tag === tag

/** Asks a node, and gives its answer; fails if it is not there, or answers with something else. */
export const ask = <A extends Reply["_tag"]>(shared: SharedStream, node: NodeId, question: Request, tag: A) =>
  shared.ask(node, request.encode(question)).pipe(
    Effect.catchTag("NoSuchNode", () => new OutOfReach({ why: "the node is not there" })),
    Effect.map(reply.decode),
    Effect.filterOrFail(isOf(tag), () => new OutOfReach({ why: "the answer is none" }))
  )
