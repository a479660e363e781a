/** A visit: the user, and the paces that its connection, and its address, may go on with. */
import type { Pace } from "./Pace.ts"
import type { User } from "./User.ts"

export class Visit {
  readonly user: User
  private readonly paces: ReadonlyArray<Pace>
  /** Whether the line that is carried out had to wait for its pace. */
  waited = false

  constructor(user: User, ...paces: ReadonlyArray<Pace>) {
    this.user = user
    this.paces = paces
  }

  /** Whether a line may pass without waiting, at the time `now` in ms. */
  isOpen(now: number): boolean {
    return this.paces.every((pace) => pace.isOpen(now))
  }

  /** Takes so many lines, and says for how many ms to wait before they pass. */
  pay(now: number, lines: number): number {
    return this.paces.reduce((longest, pace) => Math.max(longest, pace.take(now, lines)), 0)
  }

  giveBack(lines: number): void {
    for (const pace of this.paces) pace.giveBack(lines)
  }
}
