/** The log and the registry of a server that keeps nothing: they end with the process. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Iterable from "effect/Iterable"
import * as Layer from "effect/Layer"
import { Seq, type Stored } from "../domain/Event.ts"
import { Lines } from "./Lines.ts"
import { type Follower, linesOf, MessageLog } from "./MessageLog.ts"
import { type Held, Registry } from "./Registry.ts"

/** So many of the last lines are remembered, at least. */
export const rememberedLines = 10_000

// They go in steps: to take away one costs as much as to look at all.
const step = 1000

const makeLog = (clock: Clock.Clock): typeof MessageLog.Service => {
  const lines = new Lines()
  let follower: Follower | undefined
  let next = 1
  let at = 0
  return {
    start: Seq(0),
    append: (events) =>
      Effect.suspend(() => {
        at = Math.max(at, clock.unsafeCurrentTimeMillis())
        const stored: Stored = { seq: Seq(next), at, events }
        next += events.length
        for (const line of linesOf(stored)) lines.add(line)
        if (lines.size >= rememberedLines + step) lines.removeFirst(lines.size - rememberedLines)
        return follower?.take(stored) ?? Effect.void
      }),
    follow: (by) => {
      follower = by
    },
    startOf: (room, before, count) =>
      Effect.sync(() => {
        let start = before
        for (const { seq } of Iterable.take(lines.backwards(room, before), count)) start = seq
        return start
      }),
    read: (room, from, before) => Effect.sync(() => lines.page(room, from, before)),
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
