/** How fast somebody may go on: the generic cell rate algorithm (ITU-T I.371), which needs one number each. */

/**
 * Lets `burst` lines pass at once and `rate` a second after that; a rate of 0 lets everything pass. What costs more than
 * one line passes as soon as one line may, and is paid off before the next. Times are in ms, on a clock that never jumps.
 */
export class Pace {
  /** When all that has passed will be paid off. */
  private paid = -Infinity
  private readonly interval: number
  private readonly tolerance: number

  constructor(rate: number, burst: number) {
    this.interval = rate === 0 ? 0 : 1000 / rate
    this.tolerance = this.interval * (burst - 1)
  }

  /** Whether a line at the time `now` may pass without waiting. */
  isOpen(now: number): boolean {
    return this.paid - now <= this.tolerance
  }

  /** Whether nothing is owed at the time `now`. */
  isPaid(now: number): boolean {
    return this.paid <= now
  }

  /** Takes so many lines at the time `now`, and says for how many ms to wait before they pass. */
  take(now: number, lines = 1): number {
    const wait = Math.max(0, this.paid - now - this.tolerance)
    this.paid = Math.max(this.paid, now) + lines * this.interval
    return wait
  }

  /** Takes a line that passes at the time `now` or never. `false`: it does not, and nothing is owed for it. */
  tryTake(now: number): boolean {
    const isOpen = this.isOpen(now)
    if (isOpen) this.take(now)
    return isOpen
  }

  /** Gives back lines that were taken, and did not pass. */
  giveBack(lines: number): void {
    this.paid -= lines * this.interval
  }
}
