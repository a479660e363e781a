/** The log and the registry of a server that keeps nothing: they end with the process. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constant } from "effect/Function"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import { alone, Seq, type Stored } from "../domain/Event.ts"
import { LastLines, readingOf } from "./LastLines.ts"
import { type Follower, MessageLog, timeBehind } from "./MessageLog.ts"
import { type Held, Registry } from "./Registry.ts"

/** So many of the last lines are remembered, at least; if they take no more bytes than this. */
export const rememberedLines = 10_000
export const rememberedBytes = 64 * 1_048_576

const makeLog = (clock: Clock.Clock): typeof MessageLog.Service => {
  const lines = new LastLines(rememberedLines, rememberedBytes)
  let follower: Follower | undefined
  let next = 1
  let at = 0
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
        if (follower === undefined) return Effect.void
        const { fold, tell } = follower
        return Effect.flatMap(fold(stored, true), ({ apply, kept }) => {
          lines.addAll(kept.lines)
          return Effect.zipRight(apply, tell)
        })
      }),
    follow: (by) => {
      follower = by
    },
    ...readingOf(lines),
    erase: (erasure) => Effect.sync(() => lines.erase({ erasure, before: Seq(next) })),
    running: Effect.never
  }
}

const byKey = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

const makeRegistry = (): typeof Registry.Service => {
  const values = new Map<string, Held>()
  let versions = 0
  return {
    pageSize: Infinity,
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
