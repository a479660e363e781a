/** From single runs to rows: medians over the rounds, and ratios of runs that stood side by side. */
import type { Figure, Figures, ServerName } from "./Job.ts"
import type { RowName } from "./Plan.ts"
import type { Entry } from "./Run.ts"

export interface Row {
  readonly row: RowName
  readonly server: ServerName
  readonly users: number
  readonly figures: Figures
  readonly failures: ReadonlyArray<string>
}

/** Median; of an even number of values, the mean of the two in the middle. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half)] ?? Number.NaN)) / 2
}

/** One row for each load, server and number of users, in the order of the first round. */
export const rowsOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<Row> => {
  const groups = new Map<string, Array<Entry>>()
  for (const entry of entries) {
    const { row, server, users } = entry.step
    const key = `${row} ${server} ${users}`
    groups.set(key, [...groups.get(key) ?? [], entry])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first === undefined ? [] : [rowOf(first, group)]
  })
}

const rowOf = ({ step: { row, server, users } }: Entry, group: ReadonlyArray<Entry>): Row => ({
  row,
  server,
  users,
  figures: mediansOf(group.flatMap(({ answer }) => answer.kind === "Measured" ? [answer.figures] : [])),
  failures: group.flatMap(({ answer }) => answer.kind === "Failed" ? [answer.reason] : [])
})

const mediansOf = (all: ReadonlyArray<Figures>): Figures => {
  const of = (figure: Figure) => {
    const values = all.flatMap((figures) => figures[figure] ?? [])
    // A median would hide the one round that lost something.
    const worst = values.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0]
    const value = figure === "lost" ? worst : median(values)
    return value === undefined || Number.isNaN(value) ? {} : { [figure]: value }
  }
  return Object.assign({}, ...figureNames.map(of))
}

/** All figures, in the order in which they are shown. */
export const figureNames: ReadonlyArray<Figure> = [
  "cpuPerLine",
  "storeCpuPerLine",
  "joinCpuPerLine",
  "p50",
  "p99",
  "perSecond",
  "visitsPerSecond",
  "seconds",
  "rss",
  "rssPerUser",
  "lost",
  "serverCpu",
  "loaderCpu"
]

export interface Point {
  readonly row: RowName
  readonly server: ServerName
  readonly figure: Figure
}

/**
 * How many times `of` is what `to` is: the median of the ratios of each round, since what disturbs a noisy machine disturbs
 * neighbours alike. `undefined` if no round has both.
 */
export const ratio = (entries: ReadonlyArray<Entry>, of: Point, to: Point): number | undefined => {
  const rounds = new Set(entries.map(({ round }) => round))
  const ratios = [...rounds].flatMap((round) => {
    const over = valueOf(entries, round, of)
    const under = valueOf(entries, round, to)
    return over === undefined || under === undefined ? [] : [over / under]
  })
  return ratios.length === 0 ? undefined : median(ratios)
}

const valueOf = (entries: ReadonlyArray<Entry>, round: number, { figure, row, server }: Point): number | undefined =>
  entries.flatMap(({ answer, round: when, step }) =>
    answer.kind === "Measured" && when === round && step.row === row && step.server === server
      ? answer.figures[figure] ?? []
      : []
  )[0]
