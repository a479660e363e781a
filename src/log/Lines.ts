/** Lines in memory, in order, found by their place. Knows no engine. */
import type { Line, Seq } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"
import { pageBytes, pageLines } from "./MessageLog.ts"

// What a line costs beside its text.
const lineBytes = 256

const sizeOf = ({ text }: Line) => lineBytes + 2 * text.length

export class Lines {
  private lines: Array<Line> = []
  private held = 0

  get size(): number {
    return this.lines.length
  }

  /** How many bytes they take, at most. */
  get bytes(): number {
    return this.held
  }

  /** Adds a line behind all others. */
  add(line: Line): void {
    this.lines.push(line)
    this.held += sizeOf(line)
  }

  /** The first so many of them. */
  first(count: number): ReadonlyArray<Line> {
    return this.lines.slice(0, count)
  }

  /** Adds those of these lines that stand before all others. */
  addFirst(lines: ReadonlyArray<Line>): void {
    const [first] = this.lines
    const older = first === undefined ? lines : lines.filter(({ seq }) => seq < first.seq)
    this.lines = [...older, ...this.lines]
    for (const line of older) this.held += sizeOf(line)
  }

  /** Takes away the first so many, and gives them. Costs as much as what stays. */
  removeFirst(count: number): ReadonlyArray<Line> {
    const removed = this.lines.slice(0, count)
    this.lines = this.lines.slice(count)
    for (const line of removed) this.held -= sizeOf(line)
    return removed
  }

  /** Takes away those of which this holds, and says how many they were. Costs as much as to look at all. */
  removeWhere(isGone: (line: Line) => boolean): number {
    const { length } = this.lines
    this.lines = this.lines.filter((line) => {
      if (!isGone(line)) return true
      this.held -= sizeOf(line)
      return false
    })
    return length - this.lines.length
  }

  /** How many of the first must go for the rest to take no more than so many bytes. */
  surplus(bytes: number): number {
    let left = this.held
    let count = 0
    while (left > bytes) left -= sizeOf(this.lines[count++]!)
    return count
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
  *backwards(room: NameKey, before: Seq): Generator<Line> {
    for (let index = this.before(before) - 1; index >= 0; index--) {
      if (this.lines[index]!.room === room) yield this.lines[index]!
    }
  }

  /** See `MessageLog.count`. */
  count(room: NameKey, from: Seq, before: Seq, limit: number): number {
    let count = 0
    for (const { seq } of this.backwards(room, before)) {
      if (seq < from || count === limit) break
      count++
    }
    return count
  }

  /** The last lines of all rooms before a place, in order; none only if there are none. Bounded as a page of a room is. */
  lastPage(before: Seq): ReadonlyArray<Line> {
    const end = this.before(before)
    let begin = end
    for (let units = 0; begin > 0 && end - begin < pageLines; begin--) {
      units += this.lines[begin - 1]!.text.length
      if (begin < end && units > pageBytes) break
    }
    return this.lines.slice(begin, end)
  }

  /** See `MessageLog.read`. */
  page(room: NameKey, from: Seq, before: Seq): ReadonlyArray<Line> {
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
