/**
 * The Unix socket beside the file, by which other commands of the same user ask the server that has it: a line of JSON, and
 * lines in answer. Whoever hangs up wants nothing any more.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as NodeFs from "node:fs"
import * as Net from "node:net"
import * as FileTask from "./FileTask.ts"
import type { SqliteThread } from "./SqliteThread.ts"

export const socketOf = (path: string): string => `${path}.sock`

/** Whether the system can listen at this path: Linux has 108 bytes for it and the zero behind it, macOS 104. */
export const fits = (path: string): boolean => Buffer.byteLength(path) < (process.platform === "darwin" ? 104 : 108)

// A question is a path at most.
const longestQuestion = 65_536

/**
 * Answers for the file at this path until the end of the scope. MUST be called by whoever has the lock of the file: what lies
 * there of a predecessor is taken away. Where there can be no socket, the server goes on without.
 */
export const serve = (thread: SqliteThread, path: string) =>
  Effect.gen(function*() {
    const at = socketOf(path)
    const sorry = (why: string) => Effect.logWarning(`backup and export cannot ask this server: ${at} ${why}`)
    if (!fits(at)) return yield* sorry("is too long for a socket")
    const answers = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(answers)<never>()
    yield* Effect.acquireRelease(
      listen(at, (socket) => run(answer(thread, socket))),
      (server) => Effect.sync(() => server.close())
    ).pipe(Effect.catchAll((why) => sorry(`cannot be made: ${why}`)))
  })

const listen = (at: string, come: (socket: Net.Socket) => void) =>
  Effect.async<Net.Server, string>((resume) => {
    const old = NodeFs.lstatSync(at, { throwIfNoEntry: false })
    if (old?.isSocket()) NodeFs.rmSync(at, { force: true })
    const server = Net.createServer((socket) => {
      // It hangs up then, which is seen below.
      socket.on("error", () => {})
      come(socket)
    })
    server.on("error", (error) => resume(Effect.fail(error.message)))
    // The file is made in this very call, so there is no moment in which somebody else may connect.
    const umask = process.umask(0o177)
    server.listen(at, () => resume(Effect.succeed(server)))
    process.umask(umask)
  })

const answer = (thread: SqliteThread, socket: Net.Socket) =>
  Effect.flatMap(question(socket), (line) => {
    const task = FileTask.read(line)
    const asker = askerAt(socket)
    return task === undefined
      ? asker.tell(
        JSON.stringify({ tell: "failure", message: "the server is of another version, and does not know this" })
      )
      : FileTask.perform(thread, task, asker)
  }).pipe(
    Effect.raceFirst(gone(socket)),
    Effect.ensuring(Effect.sync(() => socket.end(() => socket.destroy())))
  )

const gone = (socket: Net.Socket) =>
  Effect.async<void>((resume) => {
    socket.once("close", () => resume(Effect.void))
    socket.once("end", () => resume(Effect.void))
  })

/** The first line that comes. Whoever sends none is not waited for. */
const question = (socket: Net.Socket) =>
  Effect.async<string>((resume) => {
    let text = ""
    const read = (chunk: string) => {
      const end = (text += chunk).indexOf("\n")
      if (end < 0 && text.length < longestQuestion) return
      // It goes on flowing, or its end would not be seen.
      socket.off("data", read).resume()
      resume(Effect.succeed(text.slice(0, Math.max(end, 0))))
    }
    socket.setEncoding("utf8").on("data", read)
  }).pipe(Effect.timeoutTo({ duration: "5 seconds", onSuccess: (line) => line, onTimeout: () => "" }))

const askerAt = (socket: Net.Socket): FileTask.Asker => ({
  tell: (line) =>
    Effect.async((resume) => {
      if (socket.destroyed || socket.write(`${line}\n`)) return resume(Effect.void)
      const done = () => resume(Effect.void)
      socket.once("drain", done).once("close", done)
      return Effect.sync(() => socket.off("drain", done).off("close", done))
    }),
  hint: (line) => {
    if (!socket.destroyed && !socket.writableNeedDrain) socket.write(`${line}\n`)
  }
})
