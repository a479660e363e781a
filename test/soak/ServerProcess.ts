/**
 * The server as a child process. Plain `node:child_process`: the platform's `Command` signals the whole process group
 * and, when its scope closes, waits without limit for a server that ignores SIGTERM; here only the child's own pid is
 * signalled and every wait ends.
 */
import { Data, Deferred, Effect, FiberId, type Scope } from "effect"
import * as ChildProcess from "node:child_process"
import * as FileSystem from "node:fs"
import * as Readline from "node:readline"

export class ServerFailed extends Data.TaggedError("ServerFailed")<{ readonly message: string }> {}

export interface Vitals {
  /** Resident memory in MiB. */
  readonly memory: number
  readonly descriptors: number
}

export interface ServerProcess {
  readonly port: number
  readonly vitals: Effect.Effect<Vitals, ServerFailed>
  /** Lines in its log that tell of an error: none is expected, whatever clients do. */
  readonly errors: () => ReadonlyArray<string>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** SIGTERM; the exit code, or a failure when it does not end in time. */
  readonly stop: Effect.Effect<number | null, ServerFailed>
  /** Fails when the process ends; never succeeds. */
  readonly died: Effect.Effect<never, ServerFailed>
}

const startWithin = "30 seconds"
const stopWithin = "15 seconds"
const errorsKept = 20
const tailKept = 20

export const start = (
  entry: string,
  flags: ReadonlyArray<string>
): Effect.Effect<ServerProcess, ServerFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const listening = Deferred.unsafeMake<number, ServerFailed>(FiberId.none)
    const exit = Deferred.unsafeMake<number | null>(FiberId.none)
    const errors: Array<string> = []
    const tail: Array<string> = []

    const onLine = (line: string) => {
      tail.push(line)
      if (tail.length > tailKept) tail.shift()
      if (/\b(?:ERROR|FATAL)\b/.test(line) && errors.length < errorsKept) errors.push(line)
      const port = /listening on \S*:(\d+)/.exec(line)?.[1]
      if (port !== undefined) Deferred.unsafeDone(listening, Effect.succeed(Number(port)))
    }

    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = ChildProcess.spawn(process.execPath, ["--import", "tsx", entry, ...flags], {
          stdio: ["ignore", "pipe", "pipe"],
          env: { ...process.env, NO_COLOR: "1" }
        })
        Readline.createInterface({ input: child.stdout }).on("line", onLine)
        Readline.createInterface({ input: child.stderr }).on("line", onLine)
        child.once("error", (error) => {
          Deferred.unsafeDone(listening, Effect.fail(new ServerFailed({ message: error.message })))
        })
        child.once("exit", (code) => Deferred.unsafeDone(exit, Effect.succeed(code)))
        return child
      }),
      // Also after a failed run; a server that has ended takes no harm from it.
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )

    const died = Deferred.await(exit).pipe(Effect.flatMap((code) =>
      new ServerFailed({ message: `the server ended with code ${code}; its last words:\n${tail.join("\n")}` })
    ))
    const port = yield* Effect.raceFirst(Deferred.await(listening), died).pipe(
      Effect.timeoutFail({
        duration: startWithin,
        onTimeout: () =>
          new ServerFailed({ message: `the server does not listen:\n${tail.join("\n")}` })
      })
    )

    return {
      port,
      vitals: Effect.try({
        try: () => {
          const status = FileSystem.readFileSync(`/proc/${child.pid}/status`, "utf8")
          return {
            memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
            descriptors: FileSystem.readdirSync(`/proc/${child.pid}/fd`).length
          }
        },
        catch: (error) => new ServerFailed({ message: `cannot look at the server: ${error}` })
      }),
      errors: () => errors,
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      stop: Effect.suspend(() => {
        child.kill("SIGTERM")
        return Deferred.await(exit)
      }).pipe(Effect.timeoutFail({
        duration: stopWithin,
        onTimeout: () => new ServerFailed({ message: `the server still runs ${stopWithin} after SIGTERM` })
      })),
      died
    }
  })
