/** What was said, printed line by line: the terminal scrolls, and keeps what went by. Knows neither keys nor sockets. */
import { type Crowd, fold, isEmpty, type Move, nobody, tell } from "../client/Presence.ts"
import type { Private, Spoken } from "../client/Session.ts"
import { timeText } from "../client/times.ts"
import * as Style from "./Style.ts"

const bell = "\x07"
/** So long, in ms, whoever comes and goes waits for others who do. */
const together = 500

export class View {
  readonly #style: Style.Style
  /** Gets whole lines, which are safe. */
  readonly #print: (...lines: ReadonlyArray<string>) => void
  readonly #me: () => string
  #hasTime = true
  #crowd: Crowd = nobody
  #timer: NodeJS.Timeout | undefined
  #day: string | undefined

  constructor(style: Style.Style, print: (...lines: ReadonlyArray<string>) => void, me: () => string) {
    this.#style = style
    this.#print = print
    this.#me = me
  }

  times(shown: boolean): void {
    this.#hasTime = shown
  }

  /** `isNew`: not from before the first connection. */
  said(lines: ReadonlyArray<Spoken>, isNew: boolean): void {
    this.#flush()
    const about = this.#about()
    for (const line of lines) {
      this.#newDay(line.time)
      this.#print((isNew && Style.isMention(line, about.me) ? bell : "") + Style.said(this.#style, line, about))
    }
  }

  told(message: Private): void {
    this.#flush()
    if (message.kept !== true) this.#newDay(message.time)
    const about = this.#about()
    this.#print((message.from.name === about.me ? "" : bell) + Style.told(this.#style, message, about))
  }

  moved(move: Move, name: string): void {
    this.#crowd = fold(this.#crowd, move, name)
    this.#timer ??= setTimeout(() => this.#flush(), together)
  }

  note(text: string, isLoud = false): void {
    this.#flush()
    this.#print(Style.note(this.#style, text, isLoud))
  }

  heading(text: string): void {
    this.#flush()
    this.#print(Style.heading(this.#style, text))
  }

  #about(): Style.About {
    return { me: this.#me(), hasTime: this.#hasTime }
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const crowd = this.#crowd
    this.#crowd = nobody
    if (!isEmpty(crowd)) this.#print(Style.note(this.#style, tell(crowd, this.#style.wording.say), false))
  }

  // What is shown first is of today, unless it says so itself.
  #newDay(time: string): void {
    const ms = Date.parse(time)
    const day = new Date(ms).toDateString()
    const isOther = day !== (this.#day ?? new Date().toDateString())
    this.#day = day
    if (isOther && this.#hasTime) {
      this.#print(Style.heading(this.#style, timeText(this.#style.wording.locale, "date", ms)))
    }
  }
}
