/** The log and the registry that the configuration asks for. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ServerConfig } from "../ServerConfig.ts"
import * as MemoryLog from "./MemoryLog.ts"
import { OtherNodes } from "./OtherNodes.ts"

export const layer = Layer.unwrapEffect(
  Effect.flatMap(ServerConfig, (config) => {
    const { data, dataSync, keepBytes, keepDays, keepLines } = config
    if (config.nats.length > 0) {
      const options = {
        servers: config.nats,
        prefix: config.natsPrefix,
        replicas: config.natsReplicas,
        ca: Option.getOrUndefined(config.natsCa),
        login: Option.getOrUndefined(config.natsLogin),
        nkey: Option.getOrUndefined(config.natsNkey),
        keepLines,
        keepDays,
        keepBytes,
        lease: Duration.toMillis(config.nodeLease)
      }
      // Loaded where it is used, as all that follows.
      return Effect.map(Effect.promise(() => import("./NatsLog.ts")), ({ layer }) => layer(options))
    }
    if (data === "none") return Effect.succeed(Layer.merge(MemoryLog.layer, OtherNodes.none))
    const options = { file: data.file, sync: dataSync, keepLines, keepDays, keepBytes, trustsClock: false }
    return Effect.map(
      Effect.promise(() => import("./SqliteLog.ts")),
      ({ layer }) => Layer.merge(layer(options), OtherNodes.none)
    )
  })
)
