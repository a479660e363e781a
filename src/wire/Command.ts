/** What a line asks for. Total: every line is one of these commands. Knows nothing of who sent it or what comes of it. */
import * as Data from "effect/Data"
import type { Nonce } from "../domain/Event.ts"
import { blank, trimmed, trimmedEnd } from "../domain/Text.ts"
import { type OperatorCommand, parse as parseOperator } from "./OperatorCommand.ts"
import * as Slip from "./Slip.ts"

export type Command = Data.TaggedEnum<{
  /** A message to everyone in the room. */
  Say: { readonly text: string; readonly nonce?: Nonce }
  /** The users of a room; without one, of mine. */
  Who: { readonly room: string | undefined }
  /** `secret`: what follows the first `#`. Neither is checked. */
  Rename: { readonly name: string; readonly secret: string | undefined }
  Secret: { readonly secret: string }
  Disown: {}
  /** A private message. Neither the name nor the text is checked; both may be empty. */
  Tell: { readonly name: string; readonly text: string; readonly nonce?: Nonce }
  /** `to|` without the second `|`. */
  TellMalformed: {}
  /** Old lines of the room, from 1 to 1000: the last before a place; or, with `after`, the first behind that. */
  History: { readonly limit: number; readonly before?: number | undefined; readonly after?: number | undefined }
  Missed: {}
  Join: { readonly room: string }
  Leave: {}
  Rooms: {}
  /** Without a name: whom I ignore. */
  Ignore: { readonly name: string | undefined }
  Unignore: { readonly name: string }
  /** Without a name: me. */
  Whois: { readonly name: string | undefined }
  /** The time before each line, or not. */
  Time: { readonly shown: boolean }
  /** From the next line on, both directions are JSON. */
  Json: {}
  Stats: {}
  Help: {}
  Quit: {}
  /** Something that only operators may ask for; `command` is the word that asks for it. */
  Operate: { readonly command: string; readonly act: OperatorCommand }
  /** A slash and a word that is no command; `command` is both. */
  Unknown: { readonly command: string }
  /** A command with arguments that it does not take, or words that would have gone public by a slip; `usage` is the right form. */
  Misused: { readonly usage: string }
  /** No object that can be read, where one is expected. */
  Malformed: {}
  /** Words for everyone that are white space. */
  Empty: {}
  /** Words that are longer than a line may be. */
  TooLong: {}
  /** Blank or only white space. */
  Blank: {}
}>
export const Command = Data.taggedEnum<Command>()

/** What a spelling makes of the rest of its line, whose head and end have no blanks. */
type Parse = (rest: string, usage: string) => Command

interface Entry {
  /** What help has it under. */
  readonly group: Group
  /** The slash words, and what follows them, as people type it. */
  readonly words: ReadonlyArray<string>
  readonly argument: string
  readonly slash: Parse
  /** The spelling without a slash: a word that is the whole line, or a word before a bar. */
  readonly bare?: { readonly word: string; readonly usage: string; readonly parse: Parse }
}

/** The parts of help, in order. */
export const groups = ["talk", "rooms", "me", "connection"] as const
export type Group = typeof groups[number]

/** How many lines `/history` shows without a number, and with one at most. */
export const usualHistory = 20
export const longestHistory = 1000

/** Of a command that takes nothing. */
const alone = (command: Command): Parse => (rest, usage) => rest === "" ? command : Command.Misused({ usage })

const bar = /[|｜]/
const blanks = new RegExp(`${blank}+`, "u")
const leadingBlanks = new RegExp(`^${blank}+`, "u")

/** Of a command that takes one word, or that and nothing. */
const word = (make: (word: string) => Command): Parse => (rest, usage) =>
  rest === "" || blanks.test(rest) ? Command.Misused({ usage }) : make(rest)
const mayHaveWord = (make: (word: string | undefined) => Command): Parse => (rest, usage) =>
  rest === "" ? make(undefined) : word(make)(rest, usage)

/** A name, and what follows its first `#`, which is a secret. */
const rename = (text: string): Extract<Command, { readonly _tag: "Rename" }> => {
  const [name, secret] = cut(text, /[#＃]/)
  return { _tag: "Rename", name: trimmed(name), secret: secret === undefined ? undefined : trimmed(secret) }
}

const table = [
  {
    topic: "to",
    group: "talk",
    words: ["to", "msg"],
    argument: " NAME TEXT",
    slash: (rest) => {
      const [name, text] = cut(rest, blanks)
      return Command.Tell({ name, text: text ?? "" })
    },
    bare: {
      word: "to|",
      usage: "to|NAME|TEXT",
      parse: (rest) => {
        const [name, text] = cut(rest, bar)
        return text === undefined ? Command.TellMalformed() : Command.Tell({ name: trimmed(name), text })
      }
    }
  },
  {
    topic: "history",
    group: "talk",
    words: ["history"],
    argument: " [N]",
    slash: (rest, usage) => {
      const limit = rest === "" ? usualHistory : /^[0-9]+$/.test(rest) ? Math.min(Number(rest), longestHistory) : 0
      return limit === 0 ? Command.Misused({ usage }) : Command.History({ limit })
    }
  },
  { topic: "missed", group: "talk", words: ["missed"], argument: "", slash: alone(Command.Missed()) },
  { topic: "say", group: "talk", words: [], argument: "//TEXT", slash: (text) => Command.Say({ text }) },
  {
    topic: "rename",
    group: "me",
    words: ["rename", "nick"],
    argument: " NAME",
    slash: (rest, usage) => {
      const command = rename(rest)
      return command.name === "" || blanks.test(command.name) ? Command.Misused({ usage }) : command
    },
    bare: { word: "rename|", usage: "rename|NAME", parse: rename }
  },
  { topic: "own", group: "me", words: [], argument: "/nick NAME#SECRET", slash: rename },
  {
    topic: "secret",
    group: "me",
    words: ["secret"],
    argument: " NEW",
    slash: (rest, usage) => rest === "" ? Command.Misused({ usage }) : Command.Secret({ secret: rest })
  },
  { topic: "disown", group: "me", words: ["disown"], argument: "", slash: alone(Command.Disown()) },
  {
    topic: "ignore",
    group: "me",
    words: ["ignore"],
    argument: " [NAME]",
    slash: mayHaveWord((name) => Command.Ignore({ name }))
  },
  {
    topic: "unignore",
    group: "me",
    words: ["unignore"],
    argument: " NAME",
    slash: word((name) => Command.Unignore({ name }))
  },
  {
    topic: "who",
    group: "rooms",
    words: ["who"],
    argument: " [ROOM]",
    slash: mayHaveWord((room) => Command.Who({ room })),
    bare: { word: "who", usage: "who", parse: alone(Command.Who({ room: undefined })) }
  },
  {
    topic: "whois",
    group: "rooms",
    words: ["whois"],
    argument: " [NAME]",
    slash: mayHaveWord((name) => Command.Whois({ name }))
  },
  { topic: "rooms", group: "rooms", words: ["rooms"], argument: "", slash: alone(Command.Rooms()) },
  {
    topic: "join",
    group: "rooms",
    words: ["join", "j"],
    argument: " ROOM",
    slash: word((room) => Command.Join({ room }))
  },
  { topic: "leave", group: "rooms", words: ["leave"], argument: "", slash: alone(Command.Leave()) },
  {
    topic: "time",
    group: "connection",
    words: ["time"],
    argument: " on|off",
    slash: (rest, usage) => {
      const word = rest.toLowerCase()
      return word === "on" || word === "off" ? Command.Time({ shown: word === "on" }) : Command.Misused({ usage })
    }
  },
  { topic: "json", group: "connection", words: ["json"], argument: "", slash: alone(Command.Json()) },
  { topic: "stats", group: "connection", words: ["stats"], argument: "", slash: alone(Command.Stats()) },
  { topic: "help", group: "connection", words: ["help"], argument: "", slash: alone(Command.Help()) },
  { topic: "quit", group: "connection", words: ["quit", "exit"], argument: "", slash: alone(Command.Quit()) }
] as const satisfies ReadonlyArray<Entry & { readonly topic: string }>

/** What help has a line about. */
export type HelpTopic = typeof table[number]["topic"]

const entries: ReadonlyArray<Entry & { readonly topic: HelpTopic }> = table

const usageOf = (word: string, { argument }: Entry) => `/${word}${argument}`

/** The table that `parse` reads, as help shows it. */
export const topics: ReadonlyArray<Pick<Entry, "group"> & { readonly topic: HelpTopic; readonly usage: string }> =
  entries
    .map((entry) => ({
      topic: entry.topic,
      group: entry.group,
      usage: [
        ...entry.bare === undefined ? [] : [entry.bare.usage],
        ...entry.words.length === 0 ? [entry.argument] : entry.words.map((word) => usageOf(word, entry))
      ].join(", ")
    }))

const slashed = new Map(
  entries.flatMap((entry) => entry.words.map((word) => [word, { entry, usage: usageOf(word, entry) }] as const))
)

const words = entries.flatMap(({ bare }) => bare === undefined || bare.word.endsWith("|") ? [] : [bare])
const barred = entries.flatMap(({ bare }) =>
  bare === undefined || !bare.word.endsWith("|")
    ? []
    : [{ ...bare, head: new RegExp(`^${Slip.anyWidth(bare.word.slice(0, -1))}${blank}*[|｜]`, "iu") }]
)

const say = (line: string, text: string): Command => {
  const usage = Slip.usage(line)
  return usage === undefined ? Command.Say({ text }) : Command.Misused({ usage })
}

// Anything else is plain words: nearly every line ends here.
const mayBeCommand = new RegExp(
  `^${blank}*(?:[/／]|who|${barred.map(({ head }) => head.source.slice(1)).join("|")}|${Slip.head})`,
  "iu"
)

/**
 * Reads a line as the decoder gives it, without its line break. Its head is read kindly: blanks, case and full-width bars
 * and slashes make no difference in what belongs to a command, nor does the width of the letters before a bar, so that nothing
 * private is said aloud by a slip.
 */
export const parse = (line: string): Command => {
  if (!mayBeCommand.test(line)) return /\S/.test(line) ? Command.Say({ text: line }) : Command.Blank()
  const head = line.replace(leadingBlanks, "")
  if (/^[/／]/.test(head)) {
    if (/^.[/／]/.test(head)) return say(line, `/${head.slice(2)}`)
    const [word, rest = ""] = cut(head.slice(1), blanks)
    const known = slashed.get(word.toLowerCase())
    if (known === undefined) {
      const act = parseOperator(word, rest)
      const command = `/${word}`
      return act === undefined ? Command.Unknown({ command }) : Command.Operate({ command, act })
    }
    return known.entry.slash(known.entry.topic === "to" ? rest : trimmedEnd(rest), known.usage)
  }
  const whole = trimmedEnd(head)
  for (const { parse, usage, word } of words) if (whole === word) return parse("", usage)
  for (const { head: start, parse, usage } of barred) {
    const match = start.exec(head)
    if (match !== null) return parse(head.slice(match[0].length), usage)
  }
  return say(line, line)
}

/** What stands before the first match and what behind it; `undefined` if there is none. */
const cut = (text: string, at: RegExp): readonly [string, string | undefined] => {
  const match = at.exec(text)
  return match === null ? [text, undefined] : [text.slice(0, match.index), text.slice(match.index + match[0].length)]
}
