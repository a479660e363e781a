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
import type { Stats } from "./Stats.ts"

/** Where the lines go. */
export interface Outlet {
  /** Takes all bytes, in order. MUST NOT wait. `false`: it pushes back, and wants no more until it is `writable`. */
  readonly write: (parts: ReadonlyArray<Uint8Array>) => boolean
  /** Waits while the outlet pushes back. */
  readonly writable: Effect.Effect<void>
}

/** Some whole lines for one user. */
export interface Delivery {
  readonly bytes: Uint8Array
  readonly lines: number
  /** A reply to the user itself, which is never skipped. */
  readonly own: boolean
}

/** All that one user, or everyone, gets of a batch; summed up once, since it is handed to many. */
export interface Share {
  readonly deliveries: ReadonlyArray<Delivery>
  readonly parts: ReadonlyArray<Uint8Array>
  readonly bytes: number
  readonly lines: number
  /** What was announced of it. */
  readonly announced: number
}

export const share = (deliveries: ReadonlyArray<Delivery>): Share => ({
  deliveries,
  parts: deliveries.map(({ bytes }) => bytes),
  bytes: deliveries.reduce((sum, { bytes }) => sum + bytes.length, 0),
  lines: deliveries.reduce((sum, { lines }) => sum + lines, 0),
  announced: deliveries.reduce((sum, { bytes, own }) => own ? sum + costOf(bytes) : sum, 0)
})

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

/**
 * What an entry of the channel costs beside its bytes: a node of the queue, a Buffer, its memory. If it did not count,
 * short replies would take ten times the backlog.
 */
export const entryBytes = 256

const costOf = (bytes: Uint8Array): number => bytes.length + entryBytes

/** The same bytes in memory of their own: what is cut from Node's pool keeps all of the pool alive for as long as it waits. */
const unpooled = (bytes: Uint8Array): Uint8Array => {
  if (bytes.buffer.byteLength !== Buffer.poolSize) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}

export class UserChannel {
  /** Since when, in ms, the sweeper has seen no progress. */
  stalledSince: number | undefined
  /** How many lines had been skipped when the sweeper last looked, and whether those were more than before. */
  skippedSeen = 0
  wasSkipping = false
  private skippedInAll = 0
  private readonly outlet: Outlet
  private readonly limit: number
  private readonly skippedLine: Options["skipped"]
  private readonly stats: Options["stats"]
  private readonly queue: Queue.Queue<Uint8Array>
  /** What is left of the first entry, where that was too large for one piece. */
  private rest: Uint8Array | undefined
  /** Bytes in the queue and in `rest`, and what their entries cost. */
  private waiting = 0
  /** Bytes of own replies that were announced, and are still on their way here. */
  private announced = 0
  /** Lines skipped since the last one that was queued. */
  private gap = 0
  private draining = false
  private onProgress: (() => void) | undefined

  constructor(options: Options, queue: Queue.Queue<Uint8Array>) {
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
    for (const { bytes, lines, own } of deliveries) {
      // Once skipping, it goes on until the channel is empty: one gap, not one with every batch.
      if (!own && (this.gap > 0 || this.waiting + costOf(bytes) > this.limit)) this.skip(lines)
      else {
        this.closeGap()
        this.enqueue(bytes)
        this.count(0, lines)
      }
    }
    return false
  }

  /** Counts an own reply as waiting from now on. Whoever announces it MUST have it delivered. */
  announce(bytes: Uint8Array): void {
    this.announced += costOf(bytes)
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
      let entries = 0
      while (room > 0) {
        const head = this.rest ?? Option.getOrUndefined(yield* Queue.poll(this.queue))
        if (head === undefined) break
        const part = head.subarray(0, room)
        this.rest = part.length < head.length ? head.subarray(room) : undefined
        if (this.rest === undefined) entries++
        parts.push(part)
        room -= part.length
      }
      this.waiting -= pieceBytes - room + entries * entryBytes
      this.count(pieceBytes - room, 0)
      return parts
    })
  }

  private enqueue(bytes: Uint8Array): void {
    this.waiting += costOf(bytes)
    Queue.unsafeOffer(this.queue, unpooled(bytes))
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
    if (this.gap === 0) return
    this.enqueue(Buffer.from(this.skippedLine(this.gap)))
    this.gap = 0
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
  Effect.map(Queue.unbounded<Uint8Array>(), (queue) => new UserChannel(options, queue))
