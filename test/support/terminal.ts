/** The terminal client in real terminals: one tmux for all tests of a file, a session of its own for each client. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { execFile, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { client } from "./bundle.ts"
import { isInstalled } from "./child.ts"
import { within } from "./client.ts"

/** In CI an absent tmux is a failure. */
export const isMissing = !isInstalled("tmux") && process.env["CI"] === undefined

const socket = `tellnet-${process.pid}`
const env = { ...process.env, LC_ALL: "C.UTF-8" }

const tmux = (...args: ReadonlyArray<string>): Effect.Effect<string> =>
  within(
    `tmux ${args.join(" ")}`,
    Effect.async<string>((resume) => {
      execFile("tmux", ["-u", "-L", socket, "-f", "/dev/null", ...args], { env }, (error, stdout) => {
        resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
      })
    })
  )

/** Behind all tests. */
export const close = () => spawnSync("tmux", ["-L", socket, "kill-server"])

let sessions = 0

export interface Options {
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  /** A shell, in which it is started. */
  readonly shell?: true
  /** A file for every byte that it writes, also what is gone from the screen at once. */
  readonly record?: string
}

/** What one sees, and the keys that one has. */
export interface Terminal {
  /** All rows, from the first that ever was. What is too long for a row stands in one. */
  readonly rows: Effect.Effect<ReadonlyArray<string>>
  /** The same with colours. */
  readonly painted: Effect.Effect<string>
  /** Waits until some row is like this. */
  readonly shows: (pattern: string | RegExp) => Effect.Effect<void>
  /** Waits until the last row is this, blanks at its end aside. */
  readonly prompts: (text: string) => Effect.Effect<void>
  /** The last rows, above the prompt, are these, times aside. */
  readonly ends: (...rows: ReadonlyArray<string>) => Effect.Effect<void>
  readonly type: (text: string) => Effect.Effect<void>
  /** As tmux calls them: `Enter`, `C-c`. */
  readonly keys: (...names: ReadonlyArray<string>) => Effect.Effect<void>
  readonly paste: (text: string) => Effect.Effect<void>
  /**
   * Waits until the client has heard of it: tmux wraps anew at once, and tells of it at most every 250 ms. What any program
   * draws in between is for the width of before.
   */
  readonly resize: (columns: number) => Effect.Effect<void>
  /** What tmux knows of it: `cursor_x`. */
  readonly is: (what: string) => Effect.Effect<string>
  /** The process of the client in a shell. */
  readonly child: Effect.Effect<string>
  /** Waits until it is over: its exit code. */
  readonly over: Effect.Effect<number>
}

export const open = (args: ReadonlyArray<string>, options: Options = {}): Effect.Effect<Terminal> =>
  Effect.gen(function*() {
    const name = `t${++sessions}`
    const command = [process.execPath, client, ...args].map((arg) => `'${arg}'`).join(" ")
    const variables = Object.entries({ LC_ALL: "C.UTF-8", ...options.env }).flatMap((
      [key, text]
    ) => ["-e", `${key}=${text}`])
    const settings = "set-option -g remain-on-exit on ; set-option -g default-terminal screen-256color ;".split(" ")
    const session = ["new-session", "-d", "-s", name, "-x", String(options.columns ?? 80), "-y", "30", ...variables]
    yield* tmux(...settings, ...session, options.shell === true ? "bash --norc" : command)
    if (options.record !== undefined) yield* tmux("pipe-pane", "-t", name, `cat > ${options.record}`)
    const is = (what: string) =>
      Effect.map(tmux("display-message", "-p", "-t", name, `#{${what}}`), (text) => text.trim())
    const capture = (...flags: ReadonlyArray<string>) =>
      tmux("capture-pane", "-p", "-J", "-S", "-", "-t", name, ...flags)
    const rows = Effect.map(capture(), (text) => text.trimEnd().split("\n").map((row) => row.trimEnd()))
    const until = (what: string, isSo: (rows: ReadonlyArray<string>) => boolean) =>
      Effect.repeat(rows, { until: isSo, schedule: Schedule.spaced("30 millis") }).pipe(
        Effect.timeoutTo({
          duration: "20 seconds",
          onSuccess: () => Effect.void,
          onTimeout: () => Effect.flatMap(rows, (rows) => Effect.dieMessage(`no ${what} in\n${rows.join("\n")}`))
        }),
        Effect.flatten
      )
    const keys = (...names: ReadonlyArray<string>) => Effect.asVoid(tmux("send-keys", "-t", name, ...names))
    const terminal: Terminal = {
      rows,
      painted: capture("-e"),
      shows: (pattern) =>
        until(
          String(pattern),
          (rows) => rows.some((row) => typeof pattern === "string" ? row.includes(pattern) : pattern.test(row))
        ),
      prompts: (text) => until(`prompt ${text}`, (rows) => rows.at(-1) === text),
      ends: (...wanted) => {
        const plain = (rows: ReadonlyArray<string>) => rows.map((row) => row.replace(/^\d\d:\d\d:\d\d /, ""))
        return until(
          `end ${JSON.stringify(wanted)}`,
          (rows) => JSON.stringify(plain(rows.slice(-wanted.length - 1, -1))) === JSON.stringify(wanted)
        )
      },
      type: (text) => Effect.asVoid(tmux("send-keys", "-l", "-t", name, "--", text)),
      keys,
      paste: (text) =>
        Effect.asVoid(tmux("set-buffer", "-b", name, "--", text, ";", "paste-buffer", "-p", "-b", name, "-t", name)),
      resize: (columns) =>
        Effect.gen(function*() {
          yield* tmux("resize-window", "-t", name, "-x", String(columns), "-y", "30")
          const tty = yield* is("pane_tty")
          const width = Effect.sync(() =>
            spawnSync("stty", ["-F", tty, "size"], { encoding: "utf8" }).stdout.split(" ")[1]
          )
          yield* within(
            `a width of ${columns}`,
            Effect.repeat(width, { until: (text) => Number(text) === columns, schedule: Schedule.spaced("30 millis") })
          )
        }),
      is,
      child: Effect.map(is("pane_pid"), (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()),
      // tmux looks after a child that has ended when it hears of one; two that end at once may be one to it.
      over: within(
        "an exit",
        Effect.repeat(Effect.delay(Effect.zipRight(tmux("run-shell", "true"), is("pane_dead_status")), "100 millis"), {
          until: (status) => status !== ""
        })
      ).pipe(Effect.map(Number))
    }
    if (options.shell === true) {
      yield* terminal.type(command)
      yield* keys("Enter")
    }
    return terminal
  })

/** How often some row is like this. */
export const count = (rows: ReadonlyArray<string>, pattern: RegExp): number =>
  rows.filter((row) => pattern.test(row)).length

/** All of these are somewhere, once, and in this order. */
export const assertOnce = (rows: ReadonlyArray<string>, texts: ReadonlyArray<string>): void => {
  const found = rows.flatMap((row) => texts.filter((text) => row.endsWith(text)))
  assert.deepStrictEqual(found, [...texts], rows.join("\n"))
}
