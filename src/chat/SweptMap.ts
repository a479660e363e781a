/** A map that forgets what is spent, so that strangers cannot fill it for ever. Plain code; times are in ms. */

// What is spent is looked for when so many keys are known.
const fewKeys = 1024

export class SweptMap<Value> {
  private readonly values = new Map<string, Value>()
  private readonly isSpent: (value: Value, now: number) => boolean
  private manyKeys = fewKeys

  /** `isSpent`: whether a value makes no difference any more at a time. */
  constructor(isSpent: (value: Value, now: number) => boolean) {
    this.isSpent = isSpent
  }

  get(key: string): Value | undefined {
    return this.values.get(key)
  }

  /** Looks for what is spent at the time `now` first, if twice as much may be there as was left after the last look. */
  set(key: string, value: Value, now: number): void {
    if (this.values.size >= this.manyKeys) this.sweep(now)
    this.values.set(key, value)
  }

  delete(key: string): void {
    this.values.delete(key)
  }

  /** How many keys are known. */
  get size(): number {
    return this.values.size
  }

  private sweep(now: number): void {
    for (const [key, value] of this.values) if (this.isSpent(value, now)) this.values.delete(key)
    this.manyKeys = Math.max(fewKeys, 2 * this.values.size)
  }
}
