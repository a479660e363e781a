/** One of the nodes, over all of its lives, and its way to NATS. */
import { Effect, ExecutionStrategy, Exit, Scope } from "effect"
import * as ServerProcess from "../ServerProcess.ts"
import type { NodesTally } from "./Laws.ts"
import * as Proxy from "./Proxy.ts"

export interface Node {
  readonly name: string
  /** `undefined` while it does not run. */
  readonly port: () => number | undefined
  readonly proxy: Proxy.Proxy
  readonly start: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** SIGTERM: it ends in order. */
  readonly stop: Effect.Effect<void>
}

const flags = [
  "--port=0",
  "--max-connections-per-ip=2000",
  "--welcome=off",
  "--replay=0",
  "--rate-per-ip=0",
  "--visits-per-ip=0"
]

// What a node that is cut off on purpose says.
const expected = /the stream that the nodes share is out of reach|the registry failed: (?:timeout|no answer from NATS)/

export const make = (
  number: number,
  nats: number,
  entry: string,
  tally: NodesTally
): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function*() {
    const outer = yield* Effect.scope
    const name = `node ${number}`
    const proxy = yield* Proxy.make(nats)
    let life: { readonly server: ServerProcess.ServerProcess; readonly scope: Scope.CloseableScope } | undefined
    /** What it logged is judged at the end of each life. */
    const end = Effect.suspend(() => {
      if (life === undefined) return Effect.void
      const { scope, server } = life
      life = undefined
      for (const line of server.errors()) if (!expected.test(line)) tally.fault("server", `${name} logged: ${line}`)
      return Scope.close(scope, Exit.void)
    })
    const start = Effect.gen(function*() {
      const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
      const server = yield* Scope.extend(
        ServerProcess.start(entry, [...flags, `--nats=nats://127.0.0.1:${proxy.port}`]),
        scope
      )
      life = { server, scope }
      const watched = Effect.catchAll(server.died, ({ message }) =>
        Effect.suspend(() => {
          if (life?.server !== server) return Effect.void
          tally.fault("server", `${name}: ${message}`)
          return end
        }))
      yield* Effect.forkIn(watched, outer)
    }).pipe(Effect.catchAll(({ message }) => Effect.sync(() => tally.fault("server", `${name}: ${message}`))))
    return {
      name,
      port: () => life?.server.port,
      proxy,
      start,
      // The scope of a life ends with SIGKILL.
      kill: end,
      signal: (signal) => life?.server.signal(signal) ?? Effect.void,
      stop: Effect.suspend(() => {
        if (life === undefined) return Effect.void
        const { scope, server } = life
        life = undefined
        return server.stop.pipe(
          Effect.map((code) => code === 0 ? undefined : `exit code ${code} after SIGTERM`),
          Effect.catchAll(({ message }) => Effect.succeed(message)),
          Effect.map((wrong) => wrong !== undefined && tally.fault("server", `${name}: ${wrong}`)),
          Effect.zipRight(Scope.close(scope, Exit.void))
        )
      })
    }
  })
