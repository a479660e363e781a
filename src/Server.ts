/** Lets connections in through its doors, one session each, within the caps; and closes in order. */
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Net from "node:net"
import { Broadcaster } from "./Broadcaster.ts"
import * as Connection from "./Connection.ts"
import { address, type RefusalReason } from "./Domain.ts"
import type { CannotListen, Door } from "./Door.ts"
import { Listener } from "./Listener.ts"
import * as Monitor from "./Monitor.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { Phrases } from "./Phrases.ts"
import * as RefusalLog from "./RefusalLog.ts"
import { ServerConfig } from "./ServerConfig.ts"
import * as Session from "./Session.ts"
import { Stats } from "./Stats.ts"
import * as Sweeper from "./Sweeper.ts"
import { TlsListener } from "./TlsListener.ts"

// Who is refused reads why, but not for the price of a connection: while so many read, further ones are closed at once.
const maxRefusals = 100
const refusalPatience = "5 seconds"

export class Server extends Context.Tag("tellnet/Server")<Server, {
  /** Where it listens: the plain port first. */
  readonly doors: ReadonlyArray<Pick<Door, "host" | "port" | "tls">>
  /** Does not end, but fails or dies when a part of the server does. */
  readonly running: Effect.Effect<never, CannotListen>
}>() {
  /** A server that is listening. Its end tells everyone, and waits for the shutdown grace at most. */
  static readonly layer = Layer.scoped(Server, Effect.suspend(() => make)).pipe(
    // The doors last: nobody comes in before all else is ready.
    Layer.provide(Listener.layer),
    Layer.provide(TlsListener.layer),
    Layer.provide([Broadcaster.layer, OnlineMap.layer, Phrases.layer, Monitor.layer]),
    Layer.provide(Stats.layer)
  )
}

const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const phrases = yield* Phrases
  const stats = yield* Stats
  const doors = Array.getSomes([yield* Listener, yield* TlsListener])
  const broadcaster = yield* Broadcaster
  const visit = yield* Session.make
  const connections = new Set<Connection.Connection>()
  const perIp = new Map<string, number>()
  let places = 0
  let refusals = 0

  const closed = (accepted: Net.Socket) =>
    Effect.sync(() => {
      accepted.destroy()
    })

  /**
   * Takes a place under the caps for as long as the socket is open, its handshake included. Every user waits inside of
   * this for as long as it is online, so it is flat: what is nested here costs memory for each of them.
   */
  const admitted = (door: Door, accepted: Net.Socket, ip: string) =>
    Effect.uninterruptibleMask((restore) => {
      let connection: Connection.Connection | undefined
      places++
      perIp.set(ip, (perIp.get(ip) ?? 0) + 1)
      const whole = Effect.matchEffect(restore(door.open(accepted)), {
        onFailure: ({ reason }) => Effect.sync(() => stats.refused[reason]++),
        onSuccess: (socket) => {
          connection = Connection.make(socket)
          connections.add(connection)
          stats.connections = connections.size
          stats.accepted++
          return visit(connection)
        }
      })
      return Effect.flatMap(Effect.exit(whole), (exit) => {
        // Where an interruption came between two steps, nobody else closes it.
        accepted.destroy()
        if (connection !== undefined) connections.delete(connection)
        stats.connections = connections.size
        places--
        const others = (perIp.get(ip) ?? 0) - 1
        if (others > 0) perIp.set(ip, others)
        else perIp.delete(ip)
        return Exit.isFailure(exit) && Cause.isDie(exit.cause)
          ? Effect.logError("A connection failed", exit.cause)
          : Effect.void
      })
    })

  const refused = (door: Door, accepted: Net.Socket, reason: RefusalReason, why: string) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        refusals++
        stats.refused[reason]++
      }),
      () =>
        refusals > maxRefusals ? Effect.void : Effect.flatMap(door.open(accepted), (socket) => {
          const connection = Connection.make(socket)
          connection.write([Buffer.from(why)])
          return Effect.timeoutOption(connection.finish, refusalPatience)
        }).pipe(
          // It is refused already, and counted; that it cannot be told changes nothing.
          Effect.ignore
        ),
      () =>
        Effect.sync(() => {
          accepted.destroy()
          refusals--
        })
    )

  const handle = (door: Door) => (accepted: Net.Socket): Effect.Effect<void> => {
    const ip = accepted.remoteAddress
    // Gone between its arrival in the kernel and here: without an address it can be nobody.
    if (ip === undefined) return closed(accepted)
    if (places >= config.maxConnections) return refused(door, accepted, "server-full", phrases.serverFull)
    if ((perIp.get(ip) ?? 0) >= config.maxConnectionsPerIp) {
      return refused(door, accepted, "address-full", phrases.tooManyFromAddress)
    }
    return admitted(door, accepted, ip)
  }

  const serving = yield* Effect.forkDaemon(
    Effect.forEach(doors, (door) => door.serve(handle(door)), { concurrency: "unbounded" })
  )
  const sweeping = yield* Effect.forkScoped(Sweeper.run)

  // The order of the end: no newcomers, a last line for everyone, then each session writes out what it owes. Who does
  // not read by the end of the grace is cut off.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      stats.accepting = false
      yield* Effect.log("stopping")
      yield* Effect.forEach(doors, ({ stop }) => stop, { discard: true })
      yield* broadcaster.close(phrases.shuttingDown)
      const ended = yield* Effect.forkDaemon(Fiber.interrupt(serving))
      yield* Effect.timeoutOption(Effect.interruptible(Fiber.join(ended)), config.shutdownGrace)
      yield* Effect.forEach(connections, (connection) => connection.destroy, { discard: true })
      yield* Fiber.join(ended)
      yield* Effect.log("stopped")
    })
  )
  yield* Effect.forkScoped(RefusalLog.run)
  stats.accepting = true
  for (const { host, port, tls } of doors) {
    yield* Effect.log(`listening on ${address(host, port)}${tls ? " with TLS" : ""}`)
  }

  return Server.of({
    doors,
    running: Effect.raceAll([
      Effect.zipRight(Fiber.join(serving), Effect.never),
      Effect.zipRight(Fiber.join(sweeping), Effect.never),
      broadcaster.running
    ])
  })
})
