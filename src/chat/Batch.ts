/**
 * The events of one turn, made into bytes: one buffer that all users share, and for those with something of their own
 * in it a plan through it. Plain code without effects; what it costs is linear in the events plus the users.
 */
import { type Delivery, type Share, share } from "./Delivery.ts"
import type { User } from "./User.ts"

/** A place between two lines of the shared buffer. */
interface Offset {
  readonly bytes: number
  readonly lines: number
}

/** How one user reads the batch: from where on, and what comes in between. */
interface ReadPlan {
  from: Offset
  readonly cuts: Array<{ readonly from: Offset; readonly to: Offset; readonly reply: Delivery | undefined }>
  open: boolean
}

const start: Offset = { bytes: 0, lines: 0 }

export class Batch {
  private readonly segments: Array<Buffer> = []
  private segmentBytes = 0
  /** Lines that are not yet in a segment: encoding many at once is what makes them cheap. */
  private text = ""
  private lines = 0
  private privateBytes = 0
  private readonly plans = new Map<User, ReadPlan>()
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
    const plan = this.planOf(user)
    const offset = this.offset()
    plan.cuts.push({ from: plan.from, to: offset, reply: delivery })
    plan.from = offset
  }

  /** From here on `user` reads along. */
  join(user: User): void {
    this.members.add(user)
    this.plans.set(user, { from: this.offset(), cuts: [], open: true })
  }

  /** From here on `user` does not. Says whether it did. */
  part(user: User): boolean {
    if (!this.members.delete(user)) return false
    const plan = this.planOf(user)
    plan.cuts.push({ from: plan.from, to: this.offset(), reply: undefined })
    plan.open = false
    return true
  }

  /** From here on nobody does. */
  partAll(): void {
    for (const user of this.members) this.part(user)
  }

  /** Ends the batch, and calls `deliver` once for everybody who gets something. */
  flush(deliver: (user: User, share: Share) => void): void {
    const end = this.offset()
    // In memory of its own, not of Node's pool: it may wait long in the channels that share it.
    const whole = Buffer.allocUnsafeSlow(end.bytes)
    this.segments.reduce((at, segment) => at + segment.copy(whole, at), 0)
    const delivery = (from: Offset, to: Offset): Delivery => ({
      bytes: whole.subarray(from.bytes, to.bytes),
      lines: to.lines - from.lines,
      kind: "shared",
      promised: false
    })
    for (const [user, plan] of this.plans) {
      const deliveries: Array<Delivery> = []
      const cuts = plan.open ? [...plan.cuts, { from: plan.from, to: end, reply: undefined }] : plan.cuts
      for (const { from, reply, to } of cuts) {
        if (to.bytes > from.bytes) deliveries.push(delivery(from, to))
        if (reply !== undefined) deliveries.push(reply)
      }
      if (deliveries.length > 0) deliver(user, share(deliveries))
    }
    if (whole.length === 0) return
    const shared = share([delivery(start, end)])
    if (this.plans.size === 0) { for (const user of this.members) deliver(user, shared) }
    else for (const user of this.members) if (!this.plans.has(user)) deliver(user, shared)
  }

  private planOf(user: User): ReadPlan {
    let plan = this.plans.get(user)
    if (plan === undefined) this.plans.set(user, plan = { from: start, cuts: [], open: true })
    return plan
  }

  private offset(): Offset {
    if (this.text !== "") {
      const segment = Buffer.from(this.text)
      this.segments.push(segment)
      this.segmentBytes += segment.length
      this.text = ""
    }
    return { bytes: this.segmentBytes, lines: this.lines }
  }
}
