/** The engines of the log, each as a layer that can be started again: what is durable is still there then. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import type { CannotOpen, MessageLog } from "../../src/log/MessageLog.ts"
import type { Registry } from "../../src/log/Registry.ts"
import * as SqliteLog from "../../src/log/SqliteLog.ts"

export interface Engine {
  readonly name: string
  readonly isDurable: boolean
  /** What starts the engine, again and again on the same store, until the end of the scope. */
  readonly layer: Effect.Effect<Layer.Layer<MessageLog | Registry, CannotOpen>, never, Scope.Scope>
}

/** A folder that is gone at the end of the scope. */
export const folder = Effect.flatMap(
  FileSystem.FileSystem,
  (files) => files.makeTempDirectoryScoped({ prefix: "tellnet-" })
).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

export const limits = { sync: false, keepLines: 1_000_000, keepDays: 90, keepBytes: 2 ** 31, trustsClock: true }

export const engines: ReadonlyArray<Engine> = [
  { name: "memory", isDurable: false, layer: Effect.succeed(MemoryLog.layer) },
  {
    name: "SQLite",
    isDurable: true,
    layer: Effect.map(folder, (folder) => SqliteLog.layer({ ...limits, file: `${folder}/tellnet.db` }))
  }
]

/** One start of an engine, on a store of its own. */
export const engineOf = <A>(layer: Effect.Effect<Layer.Layer<A, CannotOpen>, never, Scope.Scope>) =>
  Layer.unwrapScoped(layer)
