/** A child process whose output can be waited for: the server as people start it, and the netcats that they use. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process"
import { bundle } from "./bundle.ts"
import { within } from "./client.ts"

export interface Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly type: (text: string) => Effect.Effect<void>
  /** Ends its standard input. */
  readonly end: Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits until standard output, from its beginning, matches, and gives the match. */
  readonly prints: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  /** Waits until it is over: its exit code, or the signal that ended it, and all that it printed. */
  readonly over: Effect.Effect<{ readonly code: number | string; readonly stdout: string; readonly stderr: string }>
}

/** Starts a process, which is killed at the end of the scope if it still runs. */
export const start = (
  command: string,
  args: ReadonlyArray<string>,
  env: Record<string, string> = {}
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function*() {
    const exited = yield* Deferred.make<number | string>()
    const process = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(command, args, { env: { ...globalThis.process.env, ...env } })),
      (process) =>
        Effect.zipRight(Effect.sync(() => process.kill("SIGKILL")), within("an exit", Deferred.await(exited)))
    )
    let stdout = ""
    let stderr = ""
    process.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    process.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    // A netcat may be gone before all that was typed is read.
    process.stdin.on("error", () => {})
    process.on("error", (error) => Deferred.unsafeDone(exited, Effect.die(error)))
    process.on("close", (code, signal) => Deferred.unsafeDone(exited, Effect.succeed(code ?? signal ?? "unknown")))
    return {
      process,
      type: (text) => Effect.sync(() => process.stdin.write(text)),
      end: Effect.sync(() => process.stdin.end()),
      signal: (signal) => Effect.sync(() => process.kill(signal)),
      prints: (pattern) =>
        within(
          () => `${pattern} in what ${command} prints: ${stdout}${stderr}`,
          Effect.async<RegExpExecArray>((resume) => {
            const look = () => {
              const match = pattern.exec(stdout)
              if (match === null) return
              process.stdout.off("data", look)
              resume(Effect.succeed(match))
            }
            process.stdout.on("data", look)
            look()
            return Effect.sync(() => process.stdout.off("data", look))
          })
        ),
      over: Effect.map(within(`the end of ${command}`, Deferred.await(exited)), (code) => ({ code, stdout, stderr }))
    }
  })

/** Whether a program can be started. */
export const isInstalled = (program: string): boolean => spawnSync("which", [program]).status === 0

/** No welcome and no old lines, no file, and no limit of an address that all clients of a test share, unless the test is about that. */
export const quiet = {
  TELLNET_WELCOME: "off",
  TELLNET_RATE_PER_IP: "0",
  TELLNET_VISITS_PER_IP: "0",
  TELLNET_REPLAY: "0",
  TELLNET_DATA: "none"
}

/** Starts the server with these flags from its sources, as `npm start` does, but without `tsx` around the process. */
export const source = (flags: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  start(process.execPath, ["--import", "tsx", "src/main.ts", ...flags], { ...quiet, ...env })

/** The same from the bundle. */
export const bundled = (flags: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  start(process.execPath, [bundle, ...flags], { ...quiet, ...env })

/** Starts the bundled server with these flags, on any free port. */
export const server = (...flags: ReadonlyArray<string>) => bundled(["--port", "0", ...flags])

/** Waits until the server listens, and gives its port. */
export const port = (server: Child) =>
  Effect.map(server.prints(/listening on [^\s"]+:(\d+)/), ([, port]) => Number(port))

/** Waits until the server listens with TLS, and gives that port. */
export const tlsPort = (server: Child) =>
  Effect.map(server.prints(/listening on [^\s"]+:(\d+) with TLS/), ([, port]) => Number(port))

/** Waits until the server listens for browsers, and gives that port. */
export const webPort = (server: Child) =>
  Effect.map(server.prints(/listening on [^\s"]+:(\d+) for browsers/), ([, port]) => Number(port))

/** Waits until the server answers who watches over it, and gives the address without a path. */
export const monitor = (server: Child) =>
  Effect.map(server.prints(/metrics and health at (http:[^\s"]+)/), ([, url = ""]) => url)

/** What an address answers, with its status. */
export const get = (url: string) =>
  within(
    `an answer from ${url}`,
    Effect.promise(() => fetch(url).then((answer) => answer.text().then((text) => ({ status: answer.status, text }))))
  )

/** Waits until the metrics hold these lines. */
export const measures = (url: string, ...lines: ReadonlyArray<string>) =>
  within(
    `${lines.join(", ")} at ${url}/metrics`,
    Effect.repeat(Effect.map(get(`${url}/metrics`), ({ text }) => text.split("\n")), {
      until: (metrics) => lines.every((line) => metrics.includes(line)),
      schedule: Schedule.spaced("20 millis")
    })
  )
