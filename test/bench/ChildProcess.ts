/**
 * Child processes that end with their scope, by SIGKILL and with everything that they started: an orderly goodbye to
 * thousands of users is not what is measured, and the wrapper that `tsx` is would leave its server behind.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export class ChildFailed extends Data.TaggedError("ChildFailed")<{
  readonly program: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.program}: ${this.reason}`
  }
}

/** The root of the repository, where every child runs. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

const living = new Set<number>()

// Each child leads a process group of its own (`detached`), so the negative id means it and its descendants.
const killGroup = (pid: number): void => {
  living.delete(pid)
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Already gone.
  }
}

// The last resort, for an end of this process that runs no finalizers.
process.on("exit", () => living.forEach(killGroup))

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

interface Surroundings {
  readonly cwd: string
  readonly env: Record<string, string>
}

const acquire = (program: string, args: ReadonlyArray<string>, { cwd, env }: Surroundings = { cwd: root, env: {} }) =>
  Effect.async<{ readonly child: ChildProcess; readonly pid: number }, ChildFailed>((resume) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: "pipe" })
    child.on("error", (error) => resume(new ChildFailed({ program, reason: error.message })))
    child.once("spawn", () => {
      const pid = child.pid ?? 0
      living.add(pid)
      resume(Effect.succeed({ child, pid }))
    })
  })

const release = ({ child, pid }: { readonly child: ChildProcess; readonly pid: number }) =>
  Effect.async<void>((resume) => {
    if (hasEnded(child)) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
    killGroup(pid)
  })

/** What a child printed last, both streams together; reading goes on, or a talkative server would stall on its log. */
const tailOf = (child: ChildProcess, onOutput: (tail: string) => void): void => {
  let tail = ""
  const keep = (text: Buffer): void => {
    tail = (tail + text.toString()).slice(-20_000)
    onOutput(tail)
  }
  child.stdout?.on("data", keep)
  // Who died before it could read is told by how it ended.
  child.stdin?.on("error", () => undefined)
  child.stderr?.on("data", keep)
}

/** Starts a program and waits until what it prints matches; the match and its process id. */
export const startUntil = (
  program: string,
  args: ReadonlyArray<string>,
  pattern: RegExp,
  surroundings: Surroundings
) =>
  Effect.flatMap(
    Effect.acquireRelease(acquire(program, args, surroundings), release),
    ({ child, pid }) =>
      Effect.async<{ readonly match: RegExpExecArray; readonly pid: number }, ChildFailed>((resume) => {
        let printed = ""
        tailOf(child, (tail) => {
          printed = tail
          const match = pattern.exec(tail)
          if (match !== null) resume(Effect.succeed({ match, pid }))
        })
        child.once("close", () => resume(new ChildFailed({ program, reason: `ended: ${lastLine(printed)}` })))
      }).pipe(Effect.timeoutFail({
        duration: "20 seconds",
        onTimeout: () => new ChildFailed({ program, reason: "did not start to listen within 20 s" })
      }))
  )

/** Runs a program to its end; the last line that it prints. */
export const runToEnd = (program: string, args: ReadonlyArray<string>) =>
  Effect.flatMap(
    Effect.acquireRelease(acquire(program, args), release),
    ({ child }) =>
      Effect.async<string>((resume) => {
        let printed = ""
        tailOf(child, (tail) => {
          printed = tail
        })
        if (hasEnded(child)) resume(Effect.succeed(""))
        else child.once("close", () => resume(Effect.succeed(lastLine(printed))))
      })
  )

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? ""

/** Where a program is, if it is installed. */
export const findProgram = (name: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const path = yield* Config.withDefault(Config.string("PATH"), "")
    // Debian puts servers where only root's PATH looks.
    const places = [...path.split(":"), "/usr/sbin"].map((folder) => join(folder, name))
    return yield* Effect.findFirst(places, (place) => Effect.orElseSucceed(files.exists(place), () => false))
  })

/** Puts a command on one core, if one is given and `taskset` exists; else the system schedules as it likes. */
export const pinned = (core: number | undefined, command: ReadonlyArray<string>) =>
  Effect.map(
    findProgram("taskset"),
    Option.match({
      onNone: () => command,
      onSome: (taskset) => core === undefined ? command : [taskset, "-c", String(core), ...command]
    })
  )
