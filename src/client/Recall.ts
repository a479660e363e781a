/** What was sent before, to be taken back with the arrows. It never holds a secret. */
import * as Slip from "../wire/Slip.ts"

// As many as fit a head.
const longest = 100

/** A line with a word that others must not read over a shoulder. */
export const isSecret = (line: string): boolean => {
  const [, slash, word = "", rest = ""] = /^\s*([/／]*)\s*(rename|nick|secret|op)[\s|｜:：]+(.*)$/isu.exec(line) ?? []
  const isOwning = /^(?:rename|nick)$/i.test(word) && /[#＃\s]/u.test(rest.trim())
  return isOwning || slash !== "" && /^(?:secret|op)$/i.test(word) && rest !== "" || Slip.usage(line) !== undefined
}

/** The name in a line that goes on with its secret, which is to be typed where nobody can read it. */
export const nameBeforeSecret = (line: string): string | undefined =>
  /^\s*[/／]?(?:rename|nick)[\s|｜]+([^\s#＃|｜]+)[#＃]$/iu.exec(line)?.[1]

export class Recall {
  readonly #sent: Array<string> = []
  #at = 0
  /** What stood in the line before the arrows were used. */
  #draft = ""

  add(text: string): void {
    if (!text.split("\n").some(isSecret) && text !== this.#sent.at(-1)) this.#sent.push(text)
    if (this.#sent.length > longest) this.#sent.shift()
    this.#at = this.#sent.length
  }

  /** Whether the text is the one that was recalled last, so that the arrows may go on. */
  isShown(text: string): boolean {
    return text === "" || text === this.#sent[this.#at]
  }

  /** The one before (-1) or behind (1); `undefined` if there is none. */
  step(by: -1 | 1, text: string): string | undefined {
    const next = this.#at + by
    if (next < 0 || next > this.#sent.length) return undefined
    if (this.#at === this.#sent.length) this.#draft = text
    this.#at = next
    return this.#sent[next] ?? this.#draft
  }
}
