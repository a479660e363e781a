/**
 * One of the equal nodes that write a log together: it appends its turns, one at a time, and follows the stream. Knows no network:
 * the same code runs over NATS and in a simulation.
 *
 * A record counts if its node was not buried before it in the stream (`Fold.admit`), for all alike. There is no leader: whoever
 * misses a node's signs of life for the lease may bury it. A node that reads of its own burial takes another ID, lets its
 * users come back, and appends again what it has not seen applied.
 */
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Schedule from "effect/Schedule"
import type { Address } from "../domain/Address.ts"
import type { Erasure } from "../domain/Erasure.ts"
import { type Event, isPresence, NodeId, type UserId } from "../domain/Event.ts"
import * as Fold from "../domain/Fold.ts"
import { monotonic } from "../domain/monotonic.ts"
import * as World from "../domain/World.ts"
import type { Stats } from "../ops/Stats.ts"
import * as Entrance from "./Entrance.ts"
import type { LastLines } from "./LastLines.ts"
import { type Follower, LogLost } from "./MessageLog.ts"
import type { Letter } from "./OtherNodes.ts"
import * as Codec from "./RecordCodec.ts"
import * as Requests from "./Requests.ts"
import { type Identity, type Message, OutOfReach, type SharedStream } from "./SharedStream.ts"
import { UserNumbers } from "./UserNumbers.ts"
import { Worlds } from "./Worlds.ts"

export interface Options {
  /** A node that gives no sign of life for so many ms is buried. */
  readonly lease: number
  /** Gives an ID that no node ever had, of hexadecimal digits. */
  readonly newId: () => string
  /** What this node remembers of what was said. */
  readonly lines: LastLines
}

/** After so many ms without a sign of the stream people are told. */
const patience = 3000
/** After so many ms the stream may have forgotten what this node has not seen. */
const longestAway = 30 * 60_000
const beatEvery = 1000
const lookEvery = 5000
const tickEvery = 500
/** A tick that is late by so many ms says that this process stood still. */
const standstill = 1500
/** Whoever does not hear its own signs of life for so many ms buries nobody. */
const deafness = 2500
const retryEvery = 200
/** What is acknowledged and counts is applied within so many ms. */
const appliedWithin = 3000
// So many events of a return fit into a record, however long the names are.
const returnEvents = 256

/** Events on their way into the stream. */
interface Outgoing {
  readonly events: ReadonlyArray<Event>
  /** Which record of this node it is, once it is on its way. */
  number: number | undefined
  /** When the stream took it, if that is known. */
  takenAt: number | undefined
  /** Somebody waits until it is applied. */
  isAwaited: boolean
  readonly applied: Deferred.Deferred<void>
}

const newDeferred = () => Deferred.unsafeMake<void>(FiberId.none)
const finish = (deferred: Deferred.Deferred<void>) => Deferred.unsafeDone(deferred, Effect.void)

const outgoing = (events: ReadonlyArray<Event>): Outgoing => ({
  events,
  number: undefined,
  takenAt: undefined,
  isAwaited: false,
  applied: newDeferred()
})

const nobody: (letter: Letter) => Effect.Effect<boolean> = () => Effect.succeed(false)
const nowhere: (user: UserId) => Address | undefined = () => undefined

const makeState = (shared: SharedStream, stats: typeof Stats.Service, options: Options) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const now = () => monotonic(clock)
    const numbers = new UserNumbers()
    const entered = yield* Entrance.enter(shared, options, numbers)
    const { identity, others, place, said, start } = entered
    options.lines.addOlder(said)
    const node = NodeId(options.newId())
    numbers.isOwn(node)
    stats.link.place = place
    return {
      shared,
      stats,
      options,
      clock,
      now,
      numbers,
      start,
      entered,
      identity,
      node,
      /** The place of the last message that was taken. */
      place,
      /** How many records this node has begun. */
      count: 0,
      outbox: [] as Array<Outgoing>,
      isEnding: false,
      /** When others were heard last, this node included. */
      heard: new Map<NodeId, number>(others.map((node) => [node, now()])),
      /** Who was buried. */
      dead: new Set<NodeId>(),
      /** Before this nobody's silence counts. */
      listensSince: now(),
      /** When the stream was in reach last. */
      reachedAt: now(),
      isFollowing: false,
      isCutOff: false,
      worlds: new Worlds(),
      letters: nobody,
      peers: nowhere,
      turns: yield* Effect.makeSemaphore(1),
      follower: yield* Deferred.make<Follower>(),
      /** It has all that was there when it began to follow. */
      caughtUp: yield* Deferred.make<void>(),
      ready: yield* Deferred.make<void>(),
      lost: yield* Deferred.make<never, LogLost>(),
      inBackground: yield* FiberSet.makeRuntime<never>(),
      answering: yield* FiberHandle.make()
    }
  })
type State = Effect.Effect.Success<ReturnType<typeof makeState>>

/** The state changes in turns: one message, one question, one burial at a time, each to its end. */
const inTurn = <A, E>({ turns }: State, self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.uninterruptible(turns.withPermits(1)(self))

export const make = (shared: SharedStream, stats: typeof Stats.Service, options: Options) =>
  Effect.gen(function*() {
    const state = yield* makeState(shared, stats, options)
    yield* Effect.forkScoped(following(state))
    yield* Effect.forkScoped(Effect.zipRight(entering(state), lookingBack(state)))
    yield* Effect.forkScoped(ticking(state))
    yield* Effect.forkScoped(keepingHouse(state))
    yield* Effect.forkScoped(listening(state))
    yield* Effect.addFinalizer(() => leave(state))
    return {
      id: () => state.identity.id,
      start: state.start,
      append: (events: ReadonlyArray<Event>) => events.length === 0 ? look(state) : append(state, events),
      erase: (erasure: Erasure) => erase(state, erasure),
      follow: (follower: Follower) => Deferred.unsafeDone(state.follower, Effect.succeed(follower)),
      ready: Deferred.await(state.ready),
      running: Deferred.await(state.lost),
      isOther: (node: NodeId) => node !== state.node,
      tell: (node: NodeId, letter: Letter) => tell(state, node, letter),
      peerOf: (node: NodeId, user: UserId) =>
        Effect.map(
          Requests.ask(shared, node, { _tag: "Peer", user: state.numbers.numberOf(user) }, "Peer"),
          ({ address }) => address
        ),
      onPeerAsked: (find: State["peers"]) => {
        state.peers = find
      },
      onLetter: (deliver: State["letters"]) => {
        state.letters = deliver
      }
    }
  })

/** The place where the log stands, as the follower has it. */
const look = (state: State) =>
  Effect.flatMap(Deferred.await(state.follower), ({ fold, tell }) =>
    inTurn(
      state,
      Effect.suspend(() => {
        const at = state.clock.unsafeCurrentTimeMillis()
        const nothing = { seq: Codec.seqAt(state.place + 1), at, node: state.node, number: 0, events: [] }
        return Effect.flatMap(fold(nothing, true), ({ apply }) => Effect.zipRight(apply, tell))
      })
    ))

const append = (state: State, events: ReadonlyArray<Event>) =>
  Effect.suspend(() => {
    const one = { ...outgoing(events), isAwaited: true }
    state.outbox.push(one)
    sendFirst(state)
    return Effect.onInterrupt(Deferred.await(one.applied), () =>
      Effect.sync(() => {
        for (const other of state.outbox) if (other.applied === one.applied) other.isAwaited = false
      }))
  })

/** Waits until it is in the stream: whoever begins later knows of it too. */
const erase = (state: State, erasure: Erasure) =>
  Effect.suspend(() => {
    const erased = state.options.lines.erase({ erasure, before: Codec.seqAt(state.place + 1) })
    const one = outgoing([{ _tag: "Erased", erasure }])
    state.outbox.push(one)
    sendFirst(state)
    return Effect.as(Deferred.await(one.applied), erased)
  })

/** Sends the first of the outbox, if it is not on its way: one at a time. */
const sendFirst = (state: State): void => {
  const [first] = state.outbox
  if (first === undefined || first.number !== undefined) return
  first.number = ++state.count
  state.stats.link.sent++
  state.inBackground(publish(state, first))
}

/** Sends it with the same ID until the stream has taken it. It may be applied, or go out anew, before that is known. */
const publish = (state: State, first: Outgoing): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { node, shared } = state
    const number = first.number ?? 0
    const follower = yield* Deferred.await(state.follower)
    const world = yield* follower.world
    // Whoever reads it later has only what it says.
    const events = first.events.map((event) => World.asNow(world, event))
    // Whoever begins must know of this node before it says anything.
    if (number === 1) yield* shared.beat(node)
    yield* shared.publish(
      events.every(isPresence) ? "presence" : "said",
      `${node}.${number}`,
      Codec.encode({ node, number, events })
    )
    first.takenAt = state.now()
  }).pipe(
    Effect.catchAll(() =>
      Effect.delay(
        Effect.suspend(() => state.outbox[0] === first ? publishAgain(state, first) : Effect.void),
        retryEvery
      )
    )
  )

const publishAgain = (state: State, first: Outgoing) => {
  first.takenAt = undefined
  state.stats.link.retries++
  return publish(state, first)
}

/** Follows the stream, over breaks of the connection; looks after each whether it is the same. */
const following = (state: State) =>
  Effect.gen(function*() {
    yield* Deferred.await(state.follower)
    const begun = Effect.sync(() => {
      state.isFollowing = true
      reached(state)
      state.listensSince = state.now()
    })
    const once = Effect.gen(function*() {
      const { last } = yield* theSame(state)
      state.stats.link.last = last
      lookWhetherCaughtUp(state)
      yield* state.shared.follow(
        state.place + 1,
        (messages) => Effect.zipRight(gapless(state, messages), inTurn(state, receive(state, messages))),
        begun
      )
    })
    const broken = ({ why }: OutOfReach) =>
      Effect.zipRight(
        Effect.logDebug(`the stream was lost out of sight: ${why}`),
        Effect.suspend(() => {
          state.isFollowing = false
          state.stats.link.breaks++
          return Effect.sleep(retryEvery)
        })
      )
    yield* Effect.forever(Effect.catchTag(once, "OutOfReach", broken))
  }).pipe(Effect.catchTag("LogLost", (error) => Deferred.fail(state.lost, error)))

/** Where places are missing, makes sure that they held old presence only: else this would be another chat from here on. */
const gapless = (state: State, messages: ReadonlyArray<Message>) =>
  Effect.gen(function*() {
    let { place } = state
    for (const message of messages) {
      if (message.place > place + 1) {
        // That never ends with a failure.
        const { first } = yield* Effect.orDie(Effect.retry(state.shared.state, Schedule.spaced(retryEvery)))
        if (first > place + 1) {
          yield* Deferred.fail(state.lost, forgotten())
          return yield* Effect.never
        }
      }
      place = Math.max(place, message.place)
    }
  })

const forgotten = () => new LogLost({ message: "the stream has forgotten what this node had not seen yet" })

const reached = (state: State) => {
  state.reachedAt = state.now()
}

const lookWhetherCaughtUp = ({ caughtUp, place, stats }: State) => {
  if (place >= stats.link.last) finish(caughtUp)
}

/** Once this node has all that was there when it began to follow, others may ask it, and it may say something. */
const entering = (state: State) =>
  Effect.gen(function*() {
    yield* Deferred.await(state.caughtUp)
    yield* answerAs(state, state.node)
    // Before it says anything: whoever begins after this asks this node.
    yield* Effect.retry(state.shared.beat(state.node), Schedule.spaced(retryEvery))
    yield* Deferred.succeed(state.ready, undefined)
  })

/** Learns what was said before, page by page, while others are served. */
const lookingBack = (state: State) => {
  const { entered, options: { lines }, shared } = state
  const { identity } = entered
  let isAll = false
  const page = Effect.gen(function*() {
    const { erased } = lines
    const living = Array.from(state.heard.keys()).filter((node) => node !== state.node)
    const older = yield* Entrance.older(shared, entered, erased, living)
    isAll = older.erased >= erased
    // Those that it had may be gone meanwhile: more was said, or the log is another one.
    if (!isAll && lines.erased === erased) lines.addOlder(older)
    yield* Effect.sleep(1)
  })
  return Effect.whileLoop({
    while: () =>
      !isAll && state.identity === identity && lines.hasRoom && lines.erased > Entrance.lastAt(identity.from),
    body: () => Effect.orDie(Effect.retry(page, Schedule.spaced(lookEvery))),
    step: () => {}
  })
}

/** Makes sure that the stream holds the log that is followed, and what stands behind the place where this node is. */
const theSame = (state: State): Effect.Effect<{ readonly last: number }, OutOfReach | LogLost> =>
  Effect.gen(function*() {
    const { held, stream } = yield* Entrance.settle(state.shared, state.options.newId, {
      id: state.identity.id,
      place: state.place
    })
    if (held.id !== state.identity.id) {
      yield* Effect.logError("the stream holds another log: what was said before is gone")
      yield* inTurn(state, renew(state, held))
      return yield* theSame(state)
    }
    if (stream.first > state.place + 1) return yield* forgotten()
    return stream
  })

const renew = (state: State, identity: Identity) =>
  Effect.gen(function*() {
    const follower = yield* Deferred.await(state.follower)
    const world = yield* follower.world
    const start = Entrance.lastAt(identity.from)
    yield* follower.renew(start)
    state.options.lines.clear(start)
    state.identity = identity
    state.place = identity.from
    // What it has sent before may come yet.
    yield* comeBack(state, world, [{ _tag: "NodeGone", node: state.node }])
  })

const receive = (state: State, messages: ReadonlyArray<Message>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { link } = state.stats
    const follower = yield* Deferred.await(state.follower)
    reached(state)
    let applied: Outgoing | undefined
    for (const message of messages) {
      if (message.place <= state.place) continue
      state.place = message.place
      link.last = Math.max(link.last, message.place)
      link.records++
      link.bytes += message.body.length
      const record = Codec.decode(message.body)
      if (record === undefined) link.malformed++
      else applied = (yield* take(state, follower, message, record)) ?? applied
    }
    yield* follower.tell
    link.place = state.place
    lookWhetherCaughtUp(state)
    if (applied !== undefined) finish(applied.applied)
    sendFirst(state)
  })

/** Folds a record; gives what was on its way, if it is that. */
const take = (
  state: State,
  follower: Follower,
  { at, place }: Message,
  { events, node, number }: Codec.NodeRecord
): Effect.Effect<Outgoing | undefined> =>
  Effect.gen(function*() {
    const world = yield* follower.world
    if (Fold.admit(world, { node, number }) === undefined) return
    if (number > 0) state.heard.set(node, state.now())
    const [first] = state.outbox
    const applied = first !== undefined && node === state.node && number === first.number ? first : undefined
    if (applied !== undefined) state.outbox.shift()
    const stored = {
      seq: Codec.seqAt(place),
      at,
      node,
      number,
      events: events.map((event) => ofNode(state.numbers, node, event))
    }
    const { apply, kept } = yield* follower.fold(stored, applied?.isAwaited ?? false)
    state.options.lines.addAll(kept.lines)
    yield* apply
    for (const [index, event] of events.entries()) {
      if (event._tag === "NodeGone") yield* buried(state, event.node, world)
      if (event._tag === "Erased") {
        state.options.lines.erase({ erasure: event.erasure, before: Fold.placeOf(stored.seq, index) })
      }
    }
    return applied
  })

const ofNode = (numbers: UserNumbers, node: NodeId, event: Event): Event =>
  "user" in event ? { ...event, user: numbers.userOf(node, event.user) } : event

const buried = (state: State, node: NodeId, before: World.World) =>
  Effect.gen(function*() {
    state.heard.delete(node)
    state.dead.add(node)
    state.inBackground(Effect.ignore(state.shared.forget(node)))
    if (node !== state.node) state.numbers.forget(node)
    else if (!state.isEnding) {
      yield* Effect.logWarning("the other nodes thought this one dead: its users come back")
      yield* comeBack(state, before, [])
    }
  })

/** Takes another ID; then all of its users come back, and what was on its way goes out anew. */
const comeBack = (state: State, before: World.World, first: ReadonlyArray<Event>) => {
  const { node, numbers, options, outbox } = state
  state.node = NodeId(options.newId())
  state.count = 0
  numbers.isOwn(state.node)
  numbers.forget(node)
  const events = [...first, ...World.returnOf(before, node)]
  state.outbox = [
    ...Arr.chunksOf(events, returnEvents).filter(Arr.isNonEmptyArray).map(outgoing),
    ...outbox.map(({ applied, events, isAwaited }) => Object.assign(outgoing(events), { applied, isAwaited }))
  ]
  sendFirst(state)
  return answerAs(state, state.node)
}

/** What is of presence is kept in the stream for so many ms; so often a place is noted, and so often what is older is purged. */
const presenceLife = 3_600_000
const noteEvery = 60_000
const purgeEvery = 600_000

/** Looks now and then how long the stream is, and whether strange things come; and purges what is of presence and old. */
const keepingHouse = (state: State) => {
  const { link } = state.stats
  let notes: ReadonlyArray<{ readonly at: number; readonly place: number }> = []
  let purgedAt = -Infinity
  let malformed = 0
  return Effect.gen(function*() {
    if (link.malformed > malformed) {
      yield* Effect.logWarning(`${link.malformed - malformed} messages of the stream are no records`)
      malformed = link.malformed
    }
    link.last = Math.max(link.place, (yield* state.shared.state).last)
    const now = state.now()
    const last = notes.at(-1)
    if (last === undefined || now - last.at >= noteEvery) notes = [...notes, { at: now, place: state.place }]
    const old = notes.findLast(({ at }) => now - at >= presenceLife)
    if (old === undefined || now - purgedAt < purgeEvery) return
    yield* state.shared.purgePresence(old.place)
    purgedAt = now
    notes = notes.filter(({ at }) => at >= old.at)
  }).pipe(Effect.ignore, Effect.delay(lookEvery), Effect.forever)
}

/** Gives a sign of life, looks for those of others, and whether the stream is in reach. */
const ticking = (state: State) => {
  let tickedAt = state.now()
  let beatAt = -Infinity
  return Effect.gen(function*() {
    const { heard, isEnding, node, options, shared, stats } = state
    const now = state.now()
    const isReady = yield* Deferred.isDone(state.ready)
    // What was not heard meanwhile says nothing.
    if (now - tickedAt > tickEvery + standstill) {
      state.listensSince = now
      reached(state)
    }
    tickedAt = now
    if (isReady && !isEnding && now - beatAt >= beatEvery) {
      beatAt = now
      state.inBackground(Effect.ignore(Effect.tap(shared.beat(node), () => state.isFollowing && reached(state))))
    }
    const [first] = state.outbox
    if (first?.takenAt !== undefined && now - first.takenAt > appliedWithin) {
      state.inBackground(publishAgain(state, first))
    }
    yield* tellReach(state, now - state.reachedAt)
    if (state.isCutOff || !state.isFollowing || now - (heard.get(node) ?? -Infinity) > deafness) {
      state.listensSince = now
    }
    stats.link.others = state.isCutOff ? 0 : heard.has(node) ? heard.size - 1 : heard.size
    for (const [other, at] of heard) {
      if (other !== node && now - Math.max(at, state.listensSince) > options.lease) {
        state.inBackground(Effect.ignore(Entrance.bury(shared, other)))
      }
    }
  }).pipe(Effect.delay(tickEvery), Effect.forever)
}

const tellReach = (state: State, silence: number) =>
  Effect.gen(function*() {
    const follower = yield* Deferred.await(state.follower)
    if (!state.isCutOff && silence > patience) {
      state.isCutOff = true
      follower.changed({ _tag: "CutOff" })
      yield* Effect.logError("the stream that the nodes share is out of reach: nothing can be said")
    } else if (state.isCutOff && silence < patience) {
      state.isCutOff = false
      follower.changed({ _tag: "Back" })
      yield* Effect.logInfo("the stream is in reach again")
    }
    if (silence > longestAway) {
      yield* Deferred.fail(
        state.lost,
        new LogLost({ message: "the stream that the nodes share was out of reach for too long" })
      )
    }
  })

/** Hears the signs of life of all nodes. */
const listening = ({ dead, heard, now, shared }: State) =>
  Effect.forever(Effect.catchAll(
    shared.beats((node) => {
      // Its last sign of life may come after its burial.
      if (!dead.has(node)) heard.set(node, now())
    }),
    () => Effect.sleep(retryEvery)
  ))

const answerAs = (state: State, node: NodeId) =>
  Effect.asVoid(FiberHandle.run(
    state.answering,
    Effect.forever(Effect.catchAll(
      state.shared.answer(node, (body) => answer(state, Requests.request.decode(body))),
      () => Effect.sleep(retryEvery)
    ))
  ))

const answer = (state: State, request: Requests.Request | undefined): Effect.Effect<Uint8Array | undefined> =>
  Effect.gen(function*() {
    const { numbers, worlds } = state
    switch (request?._tag) {
      case undefined:
        return undefined
      case "Here":
        return Requests.reply.encode({ _tag: "Answer", is: true })
      case "Letter": {
        const { by, from, name, node, text, to } = request
        const is = yield* state.letters({ by: numbers.userOf(node, by), from, to, name, text })
        return Requests.reply.encode({ _tag: "Answer", is })
      }
      case "Peer":
        return Requests.reply.encode({ _tag: "Peer", address: state.peers(numbers.userOf(state.node, request.user)) })
      case "Lines": {
        const { erased, lines } = state.options.lines.pageBefore(request.before)
        const known = Entrance.lastAt(state.place)
        return Requests.reply.encode({ _tag: "Lines", log: state.identity.id, known, erased, lines })
      }
      case "World": {
        const { part, token } = request
        if (part > 0) return worlds.part(token, part)
        const follower = yield* Deferred.await(state.follower)
        return yield* inTurn(
          state,
          Effect.map(
            follower.world,
            (world) => worlds.begin({ log: state.identity.id, place: state.place, world }, state.options.newId())
          )
        )
      }
    }
  })

const tell = ({ node: own, numbers, shared }: State, node: NodeId, { by, from, name, text, to }: Letter) => {
  const letter = { _tag: "Letter", node: own, by, from, to: numbers.numberOf(to), name, text } as const
  return Effect.map(Requests.ask(shared, node, letter, "Answer"), ({ is }) => is)
}

/** It goes in order: nobody has to wait for its lease. */
const leave = (state: State) =>
  Effect.suspend(() => {
    state.isEnding = true
    const { node, shared } = state
    return Effect.ignore(Effect.timeout(Effect.zipRight(Entrance.bury(shared, node), shared.forget(node)), 1000))
  })
