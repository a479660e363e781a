/** A nats-server with JetStream as a child process, in a folder of its own. Only the child's own pid is signalled. */
import { Deferred, Effect, FiberId, Schedule, type Scope } from "effect"
import * as ChildProcess from "node:child_process"
import * as FileSystem from "node:fs"
import { ServerFailed } from "../ServerProcess.ts"

export interface NatsProcess {
  readonly port: number
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** After a kill: on the same port and folder. Waits until it listens. */
  readonly start: Effect.Effect<void, ServerFailed>
  /** Waits for the end of the process. */
  readonly ended: Effect.Effect<void>
}

// Debian puts it where not everybody's PATH leads.
const program = () =>
  ["nats-server", "/usr/sbin/nats-server"].find((name) => ChildProcess.spawnSync(name, ["-v"]).status === 0)

export const start = (folder: string): Effect.Effect<NatsProcess, ServerFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const command = yield* Effect.mapError(
      Effect.fromNullable(program()),
      () => new ServerFailed({ message: "there is no nats-server here" })
    )
    let child: ChildProcess.ChildProcess | undefined
    let ended = Deferred.unsafeMake<void>(FiberId.none)
    let port = -1
    const launch = Effect.gen(function*() {
      const exit = ended = Deferred.unsafeMake<void>(FiberId.none)
      const flags = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder, "--ports_file_dir", folder]
      const started = child = ChildProcess.spawn(command, flags, { stdio: "ignore" })
      started.once("exit", () => Deferred.unsafeDone(exit, Effect.void))
      port = yield* Effect.try(() => {
        const ports = FileSystem.readFileSync(`${folder}/nats-server_${started.pid}.ports`, "utf8")
        return Number(/127\.0\.0\.1:(\d+)/.exec(ports)?.[1] ?? "")
      }).pipe(
        Effect.retry(Schedule.spaced("20 millis")),
        Effect.timeoutFail({
          duration: "15 seconds",
          onTimeout: () => new ServerFailed({ message: "nats-server does not listen" })
        }),
        Effect.mapError(() => new ServerFailed({ message: "nats-server does not listen" }))
      )
    })
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        child?.kill("SIGKILL")
        // Its folder is removed next.
        return Effect.ignore(Effect.timeout(Deferred.await(ended), "5 seconds"))
      })
    )
    yield* launch
    return {
      port,
      signal: (signal) => Effect.sync(() => void child?.kill(signal)),
      start: launch,
      ended: Effect.suspend(() => Deferred.await(ended))
    }
  })
