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
  Stats: {}
  Help: {}
  Quit: {}
  /** A slash and a word that is no command; `command` is both. */
  Unknown: { readonly command: string }
  /** Blank or only white space. */
  Blank: {}
}>
export const Command = Data.taggedEnum<Command>()

interface Entry {
  /** All spellings as people type them; `NAME` and `TEXT` stand for what they choose. */
  readonly usage: string
  /** What may stand behind the slash, and what the rest of the line makes of it. */
  readonly slash: readonly [words: ReadonlyArray<string>, parse: (rest: string) => Command]
  /** The spelling without a slash: the whole line, or its beginning if that ends with `|`. */
  readonly bare?: readonly [start: string, parse: (rest: string) => Command]
}

const table = [
  {
    topic: "who",
    usage: "who, /who",
    slash: [["who"], () => Command.Who()],
    bare: ["who", () => Command.Who()]
  },
  {
    topic: "rename",
    usage: "rename|NAME, /rename NAME, /nick NAME",
    slash: [["rename", "nick"], (rest) => Command.Rename({ name: rest.trimEnd() })],
    bare: ["rename|", (name) => Command.Rename({ name })]
  },
  {
    topic: "to",
    usage: "to|NAME|TEXT, /to NAME TEXT, /msg NAME TEXT",
    slash: [["to", "msg"], (rest) => {
      const [name, text] = cut(rest, /\s/)
      return Command.Tell({ name, text: text ?? "" })
    }],
    bare: ["to|", (rest) => {
      const [name, text] = cut(rest, /\|/)
      return text === undefined ? Command.TellMalformed() : Command.Tell({ name, text })
    }]
  },
  { topic: "stats", usage: "/stats", slash: [["stats"], () => Command.Stats()] },
  { topic: "help", usage: "/help", slash: [["help"], () => Command.Help()] },
  { topic: "quit", usage: "/quit", slash: [["quit"], () => Command.Quit()] },
  { topic: "say", usage: "//TEXT", slash: [[], (text) => Command.Say({ text })] }
] as const satisfies ReadonlyArray<Entry & { readonly topic: string }>

/** What help has a line about. */
export type HelpTopic = typeof table[number]["topic"]

/** The table that `parse` reads, as help shows it. */
export const topics: ReadonlyArray<Entry & { readonly topic: HelpTopic }> = table

const slashed = new Map(topics.flatMap(({ slash: [words, parse] }) => words.map((word) => [word, parse] as const)))
const bare = topics.flatMap(({ bare }) => bare === undefined ? [] : [bare])

/** Reads a line as the decoder gives it, without its line break. */
export const parse = (line: string): Command => {
  if (!/\S/.test(line)) return Command.Blank()
  if (line.startsWith("//")) return Command.Say({ text: line.slice(1) })
  if (line.startsWith("/")) {
    const [word, rest] = cut(line.slice(1), /\s+/)
    return slashed.get(word)?.(rest ?? "") ?? Command.Unknown({ command: `/${word}` })
  }
  for (const [start, parse] of bare) {
    if (start.endsWith("|") ? line.startsWith(start) : line === start) return parse(line.slice(start.length))
  }
  return Command.Say({ text: line })
}

/** What stands before the first match and what behind it; `undefined` if there is none. */
const cut = (text: string, at: RegExp): readonly [string, string | undefined] => {
  const match = at.exec(text)
  return match === null ? [text, undefined] : [text.slice(0, match.index), text.slice(match.index + match[0].length)]
}
