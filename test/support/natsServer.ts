/** A real nats-server with JetStream on a free port and a folder of its own, which a test can stop, kill and start again. */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { type Child, isInstalled, start } from "./child.ts"
import { within } from "./client.ts"
import { folder } from "./engines.ts"

// Debian puts it where not everybody's PATH leads.
const program = ["nats-server", "/usr/sbin/nats-server"].find(isInstalled)

/** Without nats-server its tests are skipped; not in CI, where nobody would notice. */
export const isMissing = (program === undefined || !isInstalled("setpriv")) && process.env["CI"] === undefined

export const describeNats = describe.skipIf(isMissing)

export interface NatsServer {
  readonly url: string
  readonly port: number
  /** Another one after each restart. */
  readonly pid: number
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Kills it with `SIGKILL`, and starts it on the same port and folder. Waits until it listens. */
  readonly restart: Effect.Effect<void>
}

/** Starts a server, with this configuration beside the flags, until the end of the scope. Waits until it listens. */
export const natsServer = (configuration = ""): Effect.Effect<NatsServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const store = yield* folder
    const file = `${store}/nats.conf`
    writeFileSync(file, configuration)
    const flags = ["-c", file, "-a", "127.0.0.1", "-js", "-sd", store, "--ports_file_dir", store]
    const launch = (port: number) =>
      start("setpriv", [
        // It ends with the process of the tests, however that ends.
        "--pdeathsig",
        "KILL",
        program ?? "nats-server",
        ...flags,
        "-p",
        String(port)
      ])
    let child = yield* launch(-1)
    const port = yield* portOf(child, store)
    return {
      url: `nats://127.0.0.1:${port}`,
      port,
      get pid() {
        return child.process.pid!
      },
      // A process of many threads goes on for a moment.
      kill: (signal) => Effect.zipRight(child.signal(signal), Effect.sleep("200 millis")),
      restart: Effect.gen(function*() {
        yield* child.signal("SIGKILL")
        yield* child.over
        child = yield* Scope.extend(launch(port), scope)
        yield* portOf(child, store)
      })
    }
  })

/** Waits until the server has written where it listens; an end before that is told with what it printed. */
const portOf = (child: Child, store: string) => {
  const file = `${store}/nats-server_${child.process.pid}.ports`
  const ended = Effect.flatMap(
    child.over,
    ({ code, stderr }) => Effect.dieMessage(`nats-server ended with ${code} before it listened: ${stderr}`)
  )
  const listening = Effect.sync(() =>
    existsSync(file) ? /127\.0\.0\.1:(\d+)/.exec(readFileSync(file, "utf8"))?.[1] : undefined
  ).pipe(Effect.flatMap(Effect.fromNullable), Effect.retry(Schedule.spaced("10 millis")), Effect.orDie)
  return within("nats-server to listen", Effect.raceFirst(listening, ended)).pipe(Effect.map(Number))
}

/** Three servers that are one, for as long as two of them live. */
export const natsCluster: Effect.Effect<ReadonlyArray<NatsServer>, never, Scope.Scope> = Effect.gen(function*() {
  const ports = yield* Effect.replicateEffect(freePort, 3)
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(", ")
  return yield* Effect.forEach(
    ports,
    (port, number) =>
      natsServer(`server_name: n${number}\ncluster { name: c, listen: "127.0.0.1:${port}", routes: [${routes}] }`),
    {
      concurrency: 3
    }
  )
})

/** A port that was free a moment ago: whoever is in a cluster must be told where the others will be. */
const freePort = Effect.async<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})
