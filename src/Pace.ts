/** How fast one connection may go on: the generic cell rate algorithm (ITU-T I.371), which needs one number a connection. */

// In ms; who owes more than this beyond its burst, owes it to a clock that was set back.
const mostCharged = 10_000

/** Lets `burst` pass at once and `rate` a second after that; a rate of 0 lets everything pass. */
export class Pace {
  /** When, in ms, the connection would have paid off all that it had. */
  private paid = 0
  private readonly interval: number
  private readonly tolerance: number

  constructor(rate: number, burst: number) {
    this.interval = rate === 0 ? 0 : 1000 / rate
    this.tolerance = this.interval * (burst - 1)
  }

  /** Whether a line at the time `now`, in ms, may be carried out without waiting. */
  isOpen(now: number): boolean {
    return this.debt(now) <= this.tolerance
  }

  /** Takes one line at the time `now`, in ms, and says for how many ms to wait before it is carried out. */
  take(now: number): number {
    const debt = this.debt(now)
    this.paid = now + debt + this.interval
    return Math.max(0, debt - this.tolerance)
  }

  /** Has the connection pay for so many lines more, before its next one. */
  charge(lines: number): void {
    this.paid += lines * this.interval
  }

  private debt(now: number): number {
    return Math.max(0, Math.min(this.paid - now, this.tolerance + this.interval + mostCharged))
  }
}
