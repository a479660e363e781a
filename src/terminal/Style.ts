/**
 * What is shown of a line: times, colours, and nothing that could drive a terminal. Whatever a server sends goes through
 * `terminalSafe` here, and comes out with no control but those of this file.
 */
import { hue } from "../client/hue.ts"
import { mentions } from "../client/Mentions.ts"
import type { Private, Spoken } from "../client/Session.ts"
import { timeText } from "../client/times.ts"
import { terminalSafe } from "../domain/Text.ts"
import type { Wording } from "./Language.ts"

export interface Style {
  readonly wording: Wording
  /** How many bits a colour has: 1 is none. */
  readonly depth: number
}

/** Can be read on black and on white, in the order of the rainbow (4 to 1 at least, xterm's 256 colours). */
export const palette = [131, 130, 64, 28, 29, 30, 31, 27, 63, 98, 97, 129, 133, 163, 162, 161]

const wrapped = ({ depth }: Style, codes: string, text: string) => depth === 1 ? text : `\x1b[${codes}m${text}\x1b[0m`

/** Of a name, the same for all who see it. */
const colour = ({ depth }: Style, name: string): string => {
  const at = (count: number) => Math.floor(hue(name) / 360 * count)
  // The eight colours that a terminal has at least, without black and white.
  return depth >= 8 ? `38;5;${palette[at(palette.length)]}` : String(31 + at(6))
}

export const dim = (style: Style, text: string): string => wrapped(style, "2", terminalSafe(text))
const bold = (style: Style, text: string) => wrapped(style, "1", terminalSafe(text))
const called = (style: Style, name: string, isBold: boolean) =>
  wrapped(style, `${isBold ? "1;" : ""}${colour(style, name)}`, terminalSafe(name))

const clock = (style: Style, time: string, hasTime: boolean) =>
  hasTime ? `${dim(style, timeText(style.wording.locale, "seconds", Date.parse(time)))} ` : ""

export interface About {
  /** What I am called. */
  readonly me: string
  readonly hasTime: boolean
}

export const isMention = ({ from, text }: Pick<Spoken, "from" | "text">, me: string): boolean =>
  from.name !== me && mentions(text, me)

export const said = (style: Style, line: Spoken, { hasTime, me }: About): string => {
  const { from: { name }, text, time } = line
  const words = isMention(line, me) ? bold(style, text) : terminalSafe(text)
  return `${clock(style, time, hasTime)}${called(style, name, name === me)}: ${words}`
}

export const told = (style: Style, { from: { name }, kept, text, time, to }: Private, about: About): string => {
  const { locale, say } = style.wording
  const isMine = name === about.me
  const tag = isMine ? say("to", to) : `${terminalSafe(name)} (${say(kept === true ? "kept" : "private")})`
  const head = wrapped(style, `1;${colour(style, isMine ? to : name)}`, terminalSafe(tag))
  // It may be of another day.
  const front = kept === true
    ? `${dim(style, timeText(locale, "moment", Date.parse(time)))} `
    : clock(style, time, about.hasTime)
  return `${front}${head}: ${terminalSafe(text)}`
}

/** What is not said by anybody. No name begins with a star. */
export const note = (style: Style, text: string, isLoud: boolean): string =>
  isLoud ? wrapped(style, "33", `*** ${terminalSafe(text)}`) : dim(style, `*** ${text}`)

export const heading = (style: Style, text: string): string => dim(style, `--- ${text} ---`)
