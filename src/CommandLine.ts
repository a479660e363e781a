/** The command line and the environment: what is asked for, a server or one of the other commands. Plain code, run once. */
import { Command, CommanderError, Option as Flag } from "commander"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import manifest from "../package.json" with { type: "json" }
import { chooseRoom, type Room } from "./domain/Room.ts"
import { BadSetting, decodeDuration, envOf, prefix, rows, settings } from "./Flags.ts"
import type { Settings } from "./ServerConfig.ts"
import * as Version from "./Version.ts"

/** What is done with the file `data`, whether a server has it or not. */
export type Task =
  | { readonly do: "backup"; readonly data: string; readonly to: string }
  /** From `since` on and before `until`, in ms since 1970. */
  | {
    readonly do: "export"
    readonly data: string
    readonly room: Room
    readonly since: number
    readonly until: number
  }

/** A server, a task, or some words and an exit code: 2 for a task that nobody understands. */
export type Parsed =
  | { readonly settings: Settings }
  | { readonly task: Task }
  | { readonly words: string; readonly code: 0 | 1 | 2 }

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the arguments behind the script, and the environment as far as it names settings. A flag comes first. */
export const parse = (args: ReadonlyArray<string>, env: Environment, now = Date.now()): Parsed => {
  let words = ""
  let taskOf: ((data: string) => Task) | undefined
  const command = make(
    (text) => {
      words += text
    },
    now,
    (task) => {
      taskOf = task
    }
  )
  const failure = args.some((arg) => command.commands.some((task) => task.name() === arg)) ? 2 : 1
  try {
    command.parse(args, { from: "user" })
    refuseUnknown(env)
    // An empty variable is as if it were not set.
    const read = settings((name) => command.getOptionValue(name) ?? (env[envOf(name)] || undefined))
    return taskOf === undefined ? { settings: read } : { task: taskOf(fileOf(read)) }
  } catch (error) {
    if (error instanceof CommanderError) {
      // npm takes flags for its own, and leaves their values.
      const isOfNpm = error.code === "commander.excessArguments" && env["npm_lifecycle_event"] === "start"
      if (isOfNpm) words += `With npm, flags stand behind two dashes: npm start -- --flag value\n`
      return { words, code: error.exitCode === 0 ? 0 : failure }
    }
    if (error instanceof BadSetting) return { words: `${error.message}\n`, code: failure }
    throw error
  }
}

const fileOf = ({ data, nats }: Settings): string => {
  if (nats.length > 0) {
    throw new BadSetting("This is for the file of one server. What several say is on NATS: see `nats stream backup`.")
  }
  if (data === "none") throw new BadSetting("With --data none there is no file.")
  return data.file
}

const columns = 100

/** The command that knows the table. It prints with `write`, and throws where it would end the process. */
const make = (
  write: (text: string) => void,
  now: number,
  choose: (task: (data: string) => Task) => void
): Command => {
  const command = new Command(manifest.name)
    .description("An instant-messaging server that people use from bare netcat.")
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: columns })
    .configureOutput({ writeOut: write, writeErr: write })
    .option("-V, --version", "print the version, and those of what it is made of")
    .on("option:version", () => {
      write(`${Version.words()}\n`)
      throw new CommanderError(0, "commander.version", "")
    })
    .helpOption("-h, --help", "print this")
    .helpCommand(false)
    .addHelpText(
      "after",
      `\nIn brackets: what holds where nothing is given. Each flag can come from the environment: --max-line\nas ${
        envOf("max-line")
      }. Times are written 500ms, 90s, 5m, 2h, 7d.`
    )
    // Without a command it is a server.
    .action(() => {})
  for (const { fallback, group, name, placeholder, what } of rows) {
    const flag = new NamedFlag(name, placeholder, `${what} (${fallback})`)
    command.addOption(flag.helpGroup(`${group}:`))
  }
  const ofFile = "\n--data FILE says of which file, as for the server; it may be running."
  command.command("backup")
    .description("copy the data into another file")
    .argument("<FILE>", "the copy; nothing may be there yet")
    .addHelpText("after", ofFile)
    .action((to: string) => choose((data) => ({ do: "backup", data, to })))
  command.command("export")
    .description("print what was said in a room, a line of JSON each")
    .argument("<ROOM>", "the room, such as lobby")
    .option("--since <TIME>", "from this time on: 2026-11-25, 2026-11-25T09:30, with Z in UTC; or 7d ago")
    .option("--until <TIME>", "what was said before this time")
    .addHelpText("after", ofFile)
    .action((name: string, { since, until }: Readonly<Record<string, string>>) =>
      choose((data) => ({
        do: "export",
        data,
        room: Option.getOrThrowWith(chooseRoom(name), () => new BadSetting(`${JSON.stringify(name)} is no room.`)),
        since: since === undefined ? 0 : moment("since", since, now),
        until: until === undefined ? Number.MAX_SAFE_INTEGER : moment("until", until, now)
      }))
    )
  return command
}

const date = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/

/** In ms since 1970. Without a zone it is the time of this machine, as users are shown it. */
const moment = (flag: string, text: string, now: number): number => {
  const ago = decodeDuration(text)
  if (Option.isSome(ago)) return Math.round(now - Duration.toMillis(ago.value))
  // A date alone would be one in UTC.
  const at = date.test(text) && isDay(text.slice(0, 10))
    ? new Date(text.length === 10 ? `${text}T00:00` : text).getTime()
    : Number.NaN
  if (Number.isNaN(at)) {
    throw new BadSetting(
      `--${flag} must be a time such as 2026-11-25, 2026-11-25T09:30, 2026-11-25T09:30Z or 7d (ago), not ${
        JSON.stringify(text)
      }.`
    )
  }
  return at
}

/** Whether the month has that day: a `Date` would take the 31st of February for a day of March. */
const isDay = (text: string): boolean => {
  const day = new Date(text)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

/** A flag whose value is found under its own name, `--no-…` included. */
class NamedFlag extends Flag {
  constructor(name: string, placeholder: string, description: string) {
    super(placeholder === "" ? `--${name}` : `--${name} <${placeholder}>`, description)
    this.negate = false
    if (placeholder === "") this.preset("true")
  }

  override attributeName(): string {
    return this.name()
  }
}

/** Refuses a variable that is meant for this program, but names no setting; with what is near it, as for a flag. */
const refuseUnknown = (env: Environment): void => {
  const known = new Set(rows.map(({ name }) => envOf(name)))
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || known.has(name)) continue
    const flag = `--${name.slice(prefix.length).replaceAll("_", "-").toLowerCase()}`
    const [, near] = /Did you mean (?:one of )?(--[a-z-]+)/.exec(complaint(flag)) ?? []
    const hint = near === undefined ? "see --help" : `did you mean ${envOf(near.slice(2))}?`
    throw new BadSetting(`${name} is no setting: ${hint}`)
  }
}

/** What is said of an unknown flag. */
const complaint = (flag: string): string => {
  try {
    make(() => {}, 0, () => {}).parse([flag], { from: "user" })
    return ""
  } catch (error) {
    return error instanceof Error ? error.message : ""
  }
}
