/** Lets connections in through its doors, one session each, within the caps; and closes in order. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Admission from "./Admission.ts"
import { Addresses } from "./chat/Addresses.ts"
import { Broadcaster } from "./chat/Broadcaster.ts"
import { LastSeen } from "./chat/LastSeen.ts"
import { Mailbox } from "./chat/Mailbox.ts"
import { OnlineMap } from "./chat/OnlineMap.ts"
import { OwnedNames } from "./chat/OwnedNames.ts"
import type { Peer } from "./chat/Peer.ts"
import { RealAddresses } from "./chat/RealAddresses.ts"
import { Records } from "./chat/Records.ts"
import * as Sweeper from "./chat/Sweeper.ts"
import { address } from "./domain/Address.ts"
import type { Door } from "./doors/Door.ts"
import { Doors } from "./doors/Doors.ts"
import * as Log from "./log/Log.ts"
import { MessageLog } from "./log/MessageLog.ts"
import * as Monitor from "./ops/Monitor.ts"
import * as RefusalLog from "./ops/RefusalLog.ts"
import { Stats } from "./ops/Stats.ts"
import { ServerConfig, type Settings } from "./ServerConfig.ts"
import { JsonForm } from "./wire/JsonForm.ts"
import { PlainForm } from "./wire/PlainForm.ts"

/** What the log says of a door: where it is, and what an operator may copy. */
const listening = ({ host, name, port }: Door, { webTls }: Settings): string => {
  const at = `listening on ${address(host, port)}`
  if (name === "plain") return at
  if (name === "tls") return `${at} with TLS`
  const here = /^(?:0\.0\.0\.0|::)$/.test(host) ? "127.0.0.1" : host
  return `${at} for browsers: ${webTls ? "https" : "http"}://${address(here, port)}/`
}

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
    Layer.provide([Doors.layer, OwnedNames.layer, LastSeen.layer, RealAddresses.layer]),
    Layer.provide([Broadcaster.layer, JsonForm.layer]),
    Layer.provide([OnlineMap.layer, Mailbox.layer, Addresses.layer, PlainForm.layer, Monitor.layer]),
    Layer.provide(Records.layer),
    Layer.provide(Log.layer),
    Layer.provide(Stats.layer)
  )
}

const make = Effect.gen(function*() {
  const stats = yield* Stats
  const broadcaster = yield* Broadcaster
  const log = yield* MessageLog
  const doors = yield* Doors
  const names = yield* OwnedNames
  const lastSeen = yield* LastSeen
  const admission = yield* Admission.make
  // A session outlives the door that it came through, so that its user is told if that dies.
  const sessions = yield* FiberSet.make<void>()
  const start = yield* FiberSet.runtime(sessions)<never>()
  const serving = Effect.forEach(
    doors,
    (door) => door.serve((accepted) => Effect.sync(() => start(Admission.handle(admission, door, accepted)))),
    { concurrency: "unbounded" }
  )
  const parts: ReadonlyArray<Part> = [
    { name: "broadcaster", fiber: broadcaster.fiber },
    { name: "doors", fiber: yield* Effect.forkScoped(serving) },
    { name: "log", fiber: yield* Effect.forkScoped(log.running) },
    { name: "sweeper", fiber: yield* Effect.forkScoped(Sweeper.run) },
    { name: "names", fiber: yield* Effect.forkScoped(names.expiring) },
    { name: "places", fiber: yield* Effect.forkScoped(lastSeen.storing) },
    { name: "refusal log", fiber: yield* Effect.forkScoped(RefusalLog.run) }
  ]
  yield* Effect.addFinalizer(() => stop(doors, sessions, admission.connections))
  // Others may say more than this node knows yet.
  yield* log.ready
  stats.accepting = true
  const config = yield* ServerConfig
  for (const door of doors) yield* Effect.log(listening(door, config))
  return Server.of({
    doors,
    parts,
    running: Effect.forEach(parts, (part) => endOf(part, stats), { concurrency: "unbounded", discard: true }).pipe(
      Effect.zipRight(Effect.never)
    )
  })
})

/** A part that ends, whatever its reason, takes the server with it: nobody can do its work. */
const endOf = ({ fiber, name }: Part, stats: typeof Stats.Service) =>
  Effect.flatMap(Fiber.await(fiber), (exit) => {
    stats.accepting = false
    const why = Exit.isFailure(exit) ? exit.cause : Cause.empty
    return Effect.zipRight(
      Effect.logFatal(`The ${name} ended, and the server with it`, why),
      new PartEnded({ part: name })
    )
  })

/**
 * The order of the end: no newcomers, a last line for everyone, then each session writes out what it owes. Whoever does not
 * read by the end of the grace is cut off.
 */
const stop = (doors: ReadonlyArray<Door>, sessions: FiberSet.FiberSet<void>, connections: ReadonlySet<Peer>) =>
  Effect.gen(function*() {
    const { shutdownGrace } = yield* ServerConfig
    const { close, fiber } = yield* Broadcaster
    const stats = yield* Stats
    stats.accepting = false
    yield* Effect.log("stopping")
    yield* Effect.forEach(doors, ({ stop }) => stop, { discard: true })
    const closing = Effect.interruptible(close({ _tag: "ShuttingDown" }))
    const log = yield* MessageLog
    // A commit that hangs, a log that is lost, or other nodes out of reach would hold it up for ever: then nobody is heard any
    // more.
    const closed = Effect.timeout(Effect.raceFirst(closing, Effect.interruptible(log.running)), shutdownGrace)
    if (Option.isNone(yield* Effect.option(closed))) {
      yield* Effect.forkDaemon(Fiber.interrupt(fiber))
      yield* Effect.timeoutOption(closing, "1 second")
    }
    const ended = yield* Effect.forkDaemon(Fiber.interruptAll(sessions))
    yield* Effect.timeoutOption(Effect.interruptible(Fiber.join(ended)), shutdownGrace)
    yield* Effect.forEach(connections, (connection) => connection.destroy, { discard: true })
    yield* Fiber.join(ended)
    yield* Effect.log("stopped")
  })
