/** Finds the addresses in a text. All parts together are the text again, and only http and https become links. */

export interface Part {
  readonly text: string
  readonly isLink?: true
}

// Chinese is written without blanks: its punctuation ends an address.
const address = /\bhttps?:\/\/[^\s<>"'`，。；：！？、（）《》【】「」“”‘’]+/giu
const sentenceEnd = /[.,;:!?)\]}*_~]+$/u

/** Takes what ends a sentence off, but keeps a bracket that was opened inside the address. */
const withoutEnd = (found: string): string => {
  let address = found
  for (;;) {
    const end = sentenceEnd.exec(address)?.[0]
    if (end === undefined) return address
    const count = (bracket: string) => address.split(bracket).length
    if (address.endsWith(")") && count("(") >= count(")")) return address
    address = address.slice(0, -1)
  }
}

// What stands before an `@` looks like a place and is none; a `\` is a `/` to browsers, and to nobody else.
const isFalse = (address: string) => /^[^/]*\/\/[^/?#]*[@\\]/.test(address) || !URL.canParse(address)

export const parts = (text: string): ReadonlyArray<Part> => {
  const all: Array<Part> = []
  let at = 0
  for (const match of text.matchAll(address)) {
    const found = withoutEnd(match[0])
    if (isFalse(found)) continue
    if (match.index > at) all.push({ text: text.slice(at, match.index) })
    all.push({ text: found, isLink: true })
    at = match.index + found.length
  }
  if (at < text.length) all.push({ text: text.slice(at) })
  return all
}
