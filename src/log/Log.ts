/** The log and the registry that the configuration asks for. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ServerConfig } from "../ServerConfig.ts"
import * as MemoryLog from "./MemoryLog.ts"

export const layer = Layer.unwrapEffect(
  Effect.flatMap(ServerConfig, ({ data, dataSync, keepBytes, keepDays, keepLines }) => {
    if (data === "none") return Effect.succeed(MemoryLog.layer)
    const options = { file: data.file, sync: dataSync, keepLines, keepDays, keepBytes, trustsClock: false }
    // Loaded where it is used, as the thread is.
    return Effect.map(Effect.promise(() => import("./SqliteLog.ts")), ({ layer }) => layer(options))
  })
)
