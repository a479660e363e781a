/** What a line asks for. Total: every line is one of these commands. Knows nothing of who sent it or what comes of it. */
import * as Data from "effect/Data"

export type Command = Data.TaggedEnum<{
  /** A message to everyone. */
  Say: { readonly text: string }
  Who: {}
  Rename: { readonly name: string }
  /** A private message. Neither the name nor the text is checked; both may be empty. */
  Tell: { readonly name: string; readonly text: string }
  /** `to|` without the second `|`. */
  TellMalformed: {}
  /** The last lines of the room; `limit` is from 1 to 1000. */
  History: { readonly limit: number }
  /** The time before each line, or not. */
  Time: { readonly shown: boolean }
  Stats: {}
  Help: {}
  Quit: {}
  /** A slash and a word that is no command; `command` is both. */
  Unknown: { readonly command: string }
  /** A command with arguments that it does not take, or a secret that would have gone public; `usage` is the right form. */
  Misused: { readonly usage: string }
  /** Blank or only white space. */
  Blank: {}
}>
export const Command = Data.taggedEnum<Command>()

/** What a spelling makes of the rest of its line, whose head and end have no blanks. */
type Parse = (rest: string, usage: string) => Command

interface Entry {
  /** The slash words, and what follows them, as people type it. */
  readonly words: ReadonlyArray<string>
  readonly argument: string
  readonly slash: Parse
  /** The spelling without a slash: a word that is the whole line, or a word before a bar. */
  readonly bare?: { readonly word: string; readonly usage: string; readonly parse: Parse }
}

// How many lines `/history` shows without a number, and with one at most.
const usualHistory = 20
const longestHistory = 1000

/** Of a command that takes nothing. */
const alone = (command: Command): Parse => (rest, usage) => rest === "" ? command : Command.Misused({ usage })

const blank = "[\\t\\p{Zs}]"
const bar = /[|｜]/
const blanks = new RegExp(`${blank}+`, "u")
const leadingBlanks = new RegExp(`^${blank}+`, "u")
const trailingBlanks = new RegExp(`${blank}+$`, "u")
const trimmed = (text: string) => text.replace(leadingBlanks, "").replace(trailingBlanks, "")

const table = [
  {
    topic: "who",
    words: ["who"],
    argument: "",
    slash: alone(Command.Who()),
    bare: { word: "who", usage: "who", parse: alone(Command.Who()) }
  },
  {
    topic: "rename",
    words: ["rename", "nick"],
    argument: " NAME",
    slash: (rest, usage) =>
      rest === "" || blanks.test(rest) ? Command.Misused({ usage }) : Command.Rename({ name: rest }),
    bare: { word: "rename|", usage: "rename|NAME", parse: (rest) => Command.Rename({ name: trimmed(rest) }) }
  },
  {
    topic: "to",
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
    words: ["history"],
    argument: " [N]",
    slash: (rest, usage) => {
      const limit = rest === "" ? usualHistory : /^[0-9]+$/.test(rest) ? Math.min(Number(rest), longestHistory) : 0
      return limit === 0 ? Command.Misused({ usage }) : Command.History({ limit })
    }
  },
  {
    topic: "time",
    words: ["time"],
    argument: " on|off",
    slash: (rest, usage) => {
      const word = rest.toLowerCase()
      return word === "on" || word === "off" ? Command.Time({ shown: word === "on" }) : Command.Misused({ usage })
    }
  },
  { topic: "stats", words: ["stats"], argument: "", slash: alone(Command.Stats()) },
  { topic: "help", words: ["help"], argument: "", slash: alone(Command.Help()) },
  { topic: "quit", words: ["quit", "exit"], argument: "", slash: alone(Command.Quit()) },
  { topic: "say", words: [], argument: "//TEXT", slash: (text) => Command.Say({ text }) }
] as const satisfies ReadonlyArray<Entry & { readonly topic: string }>

/** What help has a line about. */
export type HelpTopic = typeof table[number]["topic"]

const entries: ReadonlyArray<Entry & { readonly topic: HelpTopic }> = table

const usageOf = (word: string, { argument }: Entry) => `/${word}${argument}`

/** The table that `parse` reads, as help shows it. */
export const topics: ReadonlyArray<{ readonly topic: HelpTopic; readonly usage: string }> = entries.map((entry) => ({
  topic: entry.topic,
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
    : [{ ...bare, head: new RegExp(`^${bare.word.slice(0, -1)}${blank}*[|｜]`, "iu") }]
)

// The first word of a line on which a secret may stand, and what the line should have been.
const secretive = new RegExp(`^[${"/／"}\\t\\p{Zs}]*(rename|nick|op)(?:${blank}|[:：|｜])`, "iu")
const usageOfSecret: Record<string, string> = { rename: "rename|NAME", nick: "/nick NAME", op: "/op SECRET" }

/** The right form, if words that are about to be said to everyone look like a secret that is not meant for them. */
const slip = (line: string): string | undefined => {
  const word = secretive.exec(line)?.[1]?.toLowerCase()
  return word !== undefined && (word === "op" || /[#＃]/.test(line)) ? usageOfSecret[word] : undefined
}

const say = (line: string, text: string): Command => {
  const usage = slip(line)
  return usage === undefined ? Command.Say({ text }) : Command.Misused({ usage })
}

// Anything else is plain words: nearly every line ends here.
const mayBeCommand = /^[\t\p{Zs}]*(?:[/／]|who|(?:rename|to|nick|op)[\t\p{Zs}:：|｜])/iu

/**
 * Reads a line as the decoder gives it, without its line break. Its head is read kindly: blanks, case and full-width bars
 * and slashes make no difference in what belongs to a command, so that nothing private is said aloud by a slip.
 */
export const parse = (line: string): Command => {
  if (!mayBeCommand.test(line)) return /\S/.test(line) ? Command.Say({ text: line }) : Command.Blank()
  const head = line.replace(leadingBlanks, "")
  if (/^[/／]/.test(head)) {
    if (/^.[/／]/.test(head)) return say(line, `/${head.slice(2)}`)
    const [word, rest = ""] = cut(head.slice(1), blanks)
    const known = slashed.get(word.toLowerCase())
    if (known === undefined) return Command.Unknown({ command: `/${word}` })
    return known.entry.slash(known.entry.topic === "to" ? rest : rest.replace(trailingBlanks, ""), known.usage)
  }
  const whole = head.replace(trailingBlanks, "")
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
