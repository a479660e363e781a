/** So many in a period, for each of many keys. Plain code; times are in ms, on a clock that never jumps. */

// What is out of date is looked for when so many keys are known.
const fewKeys = 1024

export class Quota {
  private readonly taken = new Map<string, ReadonlyArray<number>>()
  private manyKeys = fewKeys
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
    if (this.taken.size >= this.manyKeys) this.forget(now)
    // More than is counted makes no difference.
    this.taken.set(key, [...this.recent(key, now), now].slice(-this.count))
  }

  /** How many keys are known. */
  get size(): number {
    return this.taken.size
  }

  private recent(key: string, now: number): ReadonlyArray<number> {
    return (this.taken.get(key) ?? []).filter((at) => now - at < this.period)
  }

  private forget(now: number): void {
    for (const key of this.taken.keys()) if (this.recent(key, now).length === 0) this.taken.delete(key)
    this.manyKeys = Math.max(fewKeys, 2 * this.taken.size)
  }
}

export const hour = 3_600_000
export const day = 24 * hour
