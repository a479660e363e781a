/** The words of the terminal client, in one of its two languages. */
import all from "../client/words.json" with { type: "json" }
import { fill, type Say, type TerminalKey, type Words } from "../client/Words.ts"

export type Language = "zh" | "en"

export interface Wording {
  readonly language: Language
  /** For dates. */
  readonly locale: string
  readonly words: Words
  readonly say: Say<TerminalKey>
  /** The commands, each with what it does. */
  readonly help: ReadonlyArray<readonly [usage: string, text: string]>
}

/** As the environment has it: Chinese where it says so, else English. */
export const languageOf = (env: Readonly<Record<string, string | undefined>>): Language =>
  // The first that is there counts, as everywhere. An empty one is as if it were not there.
  (env["LC_ALL"] || env["LC_MESSAGES"] || env["LANG"] || "").toLowerCase().startsWith("zh") ? "zh" : "en"

export const wordsIn = (language: Language): Wording => {
  const at = language === "zh" ? 0 : 1
  const texts: ReadonlyMap<string, ReadonlyArray<string>> = new Map(Object.entries({ ...all.both, ...all.terminal }))
  const words = (key: string, ...values: ReadonlyArray<string | number>) => {
    const text = texts.get(key)?.[at]
    return text === undefined ? undefined : fill(text, values)
  }
  return {
    language,
    locale: language === "zh" ? "zh-CN" : "en",
    words,
    say: (key, ...values) => words(key, ...values) ?? key,
    help: Object.entries(all.commands).map(([usage, texts]) => [usage, texts[at] ?? ""])
  }
}
