/** The log and the registry of a server that keeps nothing: they end with the process. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Line, Seq, type Stored } from "../domain/Event.ts"
import { type Follower, linesOf, MessageLog, pageBytes, pageLines } from "./MessageLog.ts"
import { type Held, Registry } from "./Registry.ts"

/** So many of the last lines are remembered. */
export const rememberedLines = 10_000

const step = 1000

const makeLog = (clock: Clock.Clock): typeof MessageLog.Service => {
  let follower: Follower | undefined
  let next = 1
  let at = 0
  let lines: Array<Line> = []
  const find = (seq: Seq) => {
    let [low, high] = [0, lines.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (lines[middle]!.seq < seq) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    start: Seq(0),
    append: (events) =>
      Effect.suspend(() => {
        at = Math.max(at, clock.unsafeCurrentTimeMillis())
        const stored: Stored = { seq: Seq(next), at, events }
        next += events.length
        for (const line of linesOf(stored)) lines.push(line)
        // In steps: a shift for each line would move all of them.
        if (lines.length > rememberedLines + step) lines = lines.slice(-rememberedLines)
        return follower?.take(stored) ?? Effect.void
      }),
    follow: (by) => {
      follower = by
    },
    startOf: (room, before, count) =>
      Effect.sync(() => {
        let start = before
        let found = 0
        const oldest = Math.max(0, lines.length - rememberedLines)
        for (let i = find(before) - 1; i >= oldest && found < count; i--) {
          if (lines[i]!.room !== room) continue
          start = lines[i]!.seq
          found++
        }
        return start
      }),
    read: (room, from, before) =>
      Effect.sync(() => {
        const page: Array<Line> = []
        let bytes = 0
        for (let i = find(from); i < lines.length && lines[i]!.seq < before; i++) {
          const line = lines[i]!
          if (line.room !== room) continue
          bytes += line.text.length
          if (page.length > 0 && (page.length === pageLines || bytes > pageBytes)) break
          page.push(line)
        }
        return page
      }),
    running: Effect.never
  }
}

const makeRegistry = (): typeof Registry.Service => {
  const values = new Map<string, Held>()
  let versions = 0
  return {
    get: (key) => Effect.sync(() => values.get(key)),
    put: (key, value, before) =>
      Effect.sync(() => {
        if (values.get(key)?.version !== before) return false
        values.set(key, { key, value, version: ++versions })
        return true
      }),
    remove: (key, before) => Effect.sync(() => values.get(key)?.version === before && values.delete(key)),
    list: (prefix, limit) =>
      Effect.sync(() =>
        Array.from(values.values())
          .filter(({ key }) => key.startsWith(prefix))
          .toSorted((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)))
          .slice(0, limit)
      )
  }
}

export const layer: Layer.Layer<MessageLog | Registry> = Layer.effectContext(
  Effect.clockWith((clock) =>
    Effect.sync(() => Context.make(MessageLog, makeLog(clock)).pipe(Context.add(Registry, makeRegistry())))
  )
)
