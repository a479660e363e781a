/**
 * Writes lines to the file. While it cannot, they wait in memory, and are written first when it can again. Knows no record
 * and no reader.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Line, Seq } from "../domain/Event.ts"
import { Lines } from "./Lines.ts"
import type { Condition } from "./MessageLog.ts"
import type * as SqliteThread from "./SqliteThread.ts"

/** How many bytes of lines may wait while the file cannot be written; then the oldest are given up. */
export const waitingBytes = 16 * 1_048_576

/** How often a file that could not be written is tried again. */
const retry = Duration.seconds(10)

// What a line costs beside its text.
const lineBytes = 256

const slack = 1_048_576

const sizeOf = ({ text }: Line) => lineBytes + 2 * text.length

/** Lines that were given, and are not in the file yet; in order. */
export class Waiting extends Lines {
  private bytes = 0
  /** How many were given up. */
  lost = 0

  override add(line: Line): void {
    super.add(line)
    this.bytes += sizeOf(line)
  }

  override removeFirst(count: number): ReadonlyArray<Line> {
    const removed = super.removeFirst(count)
    for (const line of removed) this.bytes -= sizeOf(line)
    return removed
  }

  /** Gives up the oldest until no more wait than may. */
  giveUp(): void {
    if (this.bytes <= waitingBytes) return
    let bytes = this.bytes
    let count = 0
    for (const line of this.first(this.size)) {
      // Some more than must go, so that it is not done again for each line.
      if (bytes <= waitingBytes - slack) break
      bytes -= sizeOf(line)
      count++
    }
    this.removeFirst(count)
    this.lost += count
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

    const wait = (lines: ReadonlyArray<Line>) => {
      for (const line of lines) waiting.add(line)
      waiting.giveUp()
    }

    /** Writes what waits, oldest first, until nothing does. */
    const catchUp = Effect.gen(function*() {
      for (let some = waiting.first(500); some.length > 0; some = waiting.first(500)) {
        yield* write(some)
        // Some of them may have been given up meanwhile.
        waiting.removeFirst(waiting.before(Seq(some.at(-1)!.seq + 1)))
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
        if (!writable) return Effect.sync(() => wait(lines))
        return Effect.catchAll(write(lines), (error) => {
          wait(lines)
          return fails(error)
        })
      })

    yield* Effect.addFinalizer(() =>
      Effect.catchAll(
        catchUp,
        () => Effect.logError(`${waiting.size + waiting.lost} lines could not be kept`)
      )
    )

    return { keep, waiting }
  })
