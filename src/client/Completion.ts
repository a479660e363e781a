/** What Tab makes of the word before the cursor; pressed again, it offers the next one. */

export interface Completed {
  /** What the whole text is now. */
  readonly text: string
  readonly cursor: number
  /** Where the word began. */
  readonly start: number
}

/** The candidates for a word: commands at the beginning of a line, names everywhere. */
export const candidates = (
  head: string,
  names: ReadonlyArray<string>,
  commands: ReadonlyArray<string>
): { readonly start: number; readonly words: ReadonlyArray<string> } => {
  const word = /[^\s|｜]*$/u.exec(head)?.[0] ?? ""
  const start = head.length - word.length
  if (word === "") return { start, words: [] }
  const isFirst = head.slice(0, start).trim() === ""
  const among = isFirst && word.startsWith("/") ? commands.map((command) => `/${command}`) : names
  // People write @name too.
  const sign = /^[@#]/.test(word) ? word[0]! : ""
  const wanted = word.slice(sign.length).toLowerCase()
  return { start, words: among.filter((each) => each.toLowerCase().startsWith(wanted)).map((each) => sign + each) }
}

/** Puts a candidate in the place of what stands between `start` and the cursor. */
export const put = (text: string, start: number, cursor: number, word: string): Completed => {
  const head = `${text.slice(0, start)}${word} `
  const tail = text.slice(cursor)
  return { text: head + tail.replace(/^ /, ""), cursor: head.length, start }
}
