/**
 * The log and the registry in a file. A line is committed before it is given; one commit is in flight, and what comes
 * meanwhile makes the next one. While the file cannot be written the talk goes on, and lines wait in memory.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Iterable from "effect/Iterable"
import * as Layer from "effect/Layer"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { Address } from "../domain/Address.ts"
import { type Erasure, matcher } from "../domain/Erasure.ts"
import { alone, type Line, Seq, type Stored } from "../domain/Event.ts"
import { Name, type NameKey } from "../domain/Name.ts"
import { fileReason } from "./fileReason.ts"
import * as FileSocket from "./FileSocket.ts"
import { CannotOpen, type Follower, MessageLog, pageBytes, pageLines, timeBehind, Unreadable } from "./MessageLog.ts"
import { type Held, Registry, RegistryFailed } from "./Registry.ts"
import * as SqliteKeeper from "./SqliteKeeper.ts"
import * as SqliteThread from "./SqliteThread.ts"

const makeLog = (thread: SqliteThread.SqliteThread) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    let follower: Follower | undefined
    let at = thread.last
    let erasures = 0

    const { keep, waiting } = yield* SqliteKeeper.make(thread, (condition) => follower?.changed(condition))

    const readable = <A>(self: Effect.Effect<A, SqliteThread.SqliteError>) =>
      Effect.mapError(self, ({ message }) => new Unreadable({ why: message }))

    return MessageLog.of({
      id: () => thread.id,
      start: { seq: Seq(thread.next - 1), nonces: thread.nonces, gone: [] },
      recordBytes: Infinity,
      ready: Effect.void,
      // Where it was interrupted, the next one would take the same numbers.
      append: (events) =>
        Effect.uninterruptible(Effect.suspend(() => {
          at = timeBehind(at, clock.unsafeCurrentTimeMillis())
          const stored: Stored = { seq: Seq(thread.next), at, node: alone, number: 0, events }
          thread.next += events.length
          if (follower === undefined) return Effect.void
          const { fold, tell } = follower
          return Effect.flatMap(
            fold(stored, true),
            ({ apply, kept }) => keep(kept).pipe(Effect.zipRight(apply), Effect.zipRight(tell))
          )
        })),
      follow: (by) => {
        follower = by
      },
      startOf: (room, before, count) =>
        Effect.suspend(() => {
          let start = before
          let left = count
          for (const { seq } of Iterable.take(waiting.backwards(room, before), count)) {
            start = seq
            left--
          }
          return left === 0
            ? Effect.succeed(start)
            : Effect.map(readable(thread.ask("startOf", { room, before: start, count: left })), Seq)
        }),
      count: (room, from, before, limit) =>
        Effect.suspend(() => {
          const inMemory = waiting.count(room, from, before, limit)
          return Effect.map(
            readable(thread.ask("count", { room, from, before, limit: limit - inMemory })),
            (inFile) => inFile + inMemory
          )
        }),
      erased: (room) => Effect.map(readable(thread.ask("erased", { room })), Seq),
      read: (room, from, before) =>
        Effect.map(
          readable(thread.ask("read", { room, from, before, lines: pageLines, bytes: pageBytes })),
          (rows) => rows.length > 0 ? rows.map((row) => lineOf(room, row)) : waiting.page(room, from, before)
        ),
      erase: (erasure) =>
        Effect.suspend(() => {
          const inMemory = waiting.removeWhere(matcher(erasure))
          return Effect.map(readable(erase(thread, erasure)), (inFile) => inFile + inMemory).pipe(
            Effect.ensuring(Effect.sync(() => {
              erasures++
            }))
          )
        }),
      erasures: () => erasures,
      running: thread.ended
    })
  })

// So many lines are looked at in one step: a commit waits for one at most.
const stepLines = 500

/** Looks from the last line backwards, for as long as lines are young enough. */
const erase = ({ ask }: SqliteThread.SqliteThread, erasure: Erasure) =>
  Effect.gen(function*() {
    const isOne = matcher(erasure)
    let count = 0
    let before = Number.MAX_SAFE_INTEGER
    while (true) {
      const rows = yield* ask("before", { before, lines: stepLines })
      const last = rows.at(-1)
      // Where the clock was set back, older lines may be behind younger ones, but not a whole step of them.
      if (last === undefined || rows.every(([, , at]) => at < erasure.from)) break
      before = last[0]
      const gone = rows.filter(([, , at, address, name]) =>
        isOne({ at, who: { address: Address(address), name: Name(name) } })
      )
      if (gone.length > 0) count += yield* ask("erase", { rows: gone.map(([seq, room]) => [seq, room] as const) })
    }
    if (count > 0) yield* ask("checkpoint", undefined)
    return count
  })

const lineOf = (room: NameKey, [seq, at, address, name, text]: SqliteThread.Operations["read"][1][number]): Line => ({
  seq: Seq(seq),
  at,
  room,
  // What was kept was allowed when it was said; whoever shows it makes it safe again.
  who: { address: Address(address), name: Name(name) },
  text
})

const makeRegistry = ({ ask }: SqliteThread.SqliteThread): typeof Registry.Service => {
  const answer = <A>(self: Effect.Effect<A, SqliteThread.SqliteError>) =>
    Effect.mapError(self, ({ message }) => new RegistryFailed({ why: message }))
  const heldOf = ([key, value, version]: readonly [string, string, number]): Held => ({ key, value, version })
  return {
    pageSize: 500,
    get: (key) => Effect.map(answer(ask("get", { key })), (row) => row && heldOf(row)),
    put: (key, value, before) => answer(ask("put", { key, value, before })),
    remove: (key, before) => answer(ask("remove", { key, before })),
    list: (prefix, limit, after = "") =>
      Effect.map(
        answer(ask("list", { prefix, limit, after })),
        (rows) => rows.map(heldOf).filter(({ key }) => key.startsWith(prefix))
      )
  }
}

// A folder has an error of its own.
const isFileOrFolder = (stats: NodeFs.Stats) => stats.isFile() || stats.isDirectory()

/** The file, for the owner's eyes only; SQLite gives what lies beside it the same mode. */
const create = (file: string) =>
  Effect.try({
    try: () => {
      // To open a pipe would wait for its other end.
      if (NodeFs.existsSync(file) && !isFileOrFolder(NodeFs.statSync(file))) throw new Error("it is no plain file")
      NodeFs.closeSync(NodeFs.openSync(file, "a", 0o600))
    },
    catch: (error) =>
      new CannotOpen({
        message: `${file} cannot be opened or written: ${fileReason(error)}; use --data FILE or --data none`
      })
  })

export const layer = (options: SqliteThread.Options): Layer.Layer<MessageLog | Registry, CannotOpen> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      yield* create(options.file)
      // SQLite takes some paths for addresses.
      const path = NodePath.resolve(options.file)
      const thread = yield* SqliteThread.make(options, path)
      yield* FileSocket.serve(thread, path)
      return Context.make(MessageLog, yield* makeLog(thread)).pipe(Context.add(Registry, makeRegistry(thread)))
    })
  )
