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
import type { Form } from "../wire/Form.ts"
import { costOf, type Delivery, entryBytes, type Mark, type Share } from "./Delivery.ts"
import type { Seen } from "./Seen.ts"

/** Where the lines go. */
export interface Outlet {
  /** Takes all bytes, in order: whole lines. MUST NOT wait. `false`: it pushes back, and wants no more until it is `writable`. */
  readonly write: (parts: ReadonlyArray<Uint8Array>) => boolean
  /** Waits while the outlet pushes back. */
  readonly writable: Effect.Effect<void>
  /** Waits until the kernel has all that was written; or the peer is lost, which makes it `false`. */
  readonly taken: Effect.Effect<boolean>
}

export interface Options {
  readonly outlet: Outlet
  /** How many bytes may wait before other people's lines are skipped. */
  readonly backlog: number
  /** The form in which the user is told first. */
  readonly form: Form
  /** The line that tells how many were skipped, in the form in which the user is told there. */
  readonly skipped: (lines: number, form: Form) => string
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

const lf = 0x0a

/**
 * How many bytes of the lines go into a piece that has so much room: to the end of a line, since what is between two messages
 * of a WebSocket would cut a character. A line that is longer than any piece is one by itself.
 */
const wholeLines = (lines: Uint8Array, room: number, isFirst: boolean): number => {
  if (lines.length <= room) return lines.length
  const end = lines.lastIndexOf(lf, room - 1) + 1
  if (end > 0 || !isFirst) return end
  return lines.indexOf(lf) + 1 || lines.length
}

const isEmpty = ({ bytes, source }: Delivery): boolean => bytes.length === 0 && source === undefined

type Entry = Pick<Delivery, "bytes" | "kind" | "source" | "mark">

// What is kept free for an own reply that is on its way. Most are shorter, and none is skipped.
const promisedBytes = 4096

export class UserChannel {
  /** How far the outlet was given what was said in each room; `undefined` where nobody wants to know. */
  seen: Seen | undefined
  private skippedInAll = 0
  private readonly outlet: Outlet
  private readonly limit: number
  private readonly skippedLine: Options["skipped"]
  /** Of what comes next. */
  private form: Form
  private readonly stats: Options["stats"]
  private readonly queue: Queue.Queue<Entry>
  /** The first entry, of which a part was given to the outlet, and what is left of it. */
  private head: Entry | undefined
  /** Bytes in the queue and in `head`, and what their entries cost. */
  private waiting = 0
  /** The part of it that is private lines. */
  private waitingPrivate = 0
  /** How many own replies are on their way here. */
  private promised = 0
  /** What is skipped now; `gap` says how many lines so far. */
  private skipping: "nothing" | "private lines" | "other people's lines" = "nothing"
  private gap = 0
  private draining = false
  private taken = 0
  private fetching = false
  private onProgress: (() => void) | undefined

  constructor(options: Options, queue: Queue.Queue<Entry>) {
    this.outlet = options.outlet
    this.limit = options.backlog
    this.skippedLine = options.skipped
    this.form = options.form
    this.stats = options.stats
    this.queue = queue
  }

  /**
   * Hands over lines, in order. Never waits: what finds no room is skipped and counted. `true`: the outlet pushes back
   * from now on, and the caller MUST see to it that `drain` runs.
   */
  deliver({ bytes, deliveries, form, hasSource, lines, marks, parts, promised }: Share): boolean {
    this.promised -= promised
    if (!this.draining && !hasSource) {
      this.form = form ?? this.form
      if (bytes === 0) return false
      this.count(bytes, lines)
      this.draining = !this.outlet.write(parts)
      for (const mark of marks) this.see(mark)
      this.onProgress?.()
      return this.draining
    }
    const begins = !this.draining
    this.draining = true
    for (const delivery of deliveries) {
      if (delivery.form !== undefined) {
        this.closeGap()
        this.form = delivery.form
      }
      if (isEmpty(delivery)) continue
      if (this.admits(delivery)) {
        this.enqueue(delivery)
        this.count(0, delivery.lines)
      } else {
        this.skip(delivery.lines)
      }
    }
    return begins
  }

  /** Keeps room from now on for an own reply, which MUST be delivered as `promised`. */
  promise(): void {
    this.promised++
  }

  /** Whether the next own reply finds room. */
  get hasRoom(): boolean {
    return this.waiting + this.promised * promisedBytes < this.limit
  }

  /** How many bytes wait. */
  get backlog(): number {
    return this.waiting
  }

  /** For a source: waits until the kernel has all that the outlet was given; `false`: it never will. */
  get allTaken(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      // Now it is the outlet that is waited for.
      this.fetching = false
      return this.outlet.taken
    })
  }

  /** How many lines were skipped since the user came. */
  get skippedLines(): number {
    return this.skippedInAll
  }

  /** Whether lines wait. */
  get isDraining(): boolean {
    return this.draining
  }

  /** Whether lines wait because the outlet pushes back. */
  get isStalled(): boolean {
    return this.draining && !this.fetching
  }

  /** Grows with each piece that the outlet took after it had pushed back. */
  get progress(): number {
    return this.taken
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
        this.taken++
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
        this.head = head
        if (head.source !== undefined && head.bytes.length === 0) {
          // What is there already is not kept waiting for what must be read first.
          if (parts.length > 0) break
          yield* this.fetch(head, head.source)
          continue
        }
        const part = head.bytes.subarray(0, wholeLines(head.bytes, room, parts.length === 0))
        if (part.length === 0) break
        parts.push(part)
        room -= part.length
        this.head = { ...head, bytes: head.bytes.subarray(part.length) }
        // What a source gave was never waiting.
        if (head.source === undefined) this.free(head, part.length)
      }
      this.count(pieceBytes - room, 0)
      return parts
    })
  }

  /** Frees so many bytes of the head, and its entry if those were the last. */
  private free({ bytes, kind, mark }: Entry, taken: number): void {
    const isWhole = taken === bytes.length
    if (isWhole) {
      this.head = undefined
      if (mark !== undefined) this.see(mark)
    }
    const freed = taken + (isWhole ? entryBytes[kind] : 0)
    this.waiting -= freed
    if (kind === "private") this.waitingPrivate -= freed
  }

  private see({ room, seq }: Mark): void {
    this.seen?.pass(room, seq)
  }

  /** Lets the head have what its source gives next, or go if that was all. */
  private fetch(head: Entry, source: NonNullable<Entry["source"]>): Effect.Effect<void> {
    this.fetching = true
    return Effect.map(source, (bytes) => {
      this.fetching = false
      if (bytes === undefined) this.free(head, 0)
      else this.head = { ...head, bytes }
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

  private enqueue({ bytes, kind, mark, source }: Entry): void {
    const cost = costOf({ bytes, kind })
    this.waiting += cost
    if (kind === "private") this.waitingPrivate += cost
    const entry = { bytes: kind === "shared" ? bytes : unpooled(bytes), kind }
    // Most have neither; whoever waits with many entries pays for no empty fields.
    Queue.unsafeOffer(this.queue, { ...entry, ...source && { source }, ...mark && { mark } })
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
    if (this.gap > 0) this.enqueue({ bytes: Buffer.from(this.skippedLine(this.gap, this.form)), kind: "own" })
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
