/**
 * The message channel, which is the one order of all that is said, and the fiber that empties it. Knows users and their
 * channels, no socket and no command.
 */
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { Batch } from "./Batch.ts"
import * as Metrics from "./Metrics.ts"
import { ServerConfig } from "./ServerConfig.ts"
import type { User } from "./User.ts"
import type { Delivery } from "./UserChannel.ts"

type Event = Data.TaggedEnum<{
  /** A line for everyone. */
  Said: { readonly line: string }
  /** Something for one user. */
  Sent: { readonly user: User; readonly delivery: Delivery }
  /** The user reads along from here on; the line is for everyone, and its first. */
  Arrived: { readonly user: User; readonly line: string }
  /** The user has read up to here; the line is for the rest. */
  Left: { readonly user: User; readonly line: string; readonly done: Deferred.Deferred<void> }
  /** A line for everyone, after which nobody reads along. */
  Closed: { readonly line: string; readonly done: Deferred.Deferred<void> }
}>
const Event = Data.taggedEnum<Event>()

// How many events may wait in the message channel. It is emptied at every turn, so this bounds what one turn may hold;
// who wants to say more waits, and is not read meanwhile.
const channelCapacity = 4096

// Who comes and goes can wait for company, so long at least, and as long as it took to tell of the last ones: n arrivals,
// each told at once, would cost n² / 2 writes. Words do not wait, and take along who came before them.
const presenceDelay = Duration.millis(20)

export class Broadcaster extends Context.Tag("tellnet/Broadcaster")<Broadcaster, {
  /** Says a line to everyone. Like all that follows, it waits only while the message channel is full. */
  readonly say: (line: string) => Effect.Effect<void>
  /** The same for plain code: `false` if the message channel is full, and the line is not said. */
  readonly unsafeSay: (line: string) => boolean
  /** Answers a user, at this place of the order. The lines are never skipped. */
  readonly reply: (user: User, bytes: Uint8Array, lines: number) => Effect.Effect<void>
  /** Tells a line to one user, who is somebody else. */
  readonly tell: (user: User, line: string) => Effect.Effect<void>
  /** From here on the user hears everything, this line first. */
  readonly arrive: (user: User, line: string) => Effect.Effect<void>
  /**
   * From here on the user hears nothing; the line is for the rest. Waits until all lines before were handed to the
   * user's channel.
   */
  readonly leave: (user: User, line: string) => Effect.Effect<void>
  /** Says a last line to everyone. Waits until it was handed to all channels; nothing is heard any more after it. */
  readonly close: (line: string) => Effect.Effect<void>
  /** Does not end; but if the fiber that empties the channel dies, this dies of the same cause. */
  readonly running: Effect.Effect<never>
}>() {
  static readonly layer = Layer.scoped(Broadcaster, Effect.suspend(() => make))
}

// The events that came with one turn of the event loop make one batch.
const nextTurn = Effect.async<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

const make = Effect.gen(function*() {
  const { backlog } = yield* ServerConfig
  const clock = yield* Effect.clock
  // A batch must find room in an empty channel, whose limit is in bytes: a character has three at most.
  const batchSize = Math.min(262_144, backlog / 4)
  const channel = yield* Queue.bounded<Event>(channelCapacity)
  const members = new Set<User>()
  const startDraining = yield* FiberSet.makeRuntime<never>()
  // The data goes through the queue, the wake-up through latches: taking from an empty queue costs a Deferred each time.
  const anything = yield* Effect.makeLatch()
  const words = yield* Effect.makeLatch()
  let urgent = false

  const wake = (event: Event) => {
    if (event._tag !== "Arrived" && event._tag !== "Left") {
      urgent = true
      words.unsafeOpen()
    }
    anything.unsafeOpen()
  }

  const unsafePublish = (event: Event): boolean => {
    const published = Queue.unsafeOffer(channel, event)
    if (published) wake(event)
    return published
  }

  const publish = (event: Event): Effect.Effect<void> =>
    Effect.suspend(() =>
      unsafePublish(event) ? Effect.void : Effect.ensuring(Queue.offer(channel, event), Effect.sync(() => wake(event)))
    )

  const add = (batch: Batch, event: Event): Deferred.Deferred<void> | undefined => {
    switch (event._tag) {
      case "Said": {
        batch.everyone(event.line)
        return
      }
      case "Sent": {
        batch.one(event.user, event.delivery)
        return
      }
      case "Arrived": {
        batch.join(event.user)
        batch.everyone(event.line)
        return
      }
      case "Left": {
        if (batch.part(event.user)) batch.everyone(event.line)
        return event.done
      }
      case "Closed": {
        batch.everyone(event.line)
        for (const user of members) batch.part(user)
        return event.done
      }
    }
  }

  const drain = (user: User) =>
    Effect.catchAllDefect(user.channel.drain(), (bug) => {
      user.end("defect")
      return Effect.logError("A drain failed", bug)
    })

  /** One batch from the events at `index` and after; says where the next one begins. */
  const broadcast = (events: ReadonlyArray<Event>, index: number): number => {
    const batch = new Batch(members)
    const done: Array<Deferred.Deferred<void>> = []
    let next = index
    for (; next < events.length && batch.size < batchSize; next++) {
      const waiter = add(batch, events[next]!)
      if (waiter !== undefined) done.push(waiter)
    }
    batch.give((user, share) => {
      if (user.channel.deliver(share)) startDraining(drain(user))
    })
    Metrics.batchLines.unsafeUpdate(batch.broadcasts, [])
    for (const waiter of done) Deferred.unsafeDone(waiter, Effect.void)
    return next
  }

  // For how many ms presence waits.
  let rest = Duration.toMillis(presenceDelay)

  const turn = Effect.gen(function*() {
    yield* anything.await
    if (!urgent) yield* Effect.raceFirst(words.await, Effect.sleep(rest))
    yield* nextTurn
    // Closed before the channel is emptied: what comes in between opens them again.
    anything.unsafeClose()
    words.unsafeClose()
    urgent = false
    const begin = clock.unsafeCurrentTimeNanos()
    const events = Chunk.toReadonlyArray(yield* Queue.takeAll(channel))
    for (let next = broadcast(events, 0); next < events.length; next = broadcast(events, next)) yield* nextTurn
    const took = Number(clock.unsafeCurrentTimeNanos() - begin) / 1e6
    Metrics.turnSeconds.unsafeUpdate(took / 1000, [])
    rest = Math.max(Duration.toMillis(presenceDelay), took)
  })

  const fiber = yield* Effect.forkScoped(
    Effect.zipRight(Effect.whileLoop({ while: () => true, body: () => turn, step: () => {} }), Effect.never)
  )

  /** Waits until an event was handled; or not, if nobody handles events any more. */
  const publishAndWait = (event: (done: Deferred.Deferred<void>) => Event) =>
    Effect.gen(function*() {
      const done = yield* Deferred.make<void>()
      const handled = Effect.zipRight(publish(event(done)), Deferred.await(done))
      yield* Effect.raceFirst(Effect.interruptible(handled), Effect.interruptible(Fiber.await(fiber)))
    })

  return Broadcaster.of({
    running: Fiber.join(fiber),
    say: (line) => publish(Event.Said({ line })),
    unsafeSay: (line) => unsafePublish(Event.Said({ line })),
    reply: (user, bytes, lines) =>
      Effect.suspend(() => {
        user.channel.announce(bytes)
        return publish(Event.Sent({ user, delivery: { bytes, lines, own: true } }))
      }),
    tell: (user, line) => publish(Event.Sent({ user, delivery: { bytes: Buffer.from(line), lines: 1, own: false } })),
    arrive: (user, line) => publish(Event.Arrived({ user, line })),
    leave: (user, line) => publishAndWait((done) => Event.Left({ user, line, done })),
    close: (line) => publishAndWait((done) => Event.Closed({ line, done }))
  })
})
