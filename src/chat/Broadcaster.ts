/**
 * The fiber that empties the message channel, and makes of it what each user gets. Knows users and their channels, no
 * socket and no command.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Batch } from "./Batch.ts"
import { type Delivery, ownReply, privateLine, share } from "./Delivery.ts"
import * as MessageChannel from "./MessageChannel.ts"
import { monotonic } from "./monotonic.ts"
import { nextTurn } from "./nextTurn.ts"
import type { User } from "./User.ts"

/** What a user is answered: whole lines. */
export interface Reply {
  readonly bytes: Uint8Array
  readonly lines: number
}

type Event = Data.TaggedEnum<{
  /** A line for everyone. */
  Said: { readonly line: string }
  /** Something for one user. */
  Sent: { readonly user: User; readonly delivery: Delivery }
  /** A question, which is answered in the turn that comes to it. */
  Asked: { readonly user: User; readonly answer: Effect.Effect<Reply>; readonly done: () => void }
  /** The user reads along from here on; the line is for everyone, and its first. The welcome is for the user alone. */
  Arrived: { readonly user: User; readonly line: string; readonly welcome: Delivery | undefined }
  /** The user has read up to here; the line is for the rest. */
  Left: { readonly user: User; readonly line: string; readonly done: () => void }
  /** A line for everyone, after which nobody reads along. */
  Closed: { readonly line: string; readonly done: () => void }
}>
const Event = Data.taggedEnum<Event>()

/**
 * How many bytes may wait in the message channel. It is emptied at every turn, so this bounds what one turn may hold;
 * whoever wants to say more waits, and is not read meanwhile.
 */
export const channelBytes = 1_048_576

/**
 * How many of them may be of those who had to wait for their pace. So a crowd that says as much as it may is heard a line
 * or two a turn, then rests for as long as that took, and everybody else is heard in between.
 */
const patientBytes = 4096

// What an event costs beside its text: objects, and its place in the queue.
const eventBytes = 128

const sizeOf = (event: Event): number => {
  switch (event._tag) {
    case "Sent":
      return eventBytes + event.delivery.bytes.length
    case "Asked":
      return eventBytes
    case "Said":
    case "Arrived":
    case "Left":
    case "Closed":
      return eventBytes + Buffer.byteLength(event.line)
  }
}

// Arrivals and departures are collected for at least so many ms, or for twice as long as the last batch took: sent one by
// one, n arrivals would cost n² / 2 writes. A message is sent at once, after the arrivals collected so far.
const presenceDelay = 20

export class Broadcaster extends Context.Tag("tellnet/Broadcaster")<Broadcaster, {
  /** Says a line to everyone. Waits while the message channel is full. */
  readonly say: (line: string) => Effect.Effect<void>
  /** The same for somebody who had to wait already, and lets others pass. */
  readonly sayPatiently: (line: string) => Effect.Effect<void>
  /** The same for plain code: `false` if the message channel is full, and the line is not said. */
  readonly unsafeSay: (line: string) => boolean
  /** Answers a user, at this place of the order; never skipped. Waits while the message channel is full. */
  readonly reply: (user: User, reply: Reply) => Effect.Effect<void>
  /**
   * The same where the answer is made in the turn that comes to this place; once for all who ask with the same `answer` in
   * that turn. Waits until it was handed to the user's channel. If `answer` dies, that ends the visit of the user.
   */
  readonly ask: (user: User, answer: Effect.Effect<Reply>) => Effect.Effect<void>
  /**
   * Tells a line to one user, who is somebody else. Waits while the message channel is full. `false`: the user has not
   * arrived yet, as others see it, and is told nothing.
   */
  readonly tell: (user: User, line: string) => Effect.Effect<boolean>
  /** From here on the user hears everything, this line first, then its welcome. Waits while the message channel is full. */
  readonly arrive: (user: User, line: string, welcome?: Reply) => Effect.Effect<void>
  /**
   * From here on the user hears nothing; the line is for the rest. Waits until all lines before were handed to the
   * user's channel.
   */
  readonly leave: (user: User, line: string) => Effect.Effect<void>
  /** Says a last line to everyone. Waits until it was handed to all channels; nothing is heard any more after it. */
  readonly close: (line: string) => Effect.Effect<void>
  /** The fiber that empties the message channel. Once it is dead nothing waits for it any more, and `close` still tells. */
  readonly fiber: Fiber.RuntimeFiber<never>
}>() {
  static readonly layer = Layer.scoped(Broadcaster, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { backlog } = yield* ServerConfig
  const stats = yield* Stats
  const clock = yield* Effect.clock
  // A batch must find room in an empty channel, whose limit is in bytes: a character has three at most.
  const batchSize = Math.min(262_144, backlog / 4)
  const members = new Set<User>()
  const arriving = new Set<User>()
  const startDraining = yield* FiberSet.makeRuntime<never>()
  const startResting = yield* FiberSet.makeRuntime<never>()
  // The data goes through the channel, the wake-up through latches: taking from an empty queue costs a Deferred each time.
  const anything = yield* Effect.makeLatch()
  const words = yield* Effect.makeLatch()
  let urgent = false
  /** What was taken from the channel, and may not be settled yet. */
  let inHand: ReadonlyArray<Event> = []

  const onOffered = (event: Event) => {
    if (event._tag === "Arrived") arriving.delete(event.user)
    else if (event._tag === "Sent") event.user.channel.announce(event.delivery.announced)
    if (event._tag !== "Arrived" && event._tag !== "Left") {
      urgent = true
      words.unsafeOpen()
    }
    anything.unsafeOpen()
  }
  const channel = yield* MessageChannel.make({
    limit: channelBytes,
    patientLimit: patientBytes,
    sizeOf,
    onOffered,
    onLost: settle
  })

  /** A bug at one user ends that visit only. */
  const fail = (user: User, bug: unknown) => {
    user.end("defect")
    return Effect.annotateLogs(Effect.logError("Nothing can be delivered to a user", bug), "peer", user.address)
  }

  const drain = (user: User) => Effect.catchAllDefect(user.channel.drain(), (bug) => fail(user, bug))

  /** Puts answers in the place of questions. The same question is answered once. */
  const answerAll = (events: ReadonlyArray<Event>) => {
    const answers = new Map<Effect.Effect<Reply>, Reply>()
    return Effect.forEach(events, (event): Effect.Effect<Told> => {
      if (event._tag !== "Asked") return Effect.succeed(event)
      const { answer, user } = event
      const known = answers.get(answer)
      const found = known !== undefined ? Effect.succeed(known) : Effect.catchAllDefect(
        Effect.tap(answer, (reply) => Effect.sync(() => answers.set(answer, reply))),
        (bug) => Effect.as(fail(user, bug), nothing)
      )
      return Effect.map(found, (reply) => Event.Sent({ user, delivery: { ...reply, kind: "own", announced: 0 } }))
    })
  }

  /** One batch from the events at `index` and after; says where the next one begins. */
  const broadcast = (events: ReadonlyArray<Told>, index: number): Effect.Effect<number> => {
    const batch = new Batch(members)
    const bugs: Array<Effect.Effect<void>> = []
    let next = index
    for (; next < events.length && batch.size < batchSize; next++) add(batch, events[next]!)
    batch.give((user, share) => {
      // Plain code, because it is run for each user of each batch.
      try {
        if (user.channel.deliver(share)) startDraining(drain(user))
      } catch (bug) {
        bugs.push(fail(user, bug))
      }
    })
    stats.onBatch(batch.broadcasts)
    for (let settled = index; settled < next; settled++) settle(inHand[settled]!)
    return Effect.as(Effect.all(bugs, { discard: true }), next)
  }

  let pause = presenceDelay

  const turn = Effect.gen(function*() {
    yield* anything.await
    if (!urgent) yield* Effect.raceFirst(words.await, Effect.sleep(pause))
    yield* nextTurn
    // Closed before the channel is emptied: what comes in between opens them again.
    anything.unsafeClose()
    words.unsafeClose()
    urgent = false
    const begin = monotonic(clock)
    const heardPatient = channel.holdsPatient
    inHand = yield* channel.takeAll
    const events = inHand.every(isTold) ? inHand : yield* answerAll(inHand)
    for (let next = 0; next < events.length;) {
      if (next > 0) yield* nextTurn
      next = yield* broadcast(events, next)
    }
    const took = monotonic(clock) - begin
    stats.onTurn(took / 1000)
    pause = Math.max(presenceDelay, 2 * took)
    if (heardPatient) startResting(endRest(took))
  })

  // As long as it took to hear the patient: they get half of the time at most, and everybody else meets a short batch.
  const endRest = (ms: number) => Effect.delay(Effect.sync(() => channel.endRest()), ms)

  const fiber = yield* Effect.whileLoop({ while: () => true, body: () => turn, step: () => {} }).pipe(
    Effect.zipRight(Effect.never),
    // Whoever waits for a turn would wait for ever.
    Effect.ensuring(Effect.suspend(() => {
      for (const event of inHand) settle(event)
      return channel.close
    })),
    Effect.forkScoped
  )

  /** Waits until an event was handled; or not, if nobody handles events any more. */
  const handle = (event: (done: () => void) => Event) =>
    Effect.async<void>((resume) => {
      const takeBack = channel.enqueue(event(() => resume(Effect.void)))
      return Effect.sync(takeBack)
    })

  /** Once the fiber is dead, nobody else tells those who still read along. */
  const tellTheRest = (line: string) => {
    const last = share([{ bytes: Buffer.from(line), lines: 1, kind: "shared", announced: 0 }])
    for (const user of members) if (user.channel.deliver(last)) startDraining(drain(user))
  }

  return Broadcaster.of({
    fiber,
    say: (line) => channel.offer(Event.Said({ line })),
    sayPatiently: (line) => channel.offerPatiently(Event.Said({ line })),
    unsafeSay: (line) => channel.unsafeOffer(Event.Said({ line })),
    reply: (user, reply) => channel.offer(Event.Sent({ user, delivery: ownReply(reply) })),
    ask: (user, answer) => handle((done) => Event.Asked({ user, answer, done })),
    tell: (user, line) =>
      Effect.suspend(() =>
        arriving.has(user)
          ? Effect.succeed(false)
          : Effect.as(channel.offer(Event.Sent({ user, delivery: privateLine(line) })), true)
      ),
    arrive: (user, line, welcome) =>
      Effect.suspend(() => {
        arriving.add(user)
        return channel.offer(Event.Arrived({ user, line, welcome: welcome && ownReply(welcome) }))
      }),
    leave: (user, line) => handle((done) => Event.Left({ user, line, done })),
    close: (line) =>
      Effect.zipRight(handle((done) => Event.Closed({ line, done })), Effect.sync(() => tellTheRest(line)))
  })
})

const nothing: Reply = { bytes: Buffer.alloc(0), lines: 0 }

/** An event that needs no answer any more. */
type Told = Exclude<Event, { readonly _tag: "Asked" }>
const isTold = (event: Event): event is Told => event._tag !== "Asked"

const add = (batch: Batch, event: Told): void => {
  switch (event._tag) {
    case "Said":
      return batch.everyone(event.line)
    case "Sent":
      return batch.one(event.user, event.delivery)
    case "Arrived":
      batch.join(event.user)
      batch.everyone(event.line)
      if (event.welcome !== undefined) batch.one(event.user, event.welcome)
      return
    case "Left":
      if (batch.part(event.user)) batch.everyone(event.line)
      return
    case "Closed":
      batch.everyone(event.line)
      batch.partAll()
  }
}

/** Nobody waits any more for what was done, or will never be. */
const settle = (event: Event): void => {
  if (event._tag === "Left" || event._tag === "Closed" || event._tag === "Asked") event.done()
}
