/** The lines of the JSON form, as `src/wire/README.md` has them. */
import { Schema } from "effect"

const Who = Schema.Struct({ addr: Schema.String, name: Schema.String })

const line = { seq: Schema.Number, room: Schema.String, time: Schema.String, from: Who, text: Schema.String }
export interface Line extends Schema.Struct.Type<typeof line> {}

const Answer = Schema.Struct({
  kind: Schema.Literal("answer"),
  id: Schema.optional(Schema.Number),
  ok: Schema.Boolean,
  code: Schema.optional(Schema.String),
  seq: Schema.optional(Schema.Number),
  more: Schema.optional(Schema.Boolean)
})
export type Answer = typeof Answer.Type

const Hello = Schema.Struct({
  kind: Schema.Literal("hello"),
  log: Schema.String,
  you: Who,
  room: Schema.String,
  seq: Schema.Number
})
export type Hello = typeof Hello.Type

const Heard = Schema.Union(
  Hello,
  Schema.Struct({ kind: Schema.Literal("said"), ...line }),
  Schema.Struct({ kind: Schema.Literal("past"), ...line }),
  Schema.Struct({ kind: Schema.Literal("online"), room: Schema.String, who: Who }),
  Schema.Struct({ kind: Schema.Literal("offline"), room: Schema.String, who: Who, reason: Schema.String }),
  Schema.Struct({
    kind: Schema.Literal("came"),
    room: Schema.String,
    who: Who,
    seq: Schema.optional(Schema.Number)
  }),
  Schema.Struct({ kind: Schema.Literal("went"), room: Schema.String, who: Who }),
  Schema.Struct({ kind: Schema.Literal("renamed"), room: Schema.String, who: Who, name: Schema.String }),
  Schema.Struct({ kind: Schema.Literal("private"), from: Who, to: Schema.String, text: Schema.String }),
  Schema.Struct({ kind: Schema.Literal("users"), room: Schema.String, users: Schema.Array(Who) }),
  Schema.Struct({ kind: Schema.Literal("notice"), code: Schema.String }),
  Answer
)
export type Heard = typeof Heard.Type

export const read = Schema.decodeEither(Schema.parseJson(Heard))
