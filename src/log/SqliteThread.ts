/** The other side of the thread that has the file: questions, and their answers as effects. Knows no SQL. */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { type MessagePort, Worker } from "node:worker_threads"
import { Nonce, Seq } from "../domain/Event.ts"
import type { Used } from "../domain/Nonces.ts"
import { CannotOpen, LogLost } from "./MessageLog.ts"

export interface Options {
  readonly file: string
  /** Each commit waits until the disk has it. */
  readonly sync: boolean
  readonly keepLines: number
  readonly keepDays: number
  readonly keepBytes: number
  /** What is too old is given up from the start, and not first after a minute in which a wrong clock can be set. */
  readonly trustsClock: boolean
}

/** For what only reads: nothing of the file is changed, and no server may run on it. */
export interface ReadOnly {
  readonly file: string
  readonly readOnly: true
}

/** SQLite said no, and nothing was changed. */
export class SqliteError extends Data.TaggedError("SqliteError")<{ readonly message: string }> {}

/** What each operation takes and gives. */
export interface Operations {
  /** Hands all of the file, as it is now, to a thread that asks for it by the other end of this port, which is transferred. */
  readonly copy: readonly [{ readonly to: MessagePort }, { readonly last: number; readonly lines: number }]
  readonly linesOf: readonly [{ readonly room: string }, number]
  /** The next lines of a room, of which some `count` were looked at. `rows`: those from `since` on and before `until`. */
  readonly linesAt: readonly [
    { readonly room: string; readonly after: number; readonly since: number; readonly until: number },
    { readonly last: number; readonly count: number; readonly rows: string } | undefined
  ]
  readonly append: readonly [
    {
      readonly lines: string
      readonly nonces: string | undefined
      readonly next: number
      readonly rooms: ReadonlyArray<readonly [string, number, number]>
    },
    void
  ]
  readonly count: readonly [
    { readonly room: string; readonly from: number; readonly before: number; readonly limit: number },
    number
  ]
  readonly erased: readonly [{ readonly room: string }, number]
  readonly startOf: readonly [{ readonly room: string; readonly before: number; readonly count: number }, number]
  readonly read: readonly [
    {
      readonly room: string
      readonly from: number
      readonly before: number
      readonly lines: number
      readonly bytes: number
    },
    ReadonlyArray<readonly [seq: number, at: number, address: string, name: string, text: string]>
  ]
  /** The last of all lines before a place, newest first: so many at most. */
  readonly before: readonly [
    { readonly before: number; readonly lines: number },
    ReadonlyArray<readonly [seq: number, room: number, at: number, address: string, name: string]>
  ]
  /** Takes these lines away for good, and says how many of them were there. */
  readonly erase: readonly [{ readonly rows: ReadonlyArray<readonly [seq: number, room: number]> }, number]
  /** Takes what was erased out of the write-ahead log too. */
  readonly checkpoint: readonly [undefined, void]
  readonly get: readonly [{ readonly key: string }, Row | undefined]
  readonly list: readonly [
    { readonly prefix: string; readonly limit: number; readonly after: string },
    ReadonlyArray<Row>
  ]
  readonly put: readonly [
    { readonly key: string; readonly value: string; readonly before: number | undefined },
    boolean
  ]
  readonly remove: readonly [{ readonly key: string; readonly before: number }, boolean]
}
type Row = readonly [key: string, value: string, version: number]

export interface SqliteThread {
  /** Which file this is. */
  readonly id: string
  /** The time of the last line, in ms since 1970. */
  readonly last: number
  /** Those that were used of late, oldest first. */
  readonly nonces: ReadonlyArray<Used>
  readonly ask: <O extends keyof Operations>(
    operation: O,
    args: Operations[O][0]
  ) => Effect.Effect<Operations[O][1], SqliteError>
  /** Fails when the thread ends before it was asked to. */
  readonly ended: Effect.Effect<never, LogLost>
  /** The first number that was never given. Whoever gives it counts it on. */
  next: number
}

type Opened = Pick<SqliteThread, "id" | "last" | "next"> & {
  readonly nonces: ReadonlyArray<readonly [nonce: string, seq: number, at: number, origin: string]>
}

/** What the thread says unasked. */
interface Failure {
  readonly failure: string
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly message: string; readonly reason?: string; readonly code?: number }
}

// SQLite's primary result codes, which are the low byte of the extended ones (sqlite.org/rescode.html).
const [busy, readOnly, cantOpen, corrupt, notADatabase] = [5, 8, 14, 11, 26]

const sentence = (
  file: string,
  { code, message, reason }: NonNullable<Answer["error"]>,
  onlyReads: boolean
): string => {
  if (code === busy && onlyReads) {
    return `${file} is in use by a server that cannot be asked: there is no ${file}.sock, or this user may not; else stop it`
  }
  if (reason === "older") return `${file} was written by an older version of tellnet; start a server on it first`
  if (code === busy) return `${file} is in use by another server; use --data FILE or --data none`
  if (code === corrupt || code === notADatabase || reason === "damaged") {
    return `${file} is damaged, or no file of tellnet; use --data FILE`
  }
  if (code === readOnly || code === cantOpen) {
    return `${file} cannot be opened or written; use --data FILE or --data none`
  }
  if (reason === "newer") return `${file} was written by a newer version of tellnet; use that, or --data FILE`
  if (reason === "foreign") return `${file} is a file of another program; use --data FILE`
  return `${file} cannot be used: ${message}`
}

/** Starts the thread and opens the file; until the end of the scope, which waits until the file is closed. */
export const make = (options: Options | ReadOnly, path: string) =>
  Effect.gen(function*() {
    const waiting = new Map<number, (answer: Answer) => void>()
    const lost = yield* Deferred.make<never, LogLost>()
    const log = yield* FiberSet.makeRuntime<never>()
    let asked = 0
    let over = false
    let thread: SqliteThread | undefined
    const worker = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Worker(new URL("./SqliteWriter.mjs", import.meta.url), { workerData: { ...options, path }, execArgv: [] })
      ),
      (worker) =>
        Effect.async<void>((resume) => {
          if (over) return resume(Effect.void)
          worker.once("exit", () => resume(Effect.void))
          worker.postMessage({ operation: "close", args: { next: thread?.next } })
        })
    )
    // Answers are dealt with after the sockets of this round of the event loop were read. Otherwise whatever comes while a
    // commit is on its way would be a turn of its own, and batches half as large.
    worker.on("message", (message: Answer | Failure) => {
      if ("failure" in message) log(Effect.logError(`old lines cannot be given up: ${message.failure}`))
      else setImmediate(() => waiting.get(message.id)?.(message))
    })
    const end = (message: string) => {
      over = true
      for (const [id, answer] of waiting) answer({ id, error: { message } })
      Deferred.unsafeDone(lost, new LogLost({ message }))
    }
    // What aborts the process cannot be seen here.
    worker.on("error", (error) => end(`the thread of the file failed: ${error}`))
    worker.on("exit", () => end("the thread of the file has ended"))

    const answerTo = (operation: string, args: unknown, transferred: ReadonlyArray<MessagePort> = []) =>
      Effect.async<Answer>((resume) => {
        const id = ++asked
        if (over) return resume(Effect.succeed({ id, error: { message: "the thread of the file has ended" } }))
        waiting.set(id, (answer) => {
          waiting.delete(id)
          resume(Effect.succeed(answer))
        })
        worker.postMessage({ id, operation, args }, transferred)
      })

    const opened = yield* answerTo("open", undefined)
    if (opened.error !== undefined) {
      return yield* new CannotOpen({ message: sentence(options.file, opened.error, "readOnly" in options) })
    }
    const { id, last, next, nonces } = opened.value as Opened
    thread = {
      id,
      last,
      nonces: nonces.map(([nonce, seq, at, origin]) => ({ nonce: Nonce(nonce), seq: Seq(seq), at, origin })),
      next,
      ask: (operation, args) =>
        Effect.flatMap(
          answerTo(operation, args, args !== undefined && "to" in args ? [args.to] : []),
          ({ error, value }) =>
            error === undefined
              // The thread is our own, and answers as `Operations` says.
              ? Effect.succeed(value as Operations[typeof operation][1])
              : new SqliteError({ message: error.message })
        ),
      ended: Deferred.await(lost)
    }
    return thread
  })
