/**
 * The one sequence, put together from what everybody is told: a place has one line, whoever tells of it and when, and a
 * text, of which each is sent once only, has one place.
 */
import type { NodesTally } from "./Laws.ts"
import type { Line } from "./Wire.ts"

export interface Ledger {
  /** A connection of this program. */
  readonly connected: (address: string, program: string) => void
  /** The program is about to send it. */
  readonly intend: (text: string, program: string) => void
  /** The program is told of it, now or as an old line. */
  readonly see: (line: Line, program: string) => void
  /** It was answered with `ok`. */
  readonly answered: (text: string, seq: number) => void
  /** When a text was sent first, in ms. */
  readonly sentAt: (text: string) => number | undefined
  /** All lines, in order. */
  readonly lines: () => ReadonlyArray<Line>
  /** What was answered is told to somebody. */
  readonly judge: () => void
}

const isSame = (one: Line, other: Line) =>
  one.room === other.room && one.time === other.time && one.text === other.text && one.from.addr === other.from.addr &&
  one.from.name === other.from.name

const words = ({ from, room, seq, text, time }: Line) => `${seq} #${room} ${time} [${from.addr}]${from.name}:${text}`

export const make = (tally: NodesTally): Ledger => {
  const programs = new Map<string, string>()
  const intended = new Map<string, { readonly program: string; readonly at: number }>()
  const lines = new Map<number, Line>()
  const places = new Map<string, number>()
  const answers = new Map<string, number>()
  return {
    connected: (address, program) => void programs.set(address, program),
    intend: (text, program) => {
      if (!intended.has(text)) intended.set(text, { program, at: performance.now() })
    },
    see: (line, program) => {
      const known = lines.get(line.seq)
      if (known !== undefined) {
        if (!isSame(known, line)) tally.fault("order", `${program} is told ${words(line)}; others ${words(known)}`)
        return
      }
      lines.set(line.seq, line)
      const sender = intended.get(line.text)?.program
      if (sender === undefined || programs.get(line.from.addr) !== sender) {
        tally.fault("sender", `${program} is told ${words(line)}, which ${sender ?? "nobody"} sent`)
      }
      const place = places.get(line.text)
      if (place === undefined) places.set(line.text, line.seq)
      else tally.fault("twice", `${words(line)} was said at ${place} already`)
    },
    answered: (text, seq) => {
      const before = answers.get(text)
      if (before !== undefined && before !== seq) {
        tally.fault("answer", `${text} was answered with ${before} and ${seq}`)
      }
      answers.set(text, seq)
    },
    sentAt: (text) => intended.get(text)?.at,
    lines: () => Array.from(lines.values()).toSorted((one, other) => one.seq - other.seq),
    judge: () => {
      for (const [text, seq] of answers) {
        if (lines.get(seq)?.text !== text) {
          tally.fault("lost", `${text} was answered with ${seq}, and stands at ${places.get(text)}`)
        }
      }
    }
  }
}
