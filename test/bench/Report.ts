/** Prints the tables; with `--publish` writes them and the charts to `results/`. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { cpus } from "node:os"
import { join } from "node:path"
import { growthChart, speedChart } from "./Chart.ts"
import { root } from "./ChildProcess.ts"
import type { Figures } from "./Job.ts"
import { description as aboutLoad, type Options, serverNames } from "./Plan.ts"
import { figureNames, type Row, rowsOf } from "./Results.ts"
import type { Entry } from "./Run.ts"
import { description as aboutServer } from "./Servers.ts"
import { type Verdict, verdictsOf } from "./Targets.ts"

export const report = (options: Options, entries: ReadonlyArray<Entry>) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const now = DateTime.formatIso(yield* DateTime.now)
    const rows = rowsOf(entries)
    const verdicts = verdictsOf(entries)
    const machine = `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`
    const figures = table(columns, rows.map(cellsOf))
    const targets = table(["load", "what", "target", "measured", ""], verdicts.map(targetCells))
    const markdown = `${
      heading(options, machine, now)
    }\n## Figures\n\n${figures}\n\n${legend}\n\n## Targets\n\n${targets}\n`

    yield* Console.log(`\n${figures}\n\n${targets}\n`)
    if (!options.publish) return
    const folder = join(root, "test/bench/results")
    yield* files.makeDirectory(folder, { recursive: true })
    yield* files.writeFileString(join(folder, "results.md"), `${markdown}\n${notes(options)}`)
    yield* files.writeFileString(
      join(folder, "results.json"),
      `${JSON.stringify({ at: now, machine, options, rows, targets: verdicts, runs: entries }, null, 2)}\n`
    )
    yield* files.writeFileString(join(folder, "speed.svg"), speedChart(rows))
    // Without its load there is nothing to draw, and an older chart would belong to another run.
    const growth = join(folder, "growth.svg")
    if (options.only.includes("growth")) yield* files.writeFileString(growth, growthChart(rows))
    else yield* files.remove(growth, { force: true })
    yield* Console.log(`written to ${folder}`)
  })

const columns = [
  "load",
  "server",
  "users",
  "CPU µs/line",
  "NATS µs/line",
  "joining µs/line",
  "p50 ms",
  "p99 ms",
  "lines/s",
  "visits/s",
  "seconds",
  "RSS MB",
  "KB/user",
  "lost",
  "server CPU %",
  "loader CPU %",
  "limit",
  "failed"
]

const cellsOf = ({ failures, figures, row, server, users }: Row): ReadonlyArray<string> => [
  row,
  server,
  users === 0 ? "" : String(users),
  ...figureNames.map((figure) => number(figures[figure])),
  limitOf(figures),
  failures.length === 0 ? "" : `${failures.length}: ${[...new Set(failures)].join("; ")}`
]

/** Whose core was what the row could not get beyond. */
const limitOf = ({ loaderCpu, serverCpu }: Figures): string => {
  if (serverCpu === undefined || loaderCpu === undefined) return ""
  return loaderCpu > 90 ? "loader" : serverCpu > 90 ? "server" : "neither"
}

const targetCells = ({ load, met, target, value, what }: Verdict): ReadonlyArray<string> => [
  load,
  what,
  target,
  value === undefined ? "not measured" : number(value),
  value === undefined ? "" : met ? "met" : "NOT MET"
]

/** Three digits that count, thousands apart. */
const number = (value: number | undefined): string =>
  value === undefined ? "" : Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 4 })

/** A Markdown table, padded so that a terminal shows it straight too. */
const table = (head: ReadonlyArray<string>, body: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((name, column) =>
    Math.max(name.length, 3, ...body.map((cells) => cells[column]?.length ?? 0))
  )
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n")
}

const heading = (options: Options, machine: string, now: string): string =>
  `# Benchmark\n\n${machine}, ${now.slice(0, 16).replace("T", " ")} UTC. ` +
  `Medians of ${options.repeat} round(s)${
    options.quick ? ", **quick run: a first look, no basis for claims**" : ""
  }. ` +
  "Each server ran alone on core 0, its loader on core 1 (where `taskset` exists).\n"

const legend = "CPU: user and system time of the server process by `/proc`, per line that arrived at a user. " +
  "NATS: the same of the nats-server that the nodes write to. " +
  "Joining: the same for the presence lines while the users came in, 200 at a time. " +
  "Latency: from send to sight, by 50 of the users; with several nodes, from one to another. " +
  "RSS: resident memory at the end, and what each user added to that right after the start. " +
  "Lost: worst round, 0 is right; with `arrivals` every user must get each online line from its own on, once. " +
  "Limit: whose core was busy for more than 90 % of the window. Where it is the loader's, lines/s and latency are its own."

const notes = (options: Options): string =>
  [
    "## Loads\n",
    ...options.only.map((name) => `- \`${name}\`: ${aboutLoad[name]}`),
    "\n## Servers\n",
    ...serverNames.map((name) => `- \`${name}\`: ${aboutServer[name].about}; \`${aboutServer[name].command}\``),
    ""
  ].join("\n")
