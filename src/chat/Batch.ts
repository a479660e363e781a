/**
 * The events of one turn, made into bytes: one buffer that all users share, and for those with something of their own
 * in it a way through it. Plain code without effects; what it costs is linear in the events plus the users.
 */
import { type Delivery, type Share, share } from "./Delivery.ts"
import type { User } from "./User.ts"

/** A place between two lines of the shared buffer. */
interface Place {
  readonly bytes: number
  readonly lines: number
}

/** The way of one user through the batch: from where on it reads along, and what comes in between. */
interface Way {
  from: Place
  readonly stops: Array<{ readonly from: Place; readonly to: Place; readonly reply: Delivery | undefined }>
  open: boolean
}

const start: Place = { bytes: 0, lines: 0 }

export class Batch {
  private readonly segments: Array<Buffer> = []
  private segmentBytes = 0
  /** Lines that are not yet in a segment: encoding many at once is what makes them cheap. */
  private text = ""
  private lines = 0
  private privateBytes = 0
  private readonly ways = new Map<User, Way>()
  private readonly members: Set<User>

  /** `members`: who reads along; `join` and `part` change it. */
  constructor(members: Set<User>) {
    this.members = members
  }

  /** How much is in it, in bytes, roughly: a character counts as one. */
  get size(): number {
    return this.segmentBytes + this.text.length + this.privateBytes
  }

  /** How many lines for everyone are in it. */
  get broadcasts(): number {
    return this.lines
  }

  /** A line for everyone who is a member at this place. */
  everyone(line: string): void {
    this.text += line
    this.lines++
  }

  /** Lines for one user at this place, if it is a member. */
  one(user: User, delivery: Delivery): void {
    if (!this.members.has(user)) return
    // Own replies have their own limit; but a crowd may write to one user.
    if (delivery.kind === "private") this.privateBytes += delivery.bytes.length
    const way = this.wayOf(user)
    const here = this.here()
    way.stops.push({ from: way.from, to: here, reply: delivery })
    way.from = here
  }

  /** From here on `user` reads along. */
  join(user: User): void {
    this.members.add(user)
    this.ways.set(user, { from: this.here(), stops: [], open: true })
  }

  /** From here on `user` does not. Says whether it did. */
  part(user: User): boolean {
    if (!this.members.delete(user)) return false
    const way = this.wayOf(user)
    way.stops.push({ from: way.from, to: this.here(), reply: undefined })
    way.open = false
    return true
  }

  /** From here on nobody does. */
  partAll(): void {
    for (const user of this.members) this.part(user)
  }

  /** Ends the batch, and calls `give` once for everybody who gets something. */
  give(give: (user: User, share: Share) => void): void {
    const end = this.here()
    // In memory of its own, not of Node's pool: it may wait long in the channels that share it.
    const whole = Buffer.allocUnsafeSlow(end.bytes)
    this.segments.reduce((at, segment) => at + segment.copy(whole, at), 0)
    const delivery = (from: Place, to: Place): Delivery => ({
      bytes: whole.subarray(from.bytes, to.bytes),
      lines: to.lines - from.lines,
      kind: "shared",
      promised: false
    })
    for (const [user, way] of this.ways) {
      const deliveries: Array<Delivery> = []
      const stops = way.open ? [...way.stops, { from: way.from, to: end, reply: undefined }] : way.stops
      for (const { from, reply, to } of stops) {
        if (to.bytes > from.bytes) deliveries.push(delivery(from, to))
        if (reply !== undefined) deliveries.push(reply)
      }
      if (deliveries.length > 0) give(user, share(deliveries))
    }
    if (whole.length === 0) return
    const shared = share([delivery(start, end)])
    if (this.ways.size === 0) { for (const user of this.members) give(user, shared) }
    else for (const user of this.members) if (!this.ways.has(user)) give(user, shared)
  }

  private wayOf(user: User): Way {
    let way = this.ways.get(user)
    if (way === undefined) this.ways.set(user, way = { from: start, stops: [], open: true })
    return way
  }

  private here(): Place {
    if (this.text !== "") {
      const segment = Buffer.from(this.text)
      this.segments.push(segment)
      this.segmentBytes += segment.length
      this.text = ""
    }
    return { bytes: this.segmentBytes, lines: this.lines }
  }
}
