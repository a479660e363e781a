/** Metrics and health for whoever watches over the server, if a port is given for them; without it nothing is loaded. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ServerConfig } from "../ServerConfig.ts"

export const layer = Layer.unwrapEffect(
  Effect.flatMap(ServerConfig, ({ metricsHost, metricsPort }) =>
    Option.match(metricsPort, {
      onNone: () => Effect.succeed(Layer.empty),
      onSome: (port) =>
        Effect.map(Effect.promise(() => import("./MonitorServer.ts")), ({ layer }) => layer(metricsHost, port))
    }))
)
