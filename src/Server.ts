/** Lets connections in through its doors, one session each, within the caps; and closes in order. */
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Net from "node:net"
import { Broadcaster } from "./chat/Broadcaster.ts"
import { monotonic } from "./chat/monotonic.ts"
import { OnlineMap } from "./chat/OnlineMap.ts"
import type { Pace } from "./chat/Pace.ts"
import type { Peer } from "./chat/Peer.ts"
import * as Session from "./chat/Session.ts"
import * as Sweeper from "./chat/Sweeper.ts"
import { address } from "./domain/Address.ts"
import type { CapReason } from "./domain/Reasons.ts"
import { Caps } from "./doors/Caps.ts"
import * as Connection from "./doors/Connection.ts"
import type { Door } from "./doors/Door.ts"
import { Listener } from "./doors/Listener.ts"
import { TlsListener } from "./doors/TlsListener.ts"
import * as Log from "./log/Log.ts"
import { MessageLog } from "./log/MessageLog.ts"
import * as Monitor from "./ops/Monitor.ts"
import * as RefusalLog from "./ops/RefusalLog.ts"
import { Stats } from "./ops/Stats.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { PlainForm } from "./wire/PlainForm.ts"

// A refused client is told the reason. At most so many are being told at the same time; any further one is closed without
// a word, so refusals stay cheap.
const maxRefusals = 100
const refusalPatience = Duration.seconds(5)

interface Part {
  readonly name: string
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** A part of the server ended, which none does before the server stops. */
export class PartEnded extends Data.TaggedError("PartEnded")<{ readonly part: string }> {
  override get message() {
    return `the ${this.part} ended`
  }
}

export class Server extends Context.Tag("tellnet/Server")<Server, {
  /** Where it listens: the plain port first. */
  readonly doors: ReadonlyArray<Pick<Door, "name" | "host" | "port">>
  /** What must run for as long as the server does. */
  readonly parts: ReadonlyArray<Part>
  /** Does not end, but fails as soon as one of the parts has ended, which was logged then. */
  readonly running: Effect.Effect<never, PartEnded>
}>() {
  /** A server that is listening. Its end tells everyone, and waits for the shutdown grace at most. */
  static readonly layer = Layer.scoped(Server, Effect.suspend(() => make)).pipe(
    // The doors last: nobody comes in before all else is ready.
    Layer.provide(Listener.layer),
    Layer.provide(TlsListener.layer),
    Layer.provide(Broadcaster.layer),
    Layer.provide([OnlineMap.layer, PlainForm.layer, Monitor.layer]),
    Layer.provide([Log.layer, Stats.layer])
  )
}

const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const { plain } = yield* PlainForm
  const log = yield* MessageLog
  const stats = yield* Stats
  const doors = Array.getSomes([yield* Listener, yield* TlsListener])
  const broadcaster = yield* Broadcaster
  const visit = yield* Session.make
  const clock = yield* Effect.clock
  const connections = new Set<Peer>()
  const caps = new Caps(config)
  let refusals = 0

  const closed = (accepted: Net.Socket) =>
    Effect.sync(() => {
      accepted.destroy()
    })

  /**
   * Holds the place under the caps that was entered for as long as the socket is open, its handshake included. Each online
   * user keeps this effect suspended for its whole visit, and each nested combinator adds a stack frame for each of them:
   * keep it flat.
   */
  const admitted = (door: Door, accepted: Net.Socket, ip: string, pace: Pace) =>
    Effect.uninterruptibleMask((restore) => {
      let connection: Peer | undefined
      const whole = Effect.matchEffect(restore(door.open(accepted)), {
        onFailure: ({ reason }) => Effect.sync(() => RefusalLog.note(stats, reason, ip)),
        onSuccess: (socket) => {
          connection = Connection.make(socket)
          connections.add(connection)
          stats.connections = connections.size
          stats.accepted++
          return visit(connection, pace, door.name)
        }
      })
      return Effect.flatMap(Effect.exit(whole), (exit) => {
        // Where an interruption came between two steps, nobody else closes it.
        accepted.destroy()
        if (connection !== undefined) connections.delete(connection)
        stats.connections = connections.size
        caps.leave(ip, monotonic(clock))
        return Exit.isFailure(exit) && Cause.isDie(exit.cause)
          ? Effect.logError("A connection failed", exit.cause)
          : Effect.void
      })
    })

  const refused = (door: Door, accepted: Net.Socket, ip: string, reason: CapReason) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        refusals++
        RefusalLog.note(stats, reason, ip)
      }),
      () =>
        refusals > maxRefusals ? Effect.void : Effect.flatMap(door.open(accepted), (socket) => {
          const connection = Connection.make(socket)
          const words = plain.render({ _tag: reason === "server-full" ? "ServerFull" : "AddressFull" }, 0)
          connection.write([Buffer.from(words)])
          return connection.finish(refusalPatience)
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

  const handle = (door: Door, accepted: Net.Socket): Effect.Effect<void> => {
    const ip = accepted.remoteAddress
    // Gone between its arrival in the kernel and here: without an address it can be nobody.
    if (ip === undefined) return closed(accepted)
    return Effect.suspend(() => {
      const entered = caps.enter(ip, monotonic(clock))
      return typeof entered === "string"
        ? refused(door, accepted, ip, entered)
        : admitted(door, accepted, ip, entered)
    })
  }

  // A session outlives the door that it came through, so that its user is told if that dies.
  const sessions = yield* FiberSet.make<void>()
  const start = yield* FiberSet.runtime(sessions)<never>()
  const serving = Effect.forEach(
    doors,
    (door) => door.serve((accepted) => Effect.sync(() => start(handle(door, accepted)))),
    { concurrency: "unbounded" }
  )
  const parts: ReadonlyArray<Part> = [
    { name: "broadcaster", fiber: broadcaster.fiber },
    { name: "doors", fiber: yield* Effect.forkScoped(serving) },
    { name: "log", fiber: yield* Effect.forkScoped(log.running) },
    { name: "sweeper", fiber: yield* Effect.forkScoped(Sweeper.run) },
    { name: "refusal log", fiber: yield* Effect.forkScoped(RefusalLog.run) }
  ]

  /** A part that ends, whatever its reason, takes the server with it: nobody can do its work. */
  const endOf = ({ fiber, name }: Part) =>
    Effect.flatMap(Fiber.await(fiber), (exit) => {
      stats.accepting = false
      const why = Exit.isFailure(exit) ? exit.cause : Cause.empty
      return Effect.zipRight(
        Effect.logFatal(`The ${name} ended, and the server with it`, why),
        new PartEnded({ part: name })
      )
    })

  // The order of the end: no newcomers, a last line for everyone, then each session writes out what it owes. Who does
  // not read by the end of the grace is cut off.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      stats.accepting = false
      yield* Effect.log("stopping")
      yield* Effect.forEach(doors, ({ stop }) => stop, { discard: true })
      yield* broadcaster.close({ _tag: "ShuttingDown" })
      const ended = yield* Effect.forkDaemon(Fiber.interruptAll(sessions))
      yield* Effect.timeoutOption(Effect.interruptible(Fiber.join(ended)), config.shutdownGrace)
      yield* Effect.forEach(connections, (connection) => connection.destroy, { discard: true })
      yield* Fiber.join(ended)
      yield* Effect.log("stopped")
    })
  )
  stats.accepting = true
  for (const { host, name, port } of doors) {
    yield* Effect.log(`listening on ${address(host, port)}${name === "tls" ? " with TLS" : ""}`)
  }

  return Server.of({
    doors,
    parts,
    running: Effect.forEach(parts, endOf, { concurrency: "unbounded", discard: true }).pipe(
      Effect.zipRight(Effect.never)
    )
  })
})
