/** So many in a period, for each of many keys. Plain code; times are in ms, on a clock that never jumps. */
import { SweptMap } from "./SweptMap.ts"

export class Quota {
  private readonly taken = new SweptMap<ReadonlyArray<number>>((taken, now) => this.recentOf(taken, now).length === 0)
  private readonly count: number
  private readonly period: number

  constructor(count: number, period: number) {
    this.count = count
    this.period = period
  }

  /** Whether one more may be taken for this key. */
  isOpen(key: string, now: number): boolean {
    return this.recent(key, now).length < this.count
  }

  /** Takes one, whether it may be taken or not. */
  take(key: string, now: number): void {
    // More than is counted makes no difference.
    this.taken.set(key, [...this.recent(key, now), now].slice(-this.count), now)
  }

  /** How many keys are known. */
  get size(): number {
    return this.taken.size
  }

  private recent(key: string, now: number): ReadonlyArray<number> {
    return this.recentOf(this.taken.get(key) ?? [], now)
  }

  private recentOf(taken: ReadonlyArray<number>, now: number): ReadonlyArray<number> {
    return taken.filter((at) => now - at < this.period)
  }
}

export const hour = 3_600_000
export const day = 24 * hour
