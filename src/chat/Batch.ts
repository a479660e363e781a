/**
 * What happens in one go, made into bytes: for each circle one buffer that all its users share, and for those with something
 * of their own in between a plan through the buffers. Plain code without effects; what it costs is linear in the events
 * plus the users.
 */
import { Seq } from "../domain/Event.ts"
import { type Delivery, type Share, share } from "./Delivery.ts"
import type { Circle, User } from "./User.ts"

/** A place between two lines of a circle's buffer, and what was said last before it. */
interface Offset {
  readonly bytes: number
  readonly lines: number
  readonly said: Seq
}

/** From one place of a buffer to another; and what comes behind that. */
interface Cut {
  readonly page: Page
  readonly from: Offset
  readonly to: Offset
  readonly reply: Delivery | undefined
}

/** How one user reads the batch: what it has read so far, and where it goes on. */
interface ReadPlan {
  readonly cuts: Array<Cut>
  page: Page | undefined
  from: Offset
}

const start: Offset = { bytes: 0, lines: 0, said: Seq(0) }

/** What one circle is told. */
class Page {
  private readonly segments: Array<Buffer> = []
  private segmentBytes = 0
  /** Lines that are not yet in a segment: encoding many at once is what makes them cheap. */
  private text = ""
  private lines = 0
  private said = Seq(0)
  private whole: Buffer | undefined
  private readonly circle: Circle

  constructor(circle: Circle) {
    this.circle = circle
  }

  add(line: string, seq: Seq | undefined): void {
    this.text += line
    this.lines++
    if (seq !== undefined) this.said = seq
  }

  offset(): Offset {
    if (this.text !== "") {
      // In memory of its own, not of Node's pool: it may wait long in the channels that share it.
      const segment = Buffer.allocUnsafeSlow(Buffer.byteLength(this.text))
      segment.write(this.text)
      this.segments.push(segment)
      this.segmentBytes += segment.length
      this.text = ""
    }
    return { bytes: this.segmentBytes, lines: this.lines, said: this.said }
  }

  /** What stands between two places; nothing is added any more. */
  delivery(from: Offset, to: Offset): Delivery {
    const delivery = {
      bytes: this.bytes.subarray(from.bytes, to.bytes),
      lines: to.lines - from.lines,
      kind: "shared",
      promised: false
    } as const
    return to.said > from.said ? { ...delivery, mark: { room: this.circle.room.key, seq: to.said } } : delivery
  }

  private get bytes(): Buffer {
    if (this.whole !== undefined) return this.whole
    const [only, ...others] = this.segments
    if (only !== undefined && others.length === 0) return this.whole = only
    const whole = Buffer.allocUnsafeSlow(this.segmentBytes)
    this.segments.reduce((at, segment) => at + segment.copy(whole, at), 0)
    return this.whole = whole
  }
}

export class Batch {
  private readonly pages = new Map<Circle, Page>()
  private readonly plans = new Map<User, ReadPlan>()
  private bytes = 0
  private lines = 0

  /** How much is in it, in bytes, roughly: a character counts as one. */
  get size(): number {
    return this.bytes
  }

  /** How many lines for a whole circle are in it. */
  get broadcasts(): number {
    return this.lines
  }

  /**
   * A line for everyone who is in the circle at this place, but for some. `seq`: its place in the log, if it was said. Once
   * in a circle's turn somebody is left out, the line costs as much as those who are.
   */
  tell(circle: Circle, line: string, seq?: Seq, but?: ReadonlyArray<User>): void {
    const page = this.pageOf(circle)
    const before = but?.map((user) => this.pause(user, undefined))
    page.add(line, seq)
    before?.forEach((plan) => {
      if (plan.page !== undefined) plan.from = plan.page.offset()
    })
    this.bytes += line.length
    this.lines++
  }

  /** Lines for one user at this place, if it is in a circle. */
  one(user: User, delivery: Delivery): void {
    if (user.circle === undefined) return
    // Own replies have their own limit; but a crowd may write to one user.
    if (delivery.kind === "private") this.bytes += delivery.bytes.length
    this.pause(user, delivery)
  }

  /** From here on the user reads with this circle, and with no other; `undefined`: it reads nothing. */
  move(user: User, circle: Circle | undefined): void {
    const plan = this.pause(user, undefined)
    user.circle?.users.delete(user)
    user.circle = circle
    circle?.users.add(user)
    plan.page = circle && this.pageOf(circle)
    plan.from = plan.page?.offset() ?? start
  }

  /** Ends the batch, and calls `deliver` once for everybody who gets something. */
  flush(deliver: (user: User, share: Share) => void): void {
    // All text is in a segment before the first piece is cut out.
    for (const page of this.pages.values()) page.offset()
    for (const [user, { cuts, from, page }] of this.plans) {
      const deliveries: Array<Delivery> = []
      const last = page === undefined ? [] : [{ page, from, to: page.offset(), reply: undefined }]
      for (const { from, page, reply, to } of [...cuts, ...last]) {
        if (to.bytes > from.bytes) deliveries.push(page.delivery(from, to))
        if (reply !== undefined) deliveries.push(reply)
      }
      if (deliveries.length > 0) deliver(user, share(deliveries))
    }
    for (const [{ users }, page] of this.pages) {
      const end = page.offset()
      if (end.bytes === 0 || users.size === 0) continue
      const shared = share([page.delivery(start, end)])
      if (this.plans.size === 0) { for (const user of users) deliver(user, shared) }
      else for (const user of users) if (!this.plans.has(user)) deliver(user, shared)
    }
  }

  /** Notes how far the user has read, and what it is told there. */
  private pause(user: User, reply: Delivery | undefined): ReadPlan {
    let plan = this.plans.get(user)
    if (plan === undefined) {
      plan = { cuts: [], page: user.circle && this.pageOf(user.circle), from: start }
      this.plans.set(user, plan)
    }
    if (plan.page !== undefined) {
      const offset = plan.page.offset()
      plan.cuts.push({ page: plan.page, from: plan.from, to: offset, reply })
      plan.from = offset
    }
    return plan
  }

  private pageOf(circle: Circle): Page {
    let page = this.pages.get(circle)
    if (page === undefined) this.pages.set(circle, page = new Page(circle))
    return page
  }
}
