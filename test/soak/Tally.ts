/**
 * What went right, counted; what went wrong, counted with its first examples. Every part of the soak writes here, the
 * report reads it.
 */
import { Struct } from "effect"

/** Everything that must not happen even once. */
export const faults = {
  lost: "lines lost for healthy users",
  twice: "lines read twice",
  order: "order violations",
  grammar: "grammar violations",
  sender: "lines with a false sender or text",
  presence: "已上线 or 下线 wrong, missing or twice",
  name: "own lines under a name other than the one confirmed",
  private: "private messages lost, twice or false",
  past: "old lines that are not those said last",
  skip: "skip notices with a false count",
  connection: "healthy connections refused, broken or not closed",
  kick: "kicks that were wrong or missing",
  server: "server did not behave as a whole"
} as const

export type Fault = keyof typeof faults

/** What happened, neither good nor bad. */
export const events = {
  connections: "connections made",
  said: "numbered lines sent",
  ordered: "broadcasts seen by the witness",
  delivered: "broadcasts read and checked by readers",
  listed: "lines of who lists",
  old: "old lines read and checked",
  privates: "private messages read",
  renames: "renames confirmed",
  refusals: "commands refused (taken, malformed, unknown, ...)",
  tooLong: "lines refused as too long",
  kicked: "users kicked for being idle",
  stalls: "stalled users disconnected",
  resets: "connections reset by us",
  skips: "skip notices read",
  skipped: "lines named in skip notices"
} as const

export type Event = keyof typeof events

/** `E` and `F`: what can happen, and what must not; another soak has others. */
export interface Tally<E extends string = Event, F extends string = Fault> {
  readonly count: (event: E, by?: number) => void
  readonly fault: (fault: F, example: string, by?: number) => void
  /** A line counted as lost has come after all, in the wrong place. */
  readonly found: (fault: F) => void
  readonly of: (what: E | F) => number
  readonly faulty: () => boolean
  readonly examples: (fault: F) => ReadonlyArray<string>
}

const examplesKept = 4

export const make = <E extends string, F extends string>(faults: Readonly<Record<F, string>>): Tally<E, F> => {
  const counts = new Map<E | F, number>()
  const examples = new Map<F, Array<string>>()
  const of = (what: E | F) => counts.get(what) ?? 0
  const count = (what: E | F, by = 1) => void counts.set(what, of(what) + by)
  const names = Struct.keys(faults)
  return {
    count,
    fault: (fault, example, by = 1) => {
      count(fault, by)
      const kept = examples.get(fault) ?? []
      if (kept.length < examplesKept) examples.set(fault, [...kept, example.slice(0, 300)])
    },
    found: (fault) => count(fault, -1),
    of,
    // Not the sum of the counts: a line found again leaves "lost" at zero, and counts as a fault of order.
    faulty: () => names.some((fault) => of(fault) > 0),
    examples: (fault) => examples.get(fault) ?? []
  }
}
