/**
 * The one order of broadcasts, as the witness read them. Places count up from 0 for ever; only the last lines are kept,
 * so memory stays bounded. Knows neither sockets nor grammar.
 */

export interface BroadcastLog {
  /** Adds a line that `sender` (the id of a visit) caused; returns its place. */
  readonly append: (line: string, sender: number) => number
  /** The place after the last line. */
  readonly end: () => number
  /** The first place still kept. */
  readonly start: () => number
  readonly at: (place: number) => string | undefined
  readonly sender: (place: number) => number | undefined
  /** The place of `line` nearest to `from`, going up or down by at most `reach` places, or -1. */
  readonly findUp: (line: string, from: number, reach: number) => number
  readonly findDown: (line: string, from: number, reach: number) => number
}

/** Some minutes of talk: far more than a reader may be behind, naps included. */
const kept = 1 << 16

export const make = (): BroadcastLog => {
  const lines: Array<string> = []
  const senders: Array<number> = []
  let base = 0
  const end = () => base + lines.length
  return {
    append: (line, sender) => {
      // In large steps: moving the array costs as much as it holds.
      if (lines.length >= 2 * kept) {
        lines.splice(0, kept)
        senders.splice(0, kept)
        base += kept
      }
      lines.push(line)
      senders.push(sender)
      return end() - 1
    },
    end,
    start: () => base,
    at: (place) => lines[place - base],
    sender: (place) => senders[place - base],
    findUp: (line, from, reach) => {
      const last = Math.min(end() - 1, from + reach)
      for (let place = from; place <= last; place++) if (lines[place - base] === line) return place
      return -1
    },
    findDown: (line, from, reach) => {
      const last = Math.max(base, from - reach)
      for (let place = from; place >= last; place--) if (lines[place - base] === line) return place
      return -1
    }
  }
}
