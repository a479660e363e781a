/**
 * The lines on their way to one user, in order and bounded in bytes. Knows no socket, only an outlet that takes bytes or
 * pushes back.
 *
 * There is one writer at a time: the broadcaster, straight into the outlet, as long as that takes everything; and from
 * when it pushes back until the channel is empty again, the fiber that runs `drain`. So a healthy user costs no fiber
 * to wake.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type { Stats } from "../ops/Stats.ts"
import { costOf, type Delivery, entryBytes, type Share } from "./Delivery.ts"

/** Where the lines go. */
export interface Outlet {
  /** Takes all bytes, in order. MUST NOT wait. `false`: it pushes back, and wants no more until it is `writable`. */
  readonly write: (parts: ReadonlyArray<Uint8Array>) => boolean
  /** Waits while the outlet pushes back. */
  readonly writable: Effect.Effect<void>
}

export interface Options {
  readonly outlet: Outlet
  /** How many bytes may wait before other people's lines are skipped. */
  readonly backlog: number
  /** The line that tells how many were skipped. */
  readonly skipped: (lines: number) => string
  readonly stats: Pick<typeof Stats.Service, "linesDelivered" | "linesSkipped" | "bytesOut">
}

// What a slow outlet is fed with at a time, so that each piece it takes is progress that can be seen.
const pieceBytes = 65_536

/** The same bytes in memory of their own: what is cut from Node's pool keeps all of the pool alive for as long as it waits. */
const unpooled = (bytes: Uint8Array): Uint8Array => {
  if (bytes.buffer.byteLength !== Buffer.poolSize) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}

type Entry = Pick<Delivery, "bytes" | "kind">

export class UserChannel {
  /** Since when, in ms of the monotonic clock, the sweeper has seen no progress. */
  stalledSince: number | undefined
  /** How many lines had been skipped when the sweeper last looked, and whether those were more than before. */
  skippedSeen = 0
  wasSkipping = false
  private skippedInAll = 0
  private readonly outlet: Outlet
  private readonly limit: number
  private readonly skippedLine: Options["skipped"]
  private readonly stats: Options["stats"]
  private readonly queue: Queue.Queue<Entry>
  /** The first entry, of which a part was given to the outlet, and what is left of it. */
  private head: Entry | undefined
  /** Bytes in the queue and in `head`, and what their entries cost. */
  private waiting = 0
  /** The part of it that is private lines. */
  private waitingPrivate = 0
  /** Bytes of own replies that were announced, and are still on their way here. */
  private announced = 0
  /** What is skipped now; `gap` says how many lines so far. */
  private skipping: "nothing" | "private lines" | "other people's lines" = "nothing"
  private gap = 0
  private draining = false
  private onProgress: (() => void) | undefined

  constructor(options: Options, queue: Queue.Queue<Entry>) {
    this.outlet = options.outlet
    this.limit = options.backlog
    this.skippedLine = options.skipped
    this.stats = options.stats
    this.queue = queue
  }

  /**
   * Hands over lines, in order. Never waits: what finds no room is skipped and counted. `true`: the outlet pushes back
   * from now on, and the caller MUST see to it that `drain` runs.
   */
  deliver({ announced, bytes, deliveries, lines, parts }: Share): boolean {
    this.announced -= announced
    if (!this.draining) {
      this.count(bytes, lines)
      this.draining = !this.outlet.write(parts)
      this.onProgress?.()
      return this.draining
    }
    for (const delivery of deliveries) {
      if (this.admits(delivery)) {
        this.enqueue(delivery)
        this.count(0, delivery.lines)
      } else {
        this.skip(delivery.lines)
      }
    }
    return false
  }

  /** Keeps so many bytes free from now on, for an own reply that MUST be delivered with the same number. */
  announce(bytes: number): void {
    this.announced += bytes
  }

  /** Whether the next own reply finds room. */
  get hasRoom(): boolean {
    return this.waiting + this.announced < this.limit
  }

  /** How many bytes wait. */
  get backlog(): number {
    return this.waiting
  }

  /** How many lines were skipped since the user came. */
  get skippedLines(): number {
    return this.skippedInAll
  }

  /** Whether lines wait because the outlet pushes back. */
  get isDraining(): boolean {
    return this.draining
  }

  /** Waits until the next own reply finds room. Of `room` and `drained` one may be waited for at a time. */
  room(): Effect.Effect<void> {
    return this.until(() => this.hasRoom)
  }

  /** Waits until all that was delivered has been given to the outlet, and taken. */
  drained(): Effect.Effect<void> {
    return this.until(() => !this.draining)
  }

  /** Feeds the outlet piece by piece until nothing waits. */
  drain(): Effect.Effect<void> {
    return Effect.gen(this, function*() {
      while (true) {
        yield* this.outlet.writable
        this.stalledSince = undefined
        const parts = yield* this.nextPiece()
        // Looked at and ended in one step, so that no line comes in between and is left behind.
        if (parts.length === 0 && this.waiting === 0) {
          if (this.gap > 0) this.closeGap()
          else {
            this.draining = false
            this.onProgress?.()
            return
          }
        } else {
          this.outlet.write(parts)
          this.onProgress?.()
        }
      }
    })
  }

  private nextPiece(): Effect.Effect<Array<Uint8Array>> {
    return Effect.gen(this, function*() {
      const parts: Array<Uint8Array> = []
      let room = pieceBytes
      while (room > 0) {
        const head = this.head ?? Option.getOrUndefined(yield* Queue.poll(this.queue))
        if (head === undefined) break
        const part = head.bytes.subarray(0, room)
        parts.push(part)
        room -= part.length
        const isWhole = part.length === head.bytes.length
        this.head = isWhole ? undefined : { ...head, bytes: head.bytes.subarray(part.length) }
        const freed = part.length + (isWhole ? entryBytes[head.kind] : 0)
        this.waiting -= freed
        if (head.kind === "private") this.waitingPrivate -= freed
      }
      this.count(pieceBytes - room, 0)
      return parts
    })
  }

  /** Whether there is room for it. Decides what is skipped from here on. */
  private admits(delivery: Delivery): boolean {
    const { kind } = delivery
    // Once skipping, it goes on until the channel has nothing of the kind: one gap, not one with every batch.
    if (kind !== "own" && this.skipping === "other people's lines") return false
    if (kind === "private" && this.skipping === "private lines" && this.waitingPrivate > 0) return false
    const cost = costOf(delivery)
    if (kind === "private" && this.waitingPrivate + cost > this.limit / 4) {
      this.skipping = "private lines"
      return false
    }
    if (kind !== "own" && this.waiting + cost > this.limit) {
      this.skipping = "other people's lines"
      return false
    }
    // Public lines that pass a gap of private ones do not end it.
    if (kind === "private" || this.skipping === "other people's lines") this.closeGap()
    return true
  }

  private enqueue({ bytes, kind }: Pick<Delivery, "bytes" | "kind">): void {
    const cost = costOf({ bytes, kind })
    this.waiting += cost
    if (kind === "private") this.waitingPrivate += cost
    Queue.unsafeOffer(this.queue, { bytes: kind === "shared" ? bytes : unpooled(bytes), kind })
  }

  private skip(lines: number): void {
    this.gap += lines
    this.skippedInAll += lines
    this.stats.linesSkipped += lines
  }

  private count(bytes: number, lines: number): void {
    this.stats.bytesOut += bytes
    this.stats.linesDelivered += lines
  }

  /** Puts the notice at the place of the gap. */
  private closeGap(): void {
    if (this.gap > 0) this.enqueue({ bytes: Buffer.from(this.skippedLine(this.gap)), kind: "own" })
    this.gap = 0
    this.skipping = "nothing"
  }

  private until(holds: () => boolean): Effect.Effect<void> {
    return Effect.async((resume) => {
      const look = () => {
        if (!holds()) return
        this.onProgress = undefined
        resume(Effect.void)
      }
      this.onProgress = look
      look()
      return Effect.sync(() => {
        this.onProgress = undefined
      })
    })
  }
}

export const make = (options: Options): Effect.Effect<UserChannel> =>
  Effect.map(Queue.unbounded<Entry>(), (queue) => new UserChannel(options, queue))
