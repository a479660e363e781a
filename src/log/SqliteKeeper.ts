/**
 * Writes lines to the file. While it cannot, they wait in memory, and are written first when it can again. Knows no record
 * and no reader.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Line, Seq } from "../domain/Event.ts"
import { Lines } from "./Lines.ts"
import type { Condition, Kept } from "./MessageLog.ts"
import type * as SqliteThread from "./SqliteThread.ts"

/** How many bytes of lines may wait while the file cannot be written; then the oldest are given up. */
export const waitingBytes = 16 * 1_048_576

/** How often a file that could not be written is tried again. */
const retry = Duration.seconds(10)

// Some more than must go is given up, so that it is not done again for each line.
const slack = 1_048_576

/** Lines that were given, and are not in the file yet; in order. */
export class Waiting extends Lines {
  /** How many were given up. */
  lost = 0

  /** Gives up the oldest until no more wait than may. */
  giveUp(): void {
    if (this.bytes <= waitingBytes) return
    this.lost += this.removeFirst(this.surplus(waitingBytes - slack)).length
  }
}

const batchOf = ({ lines, nonces }: Kept, next: number): SqliteThread.Operations["append"][0] => {
  const rooms = new Map<string, [string, number, number]>()
  for (const { room, seq } of lines) {
    const known = rooms.get(room)
    rooms.set(room, [room, (known?.[1] ?? 0) + 1, seq])
  }
  const rows = lines.map(({ at, room, seq, text, who }) => [seq, room, at, who.address, who.name, text])
  const used = nonces.map(({ at, nonce, origin, seq }) => [nonce, seq, at, origin])
  return {
    lines: JSON.stringify(rows),
    nonces: used.length === 0 ? undefined : JSON.stringify(used),
    next,
    rooms: Array.from(rooms.values())
  }
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

    const write = (kept: Kept) => thread.ask("append", batchOf(kept, thread.next))

    const wait = (lines: ReadonlyArray<Line>) => {
      for (const line of lines) waiting.add(line)
      waiting.giveUp()
    }

    /** Writes what waits, oldest first, until nothing does. */
    const catchUp = Effect.gen(function*() {
      for (let some = waiting.first(500); some.length > 0; some = waiting.first(500)) {
        const last = some.at(-1)!.seq
        // Whoever is interrupted between would write them again.
        yield* Effect.uninterruptible(Effect.map(write({ lines: some, nonces: [] }), () => {
          // Some of them may have been given up meanwhile.
          waiting.removeFirst(waiting.before(Seq(last + 1)))
        }))
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
        // What appends cannot be interrupted; this must end with the scope.
        yield* Effect.forkIn(Effect.interruptible(recovers), scope)
      })

    // The nonces of what waits are known to this process only: whoever sends again after it was killed is heard twice then.
    const keep = (kept: Kept) =>
      Effect.suspend(() => {
        if (kept.lines.length === 0 && kept.nonces.length === 0) return Effect.void
        if (!writable) return Effect.sync(() => wait(kept.lines))
        return Effect.catchAll(write(kept), (error) => {
          wait(kept.lines)
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
