/** Lets connections in, one session each, within the caps; and closes in order. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Net from "node:net"
import { Broadcaster } from "./Broadcaster.ts"
import * as Connection from "./Connection.ts"
import { address } from "./Domain.ts"
import { type CannotListen, Listener } from "./Listener.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { Phrases } from "./Phrases.ts"
import { ServerConfig } from "./ServerConfig.ts"
import * as Session from "./Session.ts"
import * as Sweeper from "./Sweeper.ts"

// Who is refused reads why, but not for the price of a connection: while so many read, further ones are closed at once.
const maxRefusals = 100

export class Server extends Context.Tag("tellnet/Server")<Server, {
  readonly host: string
  readonly port: number
  /** Does not end, but fails or dies when a part of the server does. */
  readonly running: Effect.Effect<never, CannotListen>
}>() {
  /** A server that is listening. Its end tells everyone, and waits for the shutdown grace at most. */
  static readonly layer = Layer.scoped(Server, Effect.suspend(() => make)).pipe(
    Layer.provide([Listener.layer, Broadcaster.layer, OnlineMap.layer, Phrases.layer])
  )
}

const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const phrases = yield* Phrases
  const listener = yield* Listener
  const broadcaster = yield* Broadcaster
  const visit = yield* Session.make
  const connections = new Set<Connection.Connection>()
  const perIp = new Map<string, number>()
  let refusals = 0

  const admitted = (connection: Connection.Connection) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        connections.add(connection)
        perIp.set(connection.ip, (perIp.get(connection.ip) ?? 0) + 1)
      }),
      () => visit(connection),
      () =>
        Effect.sync(() => {
          connections.delete(connection)
          const others = (perIp.get(connection.ip) ?? 0) - 1
          if (others > 0) perIp.set(connection.ip, others)
          else perIp.delete(connection.ip)
        })
    )

  const refused = (connection: Connection.Connection, why: string) =>
    refusals >= maxRefusals ? connection.destroy : Effect.acquireUseRelease(
      Effect.sync(() => {
        refusals++
        connection.write([Buffer.from(why)])
      }),
      () => Effect.timeoutOption(connection.finish, config.shutdownGrace),
      () =>
        Effect.sync(() => {
          refusals--
        })
    )

  const handle = (socket: Net.Socket) => {
    const connection = Connection.make(socket)
    // Gone between its arrival in the kernel and here: without an address it can be nobody.
    if (connection.ip === "") return connection.destroy
    if (connections.size >= config.maxConnections) return refused(connection, phrases.serverFull)
    if ((perIp.get(connection.ip) ?? 0) >= config.maxConnectionsPerIp) {
      return refused(connection, phrases.tooManyFromAddress)
    }
    return admitted(connection)
  }

  const serving = yield* Effect.forkDaemon(listener.serve(handle))
  const sweeping = yield* Effect.forkScoped(Sweeper.run)

  // The order of the end: no newcomers, a last line for everyone, then each session writes out what it owes. Who does
  // not read by the end of the grace is cut off.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      yield* Effect.log("stopping")
      yield* listener.stop
      yield* broadcaster.close(phrases.shuttingDown)
      const ended = yield* Effect.forkDaemon(Fiber.interrupt(serving))
      yield* Effect.timeoutOption(Effect.interruptible(Fiber.join(ended)), config.shutdownGrace)
      yield* Effect.forEach(connections, (connection) => connection.destroy, { discard: true })
      yield* Fiber.join(ended)
      yield* Effect.log("stopped")
    })
  )
  yield* Effect.log(`listening on ${address(listener.host, listener.port)}`)

  return Server.of({
    host: listener.host,
    port: listener.port,
    running: Effect.raceAll([
      Fiber.join(serving),
      Effect.zipRight(Fiber.join(sweeping), Effect.never),
      broadcaster.running
    ])
  })
})
