/** Makes another file of all that a file holds, as of one moment, while its server goes on. */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs/promises"
import * as NodePath from "node:path"
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads"
import { fileReason } from "./fileReason.ts"
import type { SqliteThread } from "./SqliteThread.ts"

/** There is no such backup, and nothing is left of it. */
export class BackupFailed extends Data.TaggedError("BackupFailed")<{ readonly message: string }> {}

/**
 * Writes the backup to this absolute path, where nothing may be yet, and gives how many lines it has. Until all of it is on the
 * disk it has another name, in the same folder. `report` is told how many lines are written, and of how many.
 */
export const backup = (thread: SqliteThread, file: string, report: (lines: number, of: number) => void) =>
  Effect.gen(function*() {
    const on = <A>(work: () => Promise<A>) =>
      Effect.tryPromise({
        try: work,
        catch: (error) => new BackupFailed({ message: `${file} cannot be written: ${fileReason(error)}` })
      })
    // Said before the work is done; in the end it is the link that is sure.
    if (yield* Effect.isSuccess(on(() => NodeFs.lstat(file)))) {
      return yield* new BackupFailed({ message: `${file} exists already` })
    }
    const part = `${file}.${NodeCrypto.randomBytes(4).toString("hex")}.part`
    yield* Effect.acquireRelease(
      on(() => NodeFs.open(part, "wx", 0o600).then((handle) => handle.close())),
      () => Effect.promise(() => NodeFs.rm(part, { force: true }))
    )
    const lines = yield* copy(thread, part, report)
    yield* on(() => sync(part))
    // Unlike a rename this never takes the place of another file.
    yield* on(() => NodeFs.link(part, file))
    yield* on(() => sync(NodePath.dirname(file)))
    return lines
  }).pipe(
    Effect.scoped,
    Effect.catchTag(
      "SqliteError",
      ({ message }) => new BackupFailed({ message: `the file cannot be read: ${message}` })
    )
  )

const sync = (path: string) => NodeFs.open(path, "r").then((handle) => handle.sync().finally(() => handle.close()))

/** What the thread that writes says. */
type Told = { readonly copied: number } | { readonly done: number } | { readonly failed: string }

const copy = (thread: SqliteThread, part: string, report: (lines: number, of: number) => void) =>
  Effect.scoped(Effect.gen(function*() {
    const { port1: to, port2: from } = new MessageChannel()
    const over = yield* Deferred.make<number, BackupFailed>()
    const fail = (message: string) => Deferred.unsafeDone(over, new BackupFailed({ message }))
    let of = 0
    const writer = yield* writing(part, from)
    writer.on("message", (told: Told) => {
      if ("copied" in told) report(told.copied, of)
      else if ("done" in told) Deferred.unsafeDone(over, Effect.succeed(told.done))
      else fail(`the backup cannot be written: ${told.failed}`)
    })
    writer.on("error", (error) => fail(`the thread of the backup failed: ${error.message}`))
    writer.on("exit", () => fail("the thread of the backup has ended"))
    ;({ lines: of } = yield* thread.ask("copy", { to }))
    return yield* Deferred.await(over)
  }))

/** The thread that writes, until the end of the scope, which waits until it has closed the file. */
const writing = (path: string, from: MessagePort) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new Worker(new URL("./SqliteCopy.mjs", import.meta.url), {
        workerData: { path, from },
        transferList: [from],
        execArgv: []
      })
    ),
    (writer) =>
      Effect.async<void>((resume) => {
        if (writer.threadId === -1) return resume(Effect.void)
        writer.once("exit", () => resume(Effect.void))
        writer.postMessage("stop")
      })
  )
