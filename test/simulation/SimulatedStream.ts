/** A stream with its buckets in memory, and the ways of many nodes to it: slow, lossy, cut. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { NodeId } from "../../src/domain/Event.ts"
import {
  type Identity,
  type Kind,
  type Message,
  NoSuchNode,
  OutOfReach,
  type SharedStream
} from "../../src/log/SharedStream.ts"
import type { Host, Timeline } from "./Timeline.ts"

/** So long the stream knows which IDs it had, and a request waits, in ms. */
const duplicateWindow = 120_000
const timeout = 2000

export class SimulatedStream {
  messages: Array<Message & { readonly id: string; readonly kind: Kind }> = []
  identity: { readonly value: Identity; readonly version: number } | undefined
  readonly beats = new Map<NodeId, number>()
  readonly answers = new Map<NodeId, { readonly way: Way; readonly answer: Parameters<SharedStream["answer"]>[1] }>()
  /** Whoever waits for a message, or for a sign of life. */
  readonly waiting = new Set<() => void>()
  created = "1"
  last = 0
  purged = 0
  version = 0
  isDown = false
  private readonly ids = new Map<string, { readonly at: number; readonly place: number }>()
  readonly timeline: Timeline
  readonly chance: () => number

  constructor(timeline: Timeline, chance: () => number) {
    this.timeline = timeline
    this.chance = chance
  }

  get first(): number {
    return this.messages[0]?.place ?? this.last + 1
  }

  add(kind: Kind, id: string, body: Uint8Array): void {
    const known = this.ids.get(id)
    if (known !== undefined && this.timeline.now - known.at < duplicateWindow && known.place <= this.last) return
    this.last++
    this.ids.set(id, { at: this.timeline.now, place: this.last })
    this.messages.push({ kind, id, place: this.last, at: 1_700_000_000_000 + Math.floor(this.timeline.now), body })
    this.changed()
  }

  changed(): void {
    for (const wake of Array.from(this.waiting)) wake()
  }

  purgePresence(before: number): void {
    const left = this.messages.filter(({ kind, place }) => kind === "said" || place >= before)
    this.purged += this.messages.length - left.length
    this.messages = left
  }

  /** The stream is made anew, and empty. */
  recreate(): void {
    this.messages = []
    this.ids.clear()
    this.created = `${Number(this.created) + 1}`
    this.last = 0
  }

  /** The stream is as it was, so many messages ago. */
  restore(back: number): void {
    this.last = Math.max(0, this.last - back)
    this.messages = this.messages.filter(({ place }) => place <= this.last)
  }
}

/** The way of one node to the stream. */
export class Way {
  isCut = false
  /** It is dead: what it asks for never happens. */
  isOver = false
  private breaks = Deferred.unsafeMake<never, OutOfReach>(FiberId.none)
  readonly host: Host = { frozenUntil: 0 }
  private readonly stream: SimulatedStream

  constructor(stream: SimulatedStream) {
    this.stream = stream
  }

  private get isSilent(): boolean {
    return this.isCut || this.host.frozenUntil > this.stream.timeline.now
  }

  /** The connection is lost; it may come back at once. */
  break(): void {
    Deferred.unsafeDone(this.breaks, new OutOfReach({ why: "the connection was lost" }))
    this.breaks = Deferred.unsafeMake(FiberId.none)
  }

  get shared(): SharedStream {
    const { stream } = this
    const isBlocked = () => this.isCut || this.isOver || stream.isDown
    // There and back, unless something is in the way.
    const late = Effect.suspend(() =>
      Effect.sleep(stream.chance() < 0.02 ? 300 * stream.chance() : 5 * stream.chance())
    )
    const noAnswer = Effect.zipRight(Effect.sleep(timeout), new OutOfReach({ why: "no answer" }))
    const call = <A>(run: () => A): Effect.Effect<A, OutOfReach> =>
      Effect.zipRight(
        late,
        Effect.suspend(() => {
          if (isBlocked()) return noAnswer
          const answer = run()
          const isLost = stream.chance() < 0.01
          return Effect.zipRight(late, Effect.suspend(() => isBlocked() || isLost ? noAnswer : Effect.succeed(answer)))
        })
      )
    const untilBreak = Effect.suspend(() => Deferred.await(this.breaks))
    /** Waits until there is something that is wanted. */
    const found = <A>(find: () => A | undefined): Effect.Effect<A> =>
      Effect.async((resume) => {
        const look = () => {
          const one = find()
          if (one === undefined) return
          stream.waiting.delete(look)
          resume(Effect.succeed(one))
        }
        stream.waiting.add(look)
        look()
        return Effect.sync(() => stream.waiting.delete(look))
      })
    return {
      state: call(() => ({ created: stream.created, first: stream.first, last: stream.last })),
      identity: call(() => stream.identity),
      identify: (value, before) =>
        call(() => {
          if (stream.identity?.version !== before) return false
          stream.identity = { value, version: ++stream.version }
          return true
        }),
      publish: (kind, id, body) => call(() => stream.add(kind, id, body)),
      follow: (from, take, begun) =>
        Effect.gen(function*() {
          yield* call(() => {})
          yield* begun
          let next = from
          const { created } = stream
          while (true) {
            yield* found(() => stream.messages.find(({ place }) => place >= next))
            const some = stream.messages.filter(({ place }) => place >= next).slice(0, 1 + 4 * stream.chance())
            const { place } = some.at(-1)!
            yield* late
            if (isBlocked() || stream.created !== created || stream.last < place) {
              yield* Effect.sleep(timeout)
              return yield* new OutOfReach({ why: "heartbeats missed" })
            }
            next = place + 1
            yield* take(some)
          }
        }).pipe((following) => Effect.raceFirst(following, untilBreak)),
      between: (from, to) => call(() => stream.messages.filter(({ place }) => place >= from && place <= to)),
      purgePresence: (before) => call(() => stream.purgePresence(before)),
      beat: (node) =>
        call(() => {
          stream.beats.set(node, (stream.beats.get(node) ?? 0) + 1)
          stream.changed()
        }),
      beats: (heard) =>
        Effect.gen(function*() {
          const seen = new Map<NodeId, number>()
          while (true) {
            const fresh = yield* found(() => {
              const fresh = Array.from(stream.beats).filter(([node, count]) => seen.get(node) !== count)
              return fresh.length > 0 ? fresh : undefined
            })
            yield* late
            if (isBlocked()) {
              yield* Effect.sleep(500)
              continue
            }
            for (const [node, count] of fresh) {
              seen.set(node, count)
              heard(node)
            }
          }
        }).pipe((hearing) => Effect.raceFirst(hearing, untilBreak)),
      known: call(() => Array.from(stream.beats.keys())),
      forget: (node) => call(() => void stream.beats.delete(node)),
      ask: (node, body) =>
        Effect.zipRight(
          late,
          Effect.suspend((): Effect.Effect<Uint8Array, OutOfReach | NoSuchNode> => {
            if (isBlocked()) return noAnswer
            const asked = stream.answers.get(node)
            if (asked === undefined || asked.way.isOver) return new NoSuchNode({ node })
            if (asked.way.isSilent) return noAnswer
            return Effect.flatMap(asked.answer(body), (answer) =>
              answer === undefined ? noAnswer : Effect.succeed(answer))
          })
        ),
      answer: (node, answer) =>
        Effect.acquireUseRelease(
          Effect.sync(() => stream.answers.set(node, { way: this, answer })),
          () => Effect.never,
          () => Effect.sync(() => stream.answers.delete(node))
        )
    }
  }
}
