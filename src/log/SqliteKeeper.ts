/**
 * Writes lines to the file. While it cannot, they wait in memory, and are written first when it can again. Knows no record
 * and no reader.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Line, Seq } from "../domain/Event.ts"
import type { Condition } from "./MessageLog.ts"
import type * as SqliteThread from "./SqliteThread.ts"

/** How many bytes of lines may wait while the file cannot be written; then the oldest are given up. */
export const waitingBytes = 16 * 1_048_576

/** How often a file that could not be written is tried again. */
const retry = Duration.seconds(10)

// What a line costs beside its text.
const lineBytes = 256

const sizeOf = ({ text }: Line) => lineBytes + 2 * text.length

/** Lines that were given, and are not in the file yet; in order. */
export class Waiting {
  lines: Array<Line> = []
  private bytes = 0
  /** How many were given up. */
  lost = 0

  add(lines: ReadonlyArray<Line>): void {
    for (const line of lines) {
      this.lines.push(line)
      this.bytes += sizeOf(line)
    }
    let dropped = 0
    while (this.bytes > waitingBytes) this.bytes -= sizeOf(this.lines[dropped++]!)
    if (dropped > 0) this.lines = this.lines.slice(dropped)
    this.lost += dropped
  }

  /** Takes away what was written by now: all lines up to this one. */
  removeUpTo(seq: Seq): void {
    const kept = this.lines.findIndex((line) => line.seq > seq)
    const gone = this.lines.slice(0, kept < 0 ? undefined : kept)
    this.lines = this.lines.slice(gone.length)
    for (const line of gone) this.bytes -= sizeOf(line)
  }
}

const batchOf = (lines: ReadonlyArray<Line>, next: number): SqliteThread.Operations["append"][0] => {
  const rooms = new Map<string, [string, number, number]>()
  for (const { room, seq } of lines) {
    const known = rooms.get(room)
    rooms.set(room, [room, (known?.[1] ?? 0) + 1, seq])
  }
  const rows = lines.map(({ at, room, seq, text, who }) => [seq, room, at, who.address, who.name, text])
  return { json: JSON.stringify(rows), next, rooms: Array.from(rooms.values()) }
}

/**
 * What keeps lines, in order; each time it ends when they are in the file, or wait. `changed` is told when the file cannot be
 * written any more, and when it can again. At the end of the scope what waits is tried once more.
 */
export const make = (thread: SqliteThread.SqliteThread, changed: (condition: Condition) => void) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const waiting = new Waiting()
    let writable = true

    const write = (lines: ReadonlyArray<Line>) => thread.ask("append", batchOf(lines, thread.next))

    /** Writes what waits, oldest first, until nothing does. */
    const catchUp = Effect.gen(function*() {
      while (waiting.lines.length > 0) {
        const some = waiting.lines.slice(0, 500)
        yield* write(some)
        waiting.removeUpTo(some.at(-1)!.seq)
      }
      // In the same step as the look: what is said next is behind all that waited.
      writable = true
    })

    const recovers = Effect.gen(function*() {
      yield* Effect.retry(Effect.delay(catchUp, retry), { while: () => true })
      yield* Effect.logInfo("what is said is kept again")
      changed({ _tag: "KeepingWorks", lost: waiting.lost })
      waiting.lost = 0
    })

    const fails = ({ message }: SqliteThread.SqliteError) =>
      Effect.gen(function*() {
        writable = false
        yield* Effect.logError(`what is said cannot be kept: ${message}`)
        changed({ _tag: "KeepingFails" })
        yield* Effect.forkIn(recovers, scope)
      })

    const keep = (lines: ReadonlyArray<Line>) =>
      Effect.suspend(() => {
        if (lines.length === 0) return Effect.void
        if (!writable) return Effect.sync(() => waiting.add(lines))
        return Effect.catchAll(write(lines), (error) => {
          waiting.add(lines)
          return fails(error)
        })
      })

    yield* Effect.addFinalizer(() =>
      Effect.catchAll(
        catchUp,
        () => Effect.logError(`${waiting.lines.length + waiting.lost} lines could not be kept`)
      )
    )

    return { keep, waiting }
  })
