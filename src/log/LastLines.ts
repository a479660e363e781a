/** The last lines in memory, and reading from them as from a log. */
import * as Effect from "effect/Effect"
import * as Iterable from "effect/Iterable"
import { type Erasure, matcher } from "../domain/Erasure.ts"
import { type Line, Seq } from "../domain/Event.ts"
import { Lines } from "./Lines.ts"
import type { MessageLog } from "./MessageLog.ts"

// They go in steps: to take away one costs as much as to look at all.
const step = 0.1

// So many that are read of older lines later are remembered.
const fewErasures = 1000

/** What an operator took away, of all that was said before a place. */
export interface Erased {
  readonly erasure: Erasure
  readonly before: Seq
}

/** What was said, oldest first; nothing is missing behind the place `erased`, but what operators took away. */
export interface Said {
  readonly lines: ReadonlyArray<Line>
  readonly erased: Seq
  /** What of these lines, and of those before them, is to be taken away still. */
  readonly erasures?: ReadonlyArray<Erased>
}

export class LastLines extends Lines {
  /** Up to this place lines may be gone. */
  erased = Seq(0)
  /** How often lines were taken away. */
  erasedTimes = 0
  private erasures: ReadonlyArray<Erased> = []
  private readonly most: number
  private readonly mostBytes: number

  /** So many are remembered, if they take no more bytes than this. */
  constructor(most: number, mostBytes: number) {
    super()
    this.most = most
    this.mostBytes = mostBytes
  }

  addAll(lines: ReadonlyArray<Line>): void {
    for (const line of lines) this.add(line)
    this.trim()
  }

  /** Adds what was said before all of them. */
  addOlder({ erased, erasures = [], lines }: Said): void {
    this.erased = erased
    for (const one of erasures) this.erase(one)
    const isErased = this.erasures.map(({ before, erasure }) => {
      const isOne = matcher(erasure)
      return (line: Line) => line.seq < before && isOne(line)
    })
    this.addFirst(lines.filter((line) => !isErased.some((isOne) => isOne(line))))
    this.trim()
  }

  /** Takes away what was said before a place, also of what is added as older; says how many lines were there. */
  erase(erased: Erased): number {
    this.erasures = [...this.erasures, erased].slice(-fewErasures)
    this.erasedTimes++
    const isOne = matcher(erased.erasure)
    return this.removeWhere((line) => line.seq < erased.before && isOne(line))
  }

  get hasRoom(): boolean {
    return this.size < this.most && this.bytes < (1 - step) * this.mostBytes
  }

  /** The last page of lines before a place. */
  pageBefore(before: Seq): Said {
    const lines = this.lastPage(before)
    const [first] = lines
    return { lines, erased: first === undefined ? this.erased : Seq(Math.max(this.erased, first.seq - 1)) }
  }

  private trim(): void {
    const isFull = this.size >= (1 + step) * this.most || this.bytes > this.mostBytes
    const surplus = isFull ? Math.max(this.size - this.most, this.surplus((1 - step) * this.mostBytes)) : 0
    if (surplus > 0) this.erased = this.removeFirst(surplus).at(-1)!.seq
  }

  /** None of what was said before this place is there any more. */
  clear(erased: Seq): void {
    this.removeFirst(this.size)
    this.erased = erased
  }
}

/** How they are read, in the words of the log. */
export const readingOf = (
  lines: LastLines
): Pick<typeof MessageLog.Service, "startOf" | "count" | "erased" | "read" | "erasures"> => ({
  startOf: (room, before, count) =>
    Effect.sync(() => {
      let start = before
      for (const { seq } of Iterable.take(lines.backwards(room, before), count)) start = seq
      return start
    }),
  count: (room, from, before, limit) => Effect.sync(() => lines.count(room, from, before, limit)),
  erased: () => Effect.sync(() => lines.erased),
  read: (room, from, before) => Effect.sync(() => lines.page(room, from, before)),
  erasures: () => lines.erasedTimes
})
