/** Lines in memory, in order, found by their place. Knows no engine. */
import type { Line, Seq } from "../domain/Event.ts"
import type { Room } from "../domain/Room.ts"
import { pageBytes, pageLines } from "./MessageLog.ts"

export class Lines {
  private lines: Array<Line> = []

  get size(): number {
    return this.lines.length
  }

  /** Adds a line behind all others. */
  add(line: Line): void {
    this.lines.push(line)
  }

  /** The first so many of them. */
  first(count: number): ReadonlyArray<Line> {
    return this.lines.slice(0, count)
  }

  /** Takes away the first so many, and gives them. Costs as much as what stays. */
  removeFirst(count: number): ReadonlyArray<Line> {
    const removed = this.lines.slice(0, count)
    this.lines = this.lines.slice(count)
    return removed
  }

  /** How many stand before this place. */
  before(seq: Seq): number {
    let [low, high] = [0, this.lines.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.lines[middle]!.seq < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The last lines of a room before a place, the newest first. */
  *backwards(room: Room, before: Seq): Generator<Line> {
    for (let index = this.before(before) - 1; index >= 0; index--) {
      if (this.lines[index]!.room === room) yield this.lines[index]!
    }
  }

  /** See `MessageLog.read`. */
  page(room: Room, from: Seq, before: Seq): ReadonlyArray<Line> {
    const page: Array<Line> = []
    let bytes = 0
    for (let index = this.before(from); index < this.lines.length && this.lines[index]!.seq < before; index++) {
      const line = this.lines[index]!
      if (line.room !== room) continue
      bytes += line.text.length
      if (page.length > 0 && (page.length === pageLines || bytes > pageBytes)) break
      page.push(line)
    }
    return page
  }
}
