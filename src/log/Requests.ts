/** What nodes ask each other, as bytes. What comes in is decoded like a stranger's: bounded, and made safe to show again. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Codec from "./RecordCodec.ts"

export const Request = Schema.Union(
  /** Whether it knows the world. */
  Schema.TaggedStruct("Here", {}),
  /** A part of its world: the first makes it, further ones have its token. */
  Schema.TaggedStruct("World", { token: Schema.String, part: Schema.NonNegativeInt }),
  /** Tell a user of this node something private. */
  Schema.TaggedStruct("Letter", {
    node: Codec.Node,
    by: Codec.User,
    from: Codec.Who,
    to: Codec.User,
    name: Codec.ShownName,
    text: Codec.ShownText
  })
)
export type Request = typeof Request.Type

export const Reply = Schema.Union(
  /** `false`: no, or nobody is here by that number. */
  Schema.TaggedStruct("Answer", { is: Schema.Boolean }),
  Schema.TaggedStruct("Part", {
    token: Schema.String,
    parts: Schema.Int.pipe(Schema.between(1, 10_000)),
    text: Schema.String
  })
)
export type Reply = typeof Reply.Type

const codec = <A, I>(schema: Schema.Schema<A, I>) => {
  const json = Schema.parseJson(schema)
  const encode = Schema.encodeSync(json)
  const decode = Schema.decodeOption(json)
  return {
    encode: (value: A): Uint8Array => Buffer.from(encode(value)),
    /** `undefined`: it is none. */
    decode: (body: Uint8Array): A | undefined => {
      const text = Codec.textOf(body, 2 * Codec.recordBytes)
      return text === undefined ? undefined : Option.getOrUndefined(decode(text))
    }
  }
}

export const request = codec(Request)
export const reply = codec(Reply)
