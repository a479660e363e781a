/** What a typed line means: the commands of the terminal, read as the server reads them. Knows neither words nor elements. */
import { blank, trimmed, trimmedEnd } from "../domain/Text.ts"
import type { Asked } from "../wire/JsonLines.ts"
import * as Slip from "../wire/Slip.ts"

export type Typed =
  | { readonly is: "ask"; readonly asked: Asked }
  /** A name is asked for in a window of its own, which may have a secret. */
  | { readonly is: "naming"; readonly name: string; readonly secret: string }
  | { readonly is: "secret"; readonly secret: string }
  | { readonly is: "time"; readonly shown: boolean }
  | { readonly is: "help" | "json" | "nothing" }
  | { readonly is: "misused"; readonly usage: string }
  | { readonly is: "unknown"; readonly word: string }

/** The words, what follows them as people type it, and what that means; `undefined`: it cannot be used like this. */
type Entry = readonly [words: string, argument: string, read: (rest: string) => Typed | undefined]

const ask = (asked: Asked): Typed => ({ is: "ask", asked })
const blanks = new RegExp(`${blank}+`, "u")

const cut = (text: string, at: RegExp): readonly [string, string | undefined] => {
  const match = at.exec(text)
  return match === null ? [text, undefined] : [text.slice(0, match.index), text.slice(match.index + match[0].length)]
}

const word = (make: (word: string) => Asked) => (rest: string) => isWord(rest) ? ask(make(rest)) : undefined
const mayHaveWord = (make: (word: string | undefined) => Asked) => (rest: string) =>
  rest === "" || isWord(rest) ? ask(make(rest === "" ? undefined : rest)) : undefined
const alone = (typed: Typed) => (rest: string) => rest === "" ? typed : undefined
const isWord = (rest: string) => rest !== "" && !blanks.test(rest)

const naming = (rest: string): Typed | undefined => {
  const [text, secret] = cut(rest, /[#＃]/)
  const name = trimmed(text)
  if (blanks.test(name)) return undefined
  return secret === undefined && name !== ""
    ? ask({ do: "rename", name })
    : { is: "naming", name, secret: trimmed(secret ?? "") }
}

const table: ReadonlyArray<Entry> = [
  ["to msg", " NAME TEXT", (rest) => {
    const [name, text = ""] = cut(rest, blanks)
    return ask({ do: "to", name, text })
  }],
  ["history", " [N]", (rest) => {
    if (rest === "") return ask({ do: "history" })
    const limit = /^[0-9]+$/.test(rest) ? Math.min(Number(rest), 1000) : 0
    return limit === 0 ? undefined : ask({ do: "history", limit })
  }],
  ["rename nick", " NAME", naming],
  ["secret", " NEW", (secret) => ({ is: "secret", secret })],
  ["ignore", " [NAME]", mayHaveWord((name) => name === undefined ? { do: "ignore" } : { do: "ignore", name })],
  ["unignore", " NAME", word((name) => ({ do: "unignore", name }))],
  ["who", " [ROOM]", mayHaveWord((room) => room === undefined ? { do: "who" } : { do: "who", room })],
  ["whois", " [NAME]", mayHaveWord((name) => name === undefined ? { do: "whois" } : { do: "whois", name })],
  ["join j", " ROOM", word((room) => ({ do: "join", room }))],
  ["time", " on|off", (rest) => {
    return /^(?:on|off)$/i.test(rest) ? { is: "time", shown: rest.length === 2 } : undefined
  }],
  ["help", "", alone({ is: "help" })],
  ["json", "", alone({ is: "json" })],
  ["quit exit", "", alone(ask({ do: "quit" }))],
  ...(["missed", "disown", "rooms", "leave", "stats"] as const).map((
    name
  ): Entry => [name, "", alone(ask({ do: name }))])
]

/** For completion. */
export const words: ReadonlyArray<string> = table.flatMap(([words]) => words.split(" "))

const slashed = new Map(table.flatMap((entry) => entry[0].split(" ").map((word) => [word, entry] as const)))

const barred = (word: string) => new RegExp(`^${Slip.anyWidth(word)}${blank}*[|｜]`, "iu")
const [toBar, renameBar] = [barred("to"), barred("rename")]

const say = (line: string, text: string): Typed => {
  const usage = Slip.usage(line)
  return usage === undefined ? ask({ do: "say", text }) : { is: "misused", usage }
}

const tell = (rest: string): Typed => {
  const [name, text] = cut(rest, /[|｜]/)
  return text === undefined
    ? { is: "misused", usage: "to|NAME|TEXT" }
    : ask({ do: "to", name: trimmed(name), text })
}

/** Total: each line is one of these. It has no line break. */
export const read = (line: string): Typed => {
  if (!/\S/.test(line)) return { is: "nothing" }
  const head = line.replace(new RegExp(`^${blank}+`, "u"), "")
  if (/^[/／]/.test(head)) {
    if (/^.[/／]/.test(head)) return say(line, `/${head.slice(2)}`)
    const [word, rest = ""] = cut(head.slice(1), blanks)
    const name = word.toLowerCase()
    const entry = slashed.get(name)
    if (entry === undefined) return { is: "unknown", word: `/${word}` }
    const [words, argument, read] = entry
    return read(words === "to msg" ? rest : trimmedEnd(rest)) ?? { is: "misused", usage: `/${name}${argument}` }
  }
  if (trimmedEnd(head) === "who") return ask({ do: "who" })
  const to = toBar.exec(head)
  if (to !== null) return tell(head.slice(to[0].length))
  const rename = renameBar.exec(head)
  if (rename === null) return say(line, line)
  return naming(trimmedEnd(head.slice(rename[0].length))) ?? { is: "misused", usage: "rename|NAME" }
}
