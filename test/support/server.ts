/** A whole server in this process, on a port of its own. */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Options from "@effect/cli/Options"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { Server } from "../../src/Server.ts"
import { options, ServerConfig } from "../../src/ServerConfig.ts"

/** What the flags' defaults give, read as the command line reads them. */
export const defaults = Effect.map(
  Options.processCommandLine(Options.all(options), [], CliConfig.defaultConfig),
  ([, , config]): typeof ServerConfig.Service => config
).pipe(Effect.provide(NodeContext.layer), Effect.orDie)

/** Any free port, and the defaults, but for what the test is about. */
export const config = (overrides: Partial<typeof ServerConfig.Service> = {}) =>
  Layer.effect(
    ServerConfig,
    Effect.map(defaults, (values) => ({ ...values, port: 0, ratePerIp: 0, welcome: "off" as const, ...overrides }))
  )

/** Starts a server that ends with the scope, and gives the ports of its doors. */
export const doors = (overrides: Partial<typeof ServerConfig.Service> = {}) =>
  Effect.map(
    Layer.build(Layer.provide(Server.layer, config(overrides))).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
    (context) => Context.get(context, Server).doors.map(({ port }) => port)
  )

/** The same with the plain door only. */
export const start = (overrides: Partial<typeof ServerConfig.Service> = {}) =>
  Effect.map(doors(overrides), ([port = 0]) => port)
