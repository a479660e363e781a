/**
 * The fiber that empties the message channel into the log, follows the log, and tells everybody what comes of it. Knows no
 * socket and no command.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { Event, Stored, UserId } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { nextTurn } from "../domain/nextTurn.ts"
import type { Output, Private } from "../domain/Output.ts"
import type { World } from "../domain/World.ts"
import { type Condition, type Folded, MessageLog } from "../log/MessageLog.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { Form } from "../wire/Form.ts"
import {
  type Answer,
  type Entry,
  isPresence,
  type MakePages,
  promisedTo,
  settle,
  sizeOf,
  type Verdict
} from "./Entry.ts"
import * as History from "./History.ts"
import type { Ignores } from "./Ignores.ts"
import * as MessageChannel from "./MessageChannel.ts"
import { OnlineMap } from "./OnlineMap.ts"
import { Readers } from "./Readers.ts"
import * as Turn from "./Turn.ts"
import type { Asker, User } from "./User.ts"

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

/**
 * For how many ms arrivals and departures are collected after a turn that took so many: sent one by one, n arrivals would cost
 * n² / 2 writes. Where telling all takes long they wait longer, but nobody notices 100 ms. A message is sent at once, after
 * the arrivals collected so far.
 */
const pauseAfter = (took: number): number => Math.max(20, Math.min(10 * took, 100), 2 * took)

export class Broadcaster extends Context.Tag("tellnet/Broadcaster")<Broadcaster, {
  /** Lets an event happen; the asker, if there is one, is answered. Waits while the message channel is full. */
  readonly happen: (event: Event, asker?: Asker) => Effect.Effect<void>
  /** The same for somebody who had to wait already, and lets others pass. */
  readonly happenPatiently: (event: Event, asker?: Asker) => Effect.Effect<void>
  /** The same for plain code: `false` if the message channel is full, and nothing happens. */
  readonly unsafeHappen: (event: Event, asker?: Asker) => boolean
  /** The same, until all that comes of it was handed to the users' channels; or will never be. */
  readonly carry: (event: Event) => Effect.Effect<void>
  /**
   * The same for an event of this user that may not be to be: gives what became of it. If it brings the user to another room,
   * it is told so many of the last lines there.
   */
  readonly attempt: (user: User, event: Event, replay?: number) => Effect.Effect<Verdict>
  /** Lets the user arrive, and from then on hear everything; welcomed or not, with so many of the last lines before. */
  readonly arrive: (user: User, welcome: boolean, replay: number) => Effect.Effect<void>
  /** The same for a program, which is told this before all else, and nothing unasked. */
  readonly arriveAsProgram: (user: User, first: (world: World) => Output) => Effect.Effect<void>
  /** Answers a user at this place; never skipped. Waits while the message channel is full. */
  readonly reply: (asker: Asker, reply: Output) => Effect.Effect<void>
  /** Tells a user something that is not the answer, or not all of it. Likewise. */
  readonly inform: (user: User, output: Output | Uint8Array) => Effect.Effect<void>
  /**
   * Tells a user, and perhaps somebody else, what follows from the world at this place. Waits while the message channel is
   * full. If `answer` throws, that ends the visit of the user. With an event whose nonce is known nothing is told again.
   */
  readonly ask: (
    asker: Asker,
    answer: (world: World) => Answer,
    event?: Extract<Event, { readonly _tag: "Told" }>
  ) => Effect.Effect<void>
  /** The same until the answer was handed to the user's channel; made once for all who ask the same in one turn. */
  readonly askAndWait: (asker: Asker, answer: (world: World) => Answer) => Effect.Effect<void>
  /** Tells a user something private that somebody on another node wrote. `false`: it is not here any more by this name. */
  readonly whisper: (to: UserId, by: UserId, output: Private) => Effect.Effect<boolean>
  /**
   * Gives a long answer, which is made as it is taken. `pay` is told of its bytes, and says for how many ms the next part
   * waits.
   */
  readonly stream: (asker: Asker, pages: MakePages, pay: (bytes: number) => number) => Effect.Effect<void>
  /** From this place on the user is told in another form; `first`, if given, before all else. */
  readonly reform: (user: User, form: Form, first?: (world: World) => Output) => Effect.Effect<void>
  /** From this place on the user is told nothing of these. Waits until it is so. */
  readonly shut: (user: User, ignores: Ignores | undefined) => Effect.Effect<void>
  /** Tells everyone a last thing. Waits until it was handed to all channels; nothing is heard any more after it. */
  readonly close: (output: Output) => Effect.Effect<void>
  /** Everybody who is online. */
  readonly users: Iterable<User>
  /** The fiber that empties the message channel. Once it is dead nothing waits for it any more, and `close` still tells. */
  readonly fiber: Fiber.RuntimeFiber<never>
}>() {
  static readonly layer = Layer.scoped(Broadcaster, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const state = yield* makeState
  const { channel } = state
  yield* Effect.sync(() =>
    state.log.follow({
      fold: (record, isOwn) => fold(state, record, isOwn),
      tell: tell(state),
      changed: announce(state),
      world: state.online,
      renew: (start) =>
        Effect.flatMap(state.online, (world) =>
          Effect.zipRight(
            apply(state, Turn.renew(world, start, state.clock.unsafeCurrentTimeMillis())),
            tell(state)
          ))
    })
  )
  const fiber = yield* Effect.whileLoop({ while: () => true, body: () => turn(state), step: () => {} }).pipe(
    Effect.zipRight(Effect.never),
    // Whoever waits for a turn would wait for ever.
    Effect.ensuring(Effect.suspend(() => {
      for (const entry of state.taken) settle(entry)
      return channel.close
    })),
    Effect.forkScoped
  )

  /** Waits until an entry was dealt with; or not, if nobody deals with entries any more. */
  const dealWith = <A = void>(entry: (done: (result: A) => void) => Entry) =>
    Effect.async<A>((resume) => {
      const takeBack = channel.enqueue(entry((result) => resume(Effect.succeed(result))))
      return Effect.sync(takeBack)
    })

  const come = (entry: Extract<Entry, { readonly _tag: "Came" }>) =>
    Effect.suspend(() => {
      state.readers.expect(entry.user)
      return channel.offer(entry)
    })

  return Broadcaster.of({
    fiber,
    happen: (event, asker) => channel.offer(happened(event, asker)),
    happenPatiently: (event, asker) => channel.offerPatiently(happened(event, asker)),
    unsafeHappen: (event, asker) => channel.unsafeOffer(happened(event, asker)),
    carry: (event) => dealWith((done) => ({ _tag: "Happened", event, done })),
    attempt: (user, event, replay = 0) => dealWith((decided) => ({ _tag: "Tried", user, event, replay, decided })),
    arrive: (user, welcome, replay) => come({ _tag: "Came", user, welcome, replay }),
    arriveAsProgram: (user, first) => come({ _tag: "Came", user, welcome: false, replay: 0, first }),
    reply: (asker, reply) => channel.offer({ _tag: "Replied", asker, reply }),
    inform: (user, output) => channel.offer({ _tag: "Informed", user, output }),
    ask: (asker, answer, event) => channel.offer({ _tag: "Asked", asker, answer, ...event && { event } }),
    askAndWait: (asker, answer) => dealWith((done) => ({ _tag: "Awaited", asker, answer, done })),
    whisper: (to, by, output) => dealWith((told) => ({ _tag: "Whispered", to, by, output, told })),
    stream: (asker, pages, pay) => dealWith((done) => ({ _tag: "Streamed", asker, pages, pay, done })),
    reform: (user, form, first) => channel.offer({ _tag: "Formed", user, form, first }),
    shut: (user, ignores) => dealWith((done) => ({ _tag: "Shut", user, ignores, done })),
    close: (output) =>
      Effect.zipRight(
        dealWith((done) => ({ _tag: "Closed", output, done })),
        // Once the fiber is dead, nobody else does.
        Effect.sync(() => state.readers.tellTheRest(output, state.clock.unsafeCurrentTimeMillis()))
      ),
    users: state.readers
  })
})

const happened = (event: Event, asker: Asker | undefined): Entry =>
  asker === undefined ? { _tag: "Happened", event } : { _tag: "Happened", event, asker }

/** What the fiber works with. */
const makeState = Effect.gen(function*() {
  const { backlog } = yield* ServerConfig
  const stats = yield* Stats
  const log = yield* MessageLog
  const clock = yield* Effect.clock
  const startDraining = yield* FiberSet.makeRuntime<never, unknown, unknown>()
  // The data goes through the channel, the wake-up through latches: taking from an empty queue costs a Deferred each time.
  const anything = yield* Effect.makeLatch()
  const words = yield* Effect.makeLatch()
  const wake = { urgent: false }
  const channel = yield* MessageChannel.make<Entry>({
    limit: channelBytes,
    patientLimit: patientBytes,
    sizeOf,
    onOffered: (entry) => {
      promisedTo(entry)?.channel.promise()
      if (!isPresence(entry)) {
        wake.urgent = true
        words.unsafeOpen()
      }
      anything.unsafeOpen()
    },
    onLost: settle
  })
  /** A bug at one user ends that visit only. */
  const failed = (user: User, bug: unknown) => {
    user.end("defect")
    startDraining(
      Effect.annotateLogs(Effect.logError("Nothing can be delivered to a user", bug), "peer", user.peer)
    )
  }
  // Whoever comes waits for nobody who asks.
  const readable: History.Readable = { log: yield* History.shareReads(log), start: startDraining }
  const readers = new Readers({
    // A batch must find room in an empty channel, whose limit is in bytes: a character has three at most.
    batchBytes: Math.min(262_144, backlog / 4),
    // Plain code, because it is run for each user of each batch.
    deliver: (user, share) => {
      try {
        if (!user.channel.deliver(share)) return
        startDraining(Effect.catchAllDefect(user.channel.drain(), (bug) => Effect.sync(() => failed(user, bug))))
      } catch (bug) {
        failed(user, bug)
      }
    },
    stream: (stream) => History.streamed(clock, stream),
    replay: History.makeReplay(readable),
    failed
  })
  return {
    stats,
    log,
    clock,
    online: yield* OnlineMap,
    channel,
    readers,
    anything,
    words,
    wake,
    startResting: yield* FiberSet.makeRuntime<never>(),
    /** What was taken from the channel, in the order in which it is dealt with; and what of it makes the next record. */
    taken: [] as ReadonlyArray<Entry>,
    inHand: [] as ReadonlyArray<Entry>,
    /** What came of what was folded, and nobody was told of yet. */
    untold: [] as ReadonlyArray<Turn.Deed>,
    pause: pauseAfter(0)
  }
})
type State = Effect.Effect.Success<typeof makeState>

const turn = (state: State): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { channel, clock, stats, wake } = state
    yield* state.anything.await
    if (!wake.urgent) yield* Effect.raceFirst(state.words.await, Effect.sleep(state.pause))
    yield* nextTurn
    // Closed before the channel is emptied: what comes in between opens them again.
    state.anything.unsafeClose()
    state.words.unsafeClose()
    wake.urgent = false
    const heardPatient = channel.holdsPatient
    const begin = monotonic(clock)
    const entries = Turn.inOrder(yield* channel.takeAll)
    state.taken = Turn.withoutKnown(yield* state.online, entries, clock.unsafeCurrentTimeMillis())
    for (const part of Turn.partsOf(state.taken, state.log.recordBytes)) {
      state.inHand = part
      yield* state.log.append(Turn.eventsOf(part))
    }
    const took = monotonic(clock) - begin
    stats.onTurn(took / 1000)
    state.pause = pauseAfter(took)
    if (heardPatient) state.startResting(endRest(state, took))
  })

// As long as it took to hear the patient: they get half of the time at most, and everybody else meets a short batch.
const endRest = ({ channel }: State, ms: number) => Effect.delay(Effect.sync(() => channel.endRest()), ms)

/** A record stands in the log: `isOwn` if the entries in hand are in it. */
const fold = (state: State, record: Stored, isOwn: boolean): Effect.Effect<Folded> =>
  Effect.map(state.online, (world) => {
    const played = isOwn ? Turn.play(world, state.inHand, record) : Turn.playOther(world, record)
    const kept = Turn.keptOf(played, record)
    if (!isOwn) state.stats.linesOfOthers += kept.lines.length
    return { kept, apply: apply(state, played) }
  })

const apply = (state: State, { deeds, world }: Turn.Played) =>
  Effect.map(Ref.set(state.online, world), () => {
    state.untold = state.untold.length === 0 ? deeds : [...state.untold, ...deeds]
  })

const tell = (state: State) =>
  Effect.suspend(() => {
    const { untold } = state
    state.untold = []
    return perform(state, untold)
  })

/** Does all deeds, in batches, and lets the event loop do other things between two of them. */
const perform = ({ readers, stats }: State, deeds: ReadonlyArray<Turn.Deed>): Effect.Effect<void> => {
  let next = { index: 0, at: 0 }
  const batch = Effect.sync(() => {
    const begin = next.index
    const done = readers.perform(deeds, next)
    next = done
    stats.onBatch(done.lines)
    for (let settled = begin; settled < done.index; settled++) {
      const deed = deeds[settled]!
      if (deed._tag === "Settle") deed.settle()
    }
  })
  return Effect.whileLoop({
    while: () => next.index < deeds.length,
    body: () => next.index === 0 ? batch : Effect.zipRight(nextTurn, batch),
    step: () => {}
  })
}

/** Tells operators and everyone, at once and whatever a turn waits for, whether what is said is kept, or can be said at all. */
const announce = ({ clock, readers, stats }: State) => (condition: Condition): void => {
  const tell = (output: Output) => {
    readers.perform([{ _tag: "Announce", output }], { index: 0, at: clock.unsafeCurrentTimeMillis() })
  }
  tell({ _tag: condition._tag })
  switch (condition._tag) {
    case "KeepingFails":
      stats.logWritable = false
      stats.logFailures++
      return
    case "KeepingWorks":
      stats.logWritable = true
      if (condition.lost > 0) tell({ _tag: "NotKept", lines: condition.lost })
      return
    case "CutOff":
      stats.logReachable = false
      return
    case "Back":
      stats.logReachable = true
  }
}
