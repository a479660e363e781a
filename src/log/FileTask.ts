/** What can be asked of a file beside its server, and what is answered: lines of JSON. Knows no socket. */
import * as Effect from "effect/Effect"
import { type NameKey, NameKey as asKey } from "../domain/Name.ts"
import * as SqliteBackup from "./SqliteBackup.ts"
import type { SqliteError, SqliteThread } from "./SqliteThread.ts"

export type FileTask =
  /** `to`: an absolute path. */
  | { readonly do: "backup"; readonly to: string }
  /** What was said in a room from `since` on and before `until`, in ms since 1970. */
  | { readonly do: "export"; readonly room: NameKey; readonly since: number; readonly until: number }

export type Row = readonly [seq: number, at: number, address: string, name: string, text: string]

/** `done` of how many lines; those that are exported, in order; the end. */
export type Told =
  | { readonly tell: "progress"; readonly done: number; readonly of: number }
  | { readonly tell: "lines"; readonly done: number; readonly of: number; readonly rows: ReadonlyArray<Row> }
  | { readonly tell: "end"; readonly lines: number }
  | { readonly tell: "failure"; readonly message: string }

/** Who asked. */
export interface Asker {
  /** Takes a line, and waits until there is room for the next one. */
  readonly tell: (line: string) => Effect.Effect<void>
  /** Takes a line that may be passed over, and never waits. */
  readonly hint: (line: string) => void
}

/** Reads what somebody asks for. `undefined`: it is nothing that is known here. */
export const read = (line: string): FileTask | undefined => {
  const { do: what, room, since, to, until } = fields(line)
  if (what === "backup" && typeof to === "string" && to.startsWith("/")) return { do: what, to }
  if (what !== "export" || typeof room !== "string" || !Number.isSafeInteger(since) || !Number.isSafeInteger(until)) {
    return
  }
  return { do: what, room: asKey(room), since: Number(since), until: Number(until) }
}

const fields = (line: string): { readonly [key: string]: unknown } => {
  try {
    return Object(JSON.parse(line))
  } catch {
    return {}
  }
}

const written = (told: Told) => JSON.stringify(told)

/** Does what is asked for, and tells the asker all of it; also that it failed. */
export const perform = (thread: SqliteThread, task: FileTask, asker: Asker): Effect.Effect<void> =>
  (task.do === "backup" ? backup(thread, task.to, asker) : exported(thread, task, asker)).pipe(
    Effect.catchAll(({ message }) => Effect.succeed<Told>({ tell: "failure", message })),
    Effect.flatMap((told) => asker.tell(written(told)))
  )

type Done = Effect.Effect<Told, SqliteBackup.BackupFailed | SqliteError>

const backup = (thread: SqliteThread, to: string, { hint }: Asker): Done =>
  Effect.map(
    SqliteBackup.backup(thread, to, (done, of) => hint(written({ tell: "progress", done, of }))),
    (lines): Told => ({ tell: "end", lines })
  )

const exported = (
  thread: SqliteThread,
  { room, since, until }: Extract<FileTask, { readonly do: "export" }>,
  { tell }: Asker
): Done =>
  Effect.gen(function*() {
    const of = yield* thread.ask("linesOf", { room })
    let after = 0
    // No further than it goes now, however fast people talk.
    for (let done = 0; done < of;) {
      const page = yield* thread.ask("linesAt", { room, after, since, until })
      if (page === undefined) break
      after = page.last
      done += page.count
      // The rows are JSON already.
      yield* tell(`{"tell":"lines","done":${done},"of":${of},"rows":${page.rows}}`)
    }
    return { tell: "end", lines: of }
  })
