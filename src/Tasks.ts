/** The commands beside the server: they ask the one that has the file, and where there is none they open it themselves. */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeFs from "node:fs"
import * as Net from "node:net"
import * as NodePath from "node:path"
import type { Task } from "./CommandLine.ts"
import { Address } from "./domain/Address.ts"
import { Seq } from "./domain/Event.ts"
import { Name } from "./domain/Name.ts"
import type { Room } from "./domain/Room.ts"
import * as FileSocket from "./log/FileSocket.ts"
import * as FileTask from "./log/FileTask.ts"
import * as SqliteThread from "./log/SqliteThread.ts"
import * as Progress from "./Progress.ts"
import { past } from "./wire/JsonForm.ts"

/** It was not done, or not all of it. */
export class TaskFailed extends Data.TaggedError("TaskFailed")<{ readonly message: string }> {}

/** Nobody reads what is printed any more. */
class Unread extends Data.TaggedError("Unread") {}

/** Takes what is told. */
type Hear = (told: FileTask.Told) => Effect.Effect<void, TaskFailed | Unread>

/** Does it, and ends when all is done and printed, or nobody reads it. */
export const run = (task: Task) =>
  Effect.gen(function*() {
    const file = NodePath.resolve(task.data)
    if (!NodeFs.existsSync(file)) {
      return yield* new TaskFailed({ message: `there is no ${task.data}; --data FILE says which file it is` })
    }
    // Broken pipes are seen by whoever writes.
    process.stdout.on("error", () => {})
    // A terminal that shows the lines has no room for more.
    const isShown = process.stderr.isTTY && !(task.do === "export" && process.stdout.isTTY)
    const progress = yield* Progress.make({ isTTY: isShown, write: (text) => process.stderr.write(text) })
    const asked: FileTask.FileTask = task.do === "backup"
      ? { do: task.do, to: NodePath.resolve(task.to) }
      : { do: task.do, room: task.room.key, since: task.since, until: task.until }
    const hear: Hear = (told) => {
      if ("of" in told) progress(told.done, told.of)
      if (told.tell === "failure") return new TaskFailed(told)
      if (task.do === "export" && told.tell === "end" && told.lines === 0) {
        return new TaskFailed({ message: `nothing is kept of the room ${task.room.name}` })
      }
      return print(task.do === "backup" ? ofBackup(task.to, told) : ofRoom(task.room, told))
    }
    const socket = yield* connect(FileSocket.socketOf(file))
    if (socket !== undefined) return yield* ask(socket, asked, hear)
    yield* alone({ file: task.data, readOnly: true }, file, asked, hear)
  }).pipe(Effect.scoped, Effect.catchTag("Unread", () => Effect.void))

const ofBackup = (to: string, told: FileTask.Told): string =>
  told.tell === "end" ? `${to} has all of it, ${told.lines} lines\n` : ""

const ofRoom = (room: Room, told: FileTask.Told): string =>
  told.tell !== "lines" ? "" : told.rows.map(([seq, at, address, name, text]) =>
    past(
      { seq: Seq(seq), at, room: room.key, who: { address: Address(address), name: Name(name) }, text },
      room.name,
      undefined
    )
  ).join("")

/** Prints, and waits until it has left. */
const print = (text: string) =>
  text === "" ? Effect.void : Effect.async<void, TaskFailed | Unread>((resume) => {
    process.stdout.write(text, (error) => {
      if (!error) return resume(Effect.void)
      const isPipe = "code" in error && error.code === "EPIPE"
      resume(isPipe ? new Unread() : new TaskFailed({ message: `cannot be printed: ${error.message}` }))
    })
  })

/** The server that has the file; `undefined`: there is none that can be asked. */
const connect = (at: string) =>
  Effect.acquireRelease(
    Effect.async<Net.Socket | undefined, TaskFailed>((resume) => {
      if (!FileSocket.fits(at)) return resume(Effect.succeed(undefined))
      const socket = Net.connect(at, () => resume(Effect.succeed(socket)))
      socket.on("error", (error: NodeJS.ErrnoException) => {
        // Nothing is there, or it is of a server that was killed.
        if (error.code === "ENOENT" || error.code === "ECONNREFUSED") return resume(Effect.succeed(undefined))
        resume(new TaskFailed({ message: `the server at ${at} cannot be asked: ${error.message}` }))
      })
    }),
    (socket) => Effect.sync(() => socket?.destroy())
  )

/** Has it done by the server. */
const ask = (socket: Net.Socket, asked: FileTask.FileTask, hear: Hear) =>
  Effect.gen(function*() {
    socket.write(`${JSON.stringify(asked)}\n`)
    let isOver = false
    const lost = () => new TaskFailed({ message: "the server ended before all was done" })
    yield* NodeStream.fromReadable<TaskFailed, Uint8Array>(() => socket, lost).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        // The server is our own, and answers as `Told` says.
        const told: FileTask.Told = JSON.parse(line)
        isOver ||= told.tell === "end"
        return hear(told)
      })
    )
    if (!isOver) return yield* lost()
  })

/** Does it in this process, which has the file for so long. */
const alone = (options: SqliteThread.ReadOnly, path: string, asked: FileTask.FileTask, hear: Hear) =>
  Effect.gen(function*() {
    const thread = yield* SqliteThread.make(options, path)
    const over = yield* Deferred.make<never, TaskFailed | Unread>()
    const asker: FileTask.Asker = {
      // Who fails to hear has all of it stopped.
      tell: (line) =>
        Effect.catchAll(hear(JSON.parse(line)), (error) => Effect.zipRight(Deferred.fail(over, error), Effect.never)),
      hint: (line) => {
        Effect.runFork(hear(JSON.parse(line)))
      }
    }
    yield* Effect.raceFirst(FileTask.perform(thread, asked, asker), Deferred.await(over))
  })
