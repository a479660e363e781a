/**
 * The words of the web page and of the terminal client, which stand in `words.json` in both languages: some for both, some
 * for one of them. Each of the two looks them up in its own way.
 */
import type { Code, NoticeCode } from "../wire/JsonLines.ts"
import type all from "./words.json"

type All = typeof all
export type PageKey = keyof All["both"] | keyof All["page"]
export type TerminalKey = keyof All["both"] | keyof All["terminal"]
/** What both have, though perhaps in other words. */
export type Key = PageKey & TerminalKey

/** The words with this key; `{0}` and so on are put in. `undefined`: there are none, and the server's own are shown. */
export type Words = (key: Key | Code | NoticeCode, ...values: ReadonlyArray<string | number>) => string | undefined
export type Say<K = Key> = (key: K, ...values: ReadonlyArray<string | number>) => string

export const fill = (text: string, values: ReadonlyArray<string | number>): string =>
  text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)] ?? ""))
