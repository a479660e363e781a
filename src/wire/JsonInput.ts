/**
 * A line of JSON to the command that it asks for: what `README.md` beside this file documents. Total: what is no such object is
 * a command too. Schemas say what is let in: of bounded size, with unknown fields passed over.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Nonce } from "../domain/Event.ts"
import { Command, longestHistory, usualHistory } from "./Command.ts"
import type { Read, Request } from "./Input.ts"
import type { Asked } from "./JsonLines.ts"
import { durationOf, longestReason, OperatorCommand, usualDuration } from "./OperatorCommand.ts"

// Lone surrogates cannot be written as UTF-8.
const Text = Schema.transform(Schema.String, Schema.String, {
  decode: (text) => text.toWellFormed(),
  encode: (text) => text
})
// No longer text can be a name or a secret, whatever it is normalised to.
const Word = Text.pipe(Schema.maxLength(512))
const NonceText = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9_-]{16,64}$/))
const Place = Schema.Int.pipe(Schema.between(0, Number.MAX_SAFE_INTEGER))
const Limit = Schema.Int.pipe(Schema.greaterThan(0))

/** What comes back in the answer: an integer within ±2^53, or at most 64 characters. */
const Id = Schema.Union(
  Schema.Int.pipe(Schema.between(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  Schema.String.pipe(Schema.maxLength(64))
)

interface Verb {
  /** The names of its fields, for the documentation. */
  readonly fields: ReadonlyArray<string>
  /** `undefined`: the fields are not as they must be. */
  readonly read: (object: unknown) => Command | undefined
}

const verb = <A, I>(schema: Schema.Schema<A, I> & { readonly fields: object }, make: (values: A) => Command): Verb => {
  const decode = Schema.decodeUnknownEither(schema)
  return {
    fields: Object.keys(schema.fields),
    read: (object) => Either.getOrUndefined(Either.map(decode(object), make))
  }
}

/** Of a verb that takes nothing. */
const alone = (command: Command): Verb => ({ fields: [], read: () => command })

/** Of operators: whoever is none is not even told that something is wrong with it. */
const operators = <A, I>(
  word: string,
  schema: Schema.Schema<A, I> & { readonly fields: object },
  make: (values: A) => OperatorCommand
): Verb => {
  const { fields, read } = verb(schema, (values) => Command.Operate({ command: word, act: make(values) }))
  return {
    fields,
    read: (object) => read(object) ?? Command.Operate({ command: word, act: OperatorCommand.Malformed() })
  }
}

const Time = Schema.String.pipe(Schema.filter((text) => durationOf(text) !== undefined))
const Reason = Text.pipe(Schema.maxLength(longestReason))
const Name = Schema.Struct({ name: Word })
const Nothing = Schema.Struct({})

const orUsual = (duration: string | undefined) =>
  (duration === undefined ? undefined : durationOf(duration)) ?? usualDuration

const nonceOf = (nonce: string | undefined) => nonce === undefined ? {} : { nonce: Nonce(nonce) }

/** What may be asked for: `do`, and the fields that go with it. */
export const verbs: Readonly<Record<string, Verb>> = {
  say: verb(
    Schema.Struct({ text: Text, nonce: Schema.optional(NonceText) }),
    ({ nonce, text }) => /\S/.test(text) ? Command.Say({ text, ...nonceOf(nonce) }) : Command.Empty()
  ),
  to: verb(
    Schema.Struct({ name: Word, text: Text, nonce: Schema.optional(NonceText) }),
    ({ name, nonce, text }) => Command.Tell({ name, text, ...nonceOf(nonce) })
  ),
  rename: verb(
    Schema.Struct({ name: Word, secret: Schema.optional(Word) }),
    ({ name, secret }) => Command.Rename({ name, secret })
  ),
  secret: verb(Schema.Struct({ secret: Word }), Command.Secret),
  disown: alone(Command.Disown()),
  history: verb(
    Schema.Struct({
      limit: Schema.optionalWith(Limit, { default: () => usualHistory }),
      before: Schema.optional(Place),
      after: Schema.optional(Place)
    }),
    ({ limit, ...bounds }) => Command.History({ ...bounds, limit: Math.min(limit, longestHistory) })
  ),
  missed: alone(Command.Missed()),
  who: verb(Schema.Struct({ room: Schema.optional(Word) }), ({ room }) => Command.Who({ room })),
  join: verb(Schema.Struct({ room: Word }), Command.Join),
  leave: alone(Command.Leave()),
  rooms: alone(Command.Rooms()),
  ignore: verb(Schema.Struct({ name: Schema.optional(Word) }), ({ name }) => Command.Ignore({ name })),
  unignore: verb(Schema.Struct({ name: Word }), Command.Unignore),
  whois: verb(Schema.Struct({ name: Schema.optional(Word) }), ({ name }) => Command.Whois({ name })),
  op: operators("op", Schema.Struct({ secret: Word }), OperatorCommand.Op),
  deop: operators("deop", Nothing, () => OperatorCommand.Deop()),
  kick: operators(
    "kick",
    Schema.Struct({ name: Word, reason: Schema.optional(Reason) }),
    ({ name, reason = "" }) => OperatorCommand.Kick({ name, reason })
  ),
  mute: operators(
    "mute",
    Schema.Struct({ name: Word, duration: Schema.optional(Time) }),
    ({ duration, name }) => OperatorCommand.Mute({ name, duration: orUsual(duration) })
  ),
  unmute: operators("unmute", Name, OperatorCommand.Unmute),
  ban: operators(
    "ban",
    Schema.Struct({ target: Word, duration: Schema.optional(Time), reason: Schema.optional(Reason) }),
    ({ duration, reason = "", target }) =>
      OperatorCommand.Ban({ target, duration: duration === undefined ? undefined : durationOf(duration), reason })
  ),
  unban: operators("unban", Schema.Struct({ target: Word }), OperatorCommand.Unban),
  bans: operators("bans", Nothing, () => OperatorCommand.Bans()),
  lock: operators("lock", Nothing, () => OperatorCommand.Lock()),
  unlock: operators("unlock", Nothing, () => OperatorCommand.Unlock()),
  release: operators("release", Name, OperatorCommand.Release),
  erase: operators(
    "erase",
    Schema.Struct({ target: Word, duration: Schema.optional(Time) }),
    ({ duration, target }) => OperatorCommand.Erase({ whose: target, duration: orUsual(duration) })
  ),
  announce: operators("announce", Schema.Struct({ text: Text }), OperatorCommand.Announce),
  stats: alone(Command.Stats()),
  quit: alone(Command.Quit())
} satisfies Readonly<Record<Asked["do"], Verb>>

const parseJson = Schema.decodeEither(Schema.parseJson())
const decodeId = Schema.decodeUnknownOption(Schema.UndefinedOr(Id))

/** Reads a line. `maxLine`: how many bytes words may have. */
export const make = (maxLine: number): Read => (line) => {
  if (!/\S/.test(line)) return { command: Command.Blank(), id: undefined }
  const parsed = Either.getOrUndefined(parseJson(line))
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return malformed(undefined)
  const object: Readonly<Record<string, unknown>> = { ...parsed }
  const id = decodeId(object["id"])
  // An answer under another number than the one that was given would be taken for another's.
  return Option.match(id, { onNone: () => malformed(undefined), onSome: (id) => requestOf(object, id, maxLine) })
}

const requestOf = (object: Readonly<Record<string, unknown>>, id: Request["id"], maxLine: number): Request => {
  const { do: word } = object
  if (typeof word !== "string") return malformed(id)
  const known = Object.hasOwn(verbs, word) ? verbs[word] : undefined
  if (known === undefined) return { command: Command.Unknown({ command: word.slice(0, 64).toWellFormed() }), id }
  const command = known.read(object)
  if (command === undefined) return malformed(id)
  const said = command._tag === "Operate" ? command.act : command
  const isTooLong = "text" in said && Buffer.byteLength(said.text) > maxLine
  return { command: isTooLong ? Command.TooLong() : command, id }
}

const malformed = (id: Request["id"]): Request => ({ command: Command.Malformed(), id })
