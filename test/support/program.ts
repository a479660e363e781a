/** A client that speaks JSON on a real socket; and what it may rely on: every line that a server can say to it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Client, connect, type Options } from "./client.ts"
import { reasons } from "./outputs.ts"

const Who = Schema.Struct({ addr: Schema.String, name: Schema.String })
const Time = Schema.String.pipe(Schema.pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
const Id = Schema.optional(Schema.Union(Schema.Int, Schema.String))
const kind = <Kind extends string>(kind: Kind) => ({ kind: Schema.Literal(kind) })
const line = { seq: Schema.Int, room: Schema.String, time: Time, from: Who, text: Schema.String }
const presence = { room: Schema.String, who: Who, time: Time }

const Ban = Schema.Struct({
  target: Schema.String,
  until: Schema.NullOr(Time),
  reason: Schema.String,
  by: Schema.String
})

const done = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct({ ...kind("answer"), id: Id, ok: Schema.Literal(true), ...fields })

const Answer = Schema.Union(
  done({}),
  done({ seq: Schema.Int }),
  done({ name: Schema.String, owned: Schema.Boolean }),
  done({ name: Schema.String }),
  done({ names: Schema.Array(Schema.String) }),
  done({ kept: Schema.Boolean }),
  done({ more: Schema.Boolean }),
  done({ lines: Schema.Int }),
  done({ bans: Schema.Array(Ban) }),
  done({ room: Schema.String }),
  done({ who: Who, room: Schema.String, since: Time }),
  done({
    online: Schema.Int,
    linesPerSecond: Schema.Number,
    backlog: Schema.Int,
    skipped: Schema.Int,
    idleLeft: Schema.optional(Schema.Int)
  }),
  Schema.Struct({ ...kind("answer"), id: Id, ok: Schema.Literal(false), code: Schema.String, text: Schema.String })
)

/** A line from the server. */
const Told = Schema.Union(
  Schema.Struct({
    ...kind("hello"),
    v: Schema.Literal(1),
    version: Schema.String,
    log: Schema.NonEmptyString,
    you: Who,
    room: Schema.String,
    seq: Schema.Int,
    maxLine: Schema.Int
  }),
  Schema.Struct({ ...kind("online"), ...presence }),
  Schema.Struct({
    ...kind("offline"),
    ...presence,
    reason: Schema.Literal(...reasons)
  }),
  Schema.Struct({ ...kind("came"), ...presence, from: Schema.String, seq: Schema.optional(Schema.Int) }),
  Schema.Struct({ ...kind("went"), ...presence, to: Schema.String }),
  Schema.Struct({ ...kind("renamed"), ...presence, name: Schema.String }),
  Schema.Struct({ ...kind("said"), ...line }),
  Schema.Struct({ ...kind("past"), id: Id, ...line }),
  Schema.Struct({
    ...kind("private"),
    time: Time,
    from: Who,
    to: Schema.String,
    text: Schema.String,
    kept: Schema.optional(Schema.Literal(true))
  }),
  Schema.Struct({
    ...kind("users"),
    room: Schema.String,
    users: Schema.Array(Schema.Struct({ ...Who.fields, since: Time })).pipe(Schema.maxItems(100))
  }),
  Schema.Struct({
    ...kind("rooms"),
    rooms: Schema.Array(Schema.Struct({ room: Schema.String, users: Schema.Int })).pipe(Schema.maxItems(100))
  }),
  Schema.Struct({
    ...kind("notice"),
    code: Schema.String,
    lines: Schema.optional(Schema.Int),
    seconds: Schema.optional(Schema.Int),
    reason: Schema.optional(Schema.String),
    text: Schema.String
  }),
  Answer
)
export type Told = typeof Told.Type
export type Kind = Told["kind"]

/** Reads a line from the server. Throws if it is not exactly one that is known. */
export const told = Schema.decodeUnknownSync(Schema.parseJson(Told), { onExcessProperty: "error" })

/** Something that is asked for, under a number of its own. */
export type Command = Readonly<Record<string, unknown>> & { readonly id: number | string }

export interface Program {
  readonly client: Client
  readonly hello: Extract<Told, { readonly kind: "hello" }>
  readonly ask: (...commands: ReadonlyArray<object>) => Effect.Effect<void>
  readonly line: Effect.Effect<Told>
  /** The next lines, up to the first one that is meant, which is the last of them. */
  readonly until: (isMeant: (line: Told) => boolean) => Effect.Effect<ReadonlyArray<Told>>
  /** Asks, and gives all that comes up to the answer, which is the last of it. The numbers of all that is asked differ. */
  readonly answered: (command: Command) => Effect.Effect<ReadonlyArray<Told>>
}

/** Connects, and speaks JSON from the first line on. What is plain before that is passed over, as programs do. */
export const program = (port: number, options?: Options): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.tap(connect(port, options), (client) => client.send("/json\n")).pipe(Effect.flatMap(speaking))

/** Of a client that has sent `/json`. */
export const speaking = (client: Client): Effect.Effect<Program> =>
  Effect.gen(function*() {
    let first = yield* client.line
    while (!first.startsWith("{")) first = yield* client.line
    const hello = told(first)
    if (hello.kind !== "hello") return yield* Effect.dieMessage(`${first} came first`)
    const line = Effect.map(client.line, (line) => told(line))
    const ask = (...commands: ReadonlyArray<object>) =>
      client.send(commands.map((command) => `${JSON.stringify(command)}\n`).join(""))
    const until = (isMeant: (line: Told) => boolean) =>
      Effect.gen(function*() {
        const lines = [yield* line]
        while (!isMeant(lines.at(-1)!)) lines.push(yield* line)
        return lines
      })
    return {
      client,
      hello,
      ask,
      line,
      until,
      answered: (command) =>
        Effect.zipRight(ask(command), until((line) => line.kind === "answer" && line.id === command.id))
    }
  })
