/** The log and the registry of a server that keeps nothing: they end with the process. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constant } from "effect/Function"
import * as Iterable from "effect/Iterable"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import { alone, Seq, type Stored } from "../domain/Event.ts"
import { Lines } from "./Lines.ts"
import { type Follower, MessageLog, timeBehind } from "./MessageLog.ts"
import { type Held, Registry } from "./Registry.ts"

/** So many of the last lines are remembered, at least. */
export const rememberedLines = 10_000

/** If they take no more bytes than this. */
export const rememberedBytes = 64 * 1_048_576

// They go in steps: to take away one costs as much as to look at all.
const step = 1000

const makeLog = (clock: Clock.Clock): typeof MessageLog.Service => {
  const lines = new Lines()
  let follower: Follower | undefined
  let next = 1
  let at = 0
  let erased = Seq(0)
  const forget = () => {
    const isFull = lines.size >= rememberedLines + step || lines.bytes > rememberedBytes
    const surplus = isFull ? Math.max(lines.size - rememberedLines, lines.surplus(0.9 * rememberedBytes)) : 0
    if (surplus > 0) erased = lines.removeFirst(surplus).at(-1)!.seq
  }
  return {
    id: constant(randomUUID()),
    start: { seq: Seq(0), nonces: [], gone: [] },
    recordBytes: Infinity,
    ready: Effect.void,
    append: (events) =>
      Effect.suspend(() => {
        at = timeBehind(at, clock.unsafeCurrentTimeMillis())
        const stored: Stored = { seq: Seq(next), at, node: alone, number: 0, events }
        next += events.length
        return follower === undefined ? Effect.void : Effect.flatMap(follower.fold(stored, true), ({ kept, tell }) => {
          for (const line of kept.lines) lines.add(line)
          forget()
          return tell
        })
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
    count: (room, from, before, limit) => Effect.sync(() => lines.count(room, from, before, limit)),
    erased: () => Effect.sync(() => erased),
    read: (room, from, before) => Effect.sync(() => lines.page(room, from, before)),
    running: Effect.never
  }
}

const byKey = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

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
    list: (prefix, limit, after = "") =>
      Effect.sync(() =>
        Array.from(values.values())
          .filter(({ key }) => key.startsWith(prefix) && byKey(key, after) > 0)
          .toSorted((one, other) => byKey(one.key, other.key))
          .slice(0, limit)
      )
  }
}

export const layer: Layer.Layer<MessageLog | Registry> = Layer.effectContext(
  Effect.clockWith((clock) =>
    Effect.sync(() => Context.make(MessageLog, makeLog(clock)).pipe(Context.add(Registry, makeRegistry())))
  )
)
