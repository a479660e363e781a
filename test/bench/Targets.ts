/** What tellnet has to reach, as ratios to other servers of the same run, and whether it did. */
import type { Figure } from "./Job.ts"
import type { LoadName, RowName } from "./Plan.ts"
import { type Point, ratio, rowsOf } from "./Results.ts"
import type { Entry } from "./Run.ts"

export interface Verdict {
  readonly load: LoadName | "all"
  readonly what: string
  readonly target: string
  /** `undefined`: not measured in this run. */
  readonly value: number | undefined
  readonly met: boolean
}

export const verdictsOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<Verdict> => {
  const rows = rowsOf(entries)
  const own = (load: LoadName, figure: Figure) =>
    rows.find(({ row, server }) => row === load && server === "tellnet")?.figures[figure]
  const to = (load: LoadName, figure: Figure, server: "batched" | "nats") =>
    ratio(entries, point(load, figure), { row: load, server, figure })
  const before = (load: LoadName, figure: Figure) =>
    ratio(entries, point(load, figure), { row: load, server: "baseline", figure })
  const sinceBaseline = [
    atMost("paced", "CPU per line, to the baseline", 1.05, before("paced", "cpuPerLine")),
    atMost("single", "CPU per line, to the baseline", 1.05, before("single", "cpuPerLine")),
    atMost("burst", "CPU per line, to the baseline", 1.05, before("burst", "cpuPerLine")),
    atMost("arrivals", "seconds, to the baseline", 1.05, before("arrivals", "seconds")),
    atMost("idle", "KB per user, to the baseline", 1.05, before("idle", "rssPerUser"))
  ].filter(({ value }) => value !== undefined)
  const kept = (load: LoadName) =>
    ratio(entries, { row: load, server: "file", figure: "cpuPerLine" }, point(load, "cpuPerLine"))
  /** What others do to a user who does nothing, to `calm`, where there are none of them. */
  const healthy = (load: LoadName, row: RowName, calm: RowName, others: string) =>
    atMost(
      load,
      `p99 of a healthy user under ${row}, to that without ${others}`,
      3,
      ratio(entries, { row, server: "tellnet", figure: "p99" }, { row: calm, server: "tellnet", figure: "p99" })
    )
  const lost = rows.filter(({ server }) => server === "tellnet").flatMap(({ figures }) => figures.lost ?? [])

  return [
    ...sinceBaseline,
    atMost("paced", "CPU per line, to batched", 0.9, to("paced", "cpuPerLine", "batched")),
    below("paced", "CPU per line, to nats", 1, to("paced", "cpuPerLine", "nats")),
    atMost("single", "CPU per line, to batched", 1.3, to("single", "cpuPerLine", "batched")),
    atMost("single", "p50, to batched", 1.3, to("single", "p50", "batched")),
    below("single", "CPU per line, to nats", 1, to("single", "cpuPerLine", "nats")),
    atMost("burst", "CPU per line, to batched", 0.5, to("burst", "cpuPerLine", "batched")),
    atLeast("arrivals", "settled, times sooner than batched", 10, inverse(to("arrivals", "seconds", "batched"))),
    ...(["paced", "single", "burst"] as const).map((load) =>
      atMost(load, "CPU per line with the file, to that without", 1.2, kept(load))
    ),
    atMost(
      "json",
      "CPU per line, to that of plain lines",
      1.3,
      ratio(entries, point("json", "cpuPerLine"), { row: "plain lines", server: "tellnet", figure: "cpuPerLine" })
    ),
    atMost(
      "web",
      "CPU per line, to that of JSON by TCP",
      1.15,
      ratio(entries, { row: "web", server: "web", figure: "cpuPerLine" }, {
        row: "by TCP",
        server: "tellnet",
        figure: "cpuPerLine"
      })
    ),
    atMost(
      "web",
      "KB per idle user",
      24,
      rows.find(({ row, server }) => row === "idle by web" && server === "web")?.figures.rssPerUser
    ),
    atMost(
      "rooms",
      "CPU per line, to that in one room",
      1.1,
      ratio(entries, point("rooms", "cpuPerLine"), { row: "one room", server: "tellnet", figure: "cpuPerLine" })
    ),
    atMost(
      "nodes",
      "CPU per line of one node, to that with the file",
      1.2,
      ratio(entries, { row: "nodes", server: "nodes1", figure: "cpuPerLine" }, {
        row: "nodes",
        server: "file",
        figure: "cpuPerLine"
      })
    ),
    atMost(
      "nodes",
      "p50 ms from one of two nodes to the other, at 1000 lines a second",
      5,
      rows.find(({ row, server }) => row === "between nodes" && server === "nodes2")?.figures.p50
    ),
    atMost("arrivals", "seconds until 3000 have all lines", 2.2, own("arrivals", "seconds")),
    atMost("idle", "KB of RSS per user", 16, own("idle", "rssPerUser")),
    atMost(
      "stalled",
      "p99 of the healthy, to that without stalled users",
      1.2,
      ratio(entries, point("stalled", "p99"), { row: "unstalled", server: "tellnet", figure: "p99" })
    ),
    ...(["hostile 25×1", "hostile 50×1", "hostile 100×1", "hostile 100×10"] as const).map((row) =>
      healthy("hostile", row, "hostile 0×0", "attackers")
    ),
    ...(["visits", "visits refused"] as const).map((row) => healthy("visits", row, "unvisited", "visits")),
    atMost("start", "seconds to listening", 1.2, own("start", "seconds")),
    atMost("all", "lines lost", 0, lost.length === 0 ? undefined : Math.max(...lost.map(Math.abs)))
  ]
}

const point = (row: LoadName, figure: Figure): Point => ({ row, server: "tellnet", figure })

const inverse = (value: number | undefined): number | undefined => value === undefined ? undefined : 1 / value

const verdict =
  (sign: string, holds: (value: number, bound: number) => boolean) =>
  (load: Verdict["load"], what: string, bound: number, value: number | undefined): Verdict => ({
    load,
    what,
    target: `${sign} ${bound}`,
    value,
    met: value !== undefined && holds(value, bound)
  })

const atMost = verdict("<=", (value, bound) => value <= bound)
const atLeast = verdict(">=", (value, bound) => value >= bound)
const below = verdict("<", (value, bound) => value < bound)
