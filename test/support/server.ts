/** A whole server in this process, on a port of its own. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { defaults } from "../../src/Flags.ts"
import { Server } from "../../src/Server.ts"
import { ServerConfig, type Settings } from "../../src/ServerConfig.ts"

/** Any free port, no welcome, no old lines, no file, no pace for an address that all tests share, else the defaults. */
export const config = (overrides: Partial<Settings> = {}) =>
  ServerConfig.layer({ ...defaults, port: 0, welcome: "off", replay: 0, data: "none", ratePerIp: 0, ...overrides })

/** Starts a server that ends with the scope, and gives the ports of its doors. */
export const doors = (overrides: Partial<Settings> = {}) =>
  Effect.map(
    Layer.build(Layer.provide(Server.layer, config(overrides))).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
    (context) => Context.get(context, Server).doors.map(({ port }) => port)
  )

/** The same with the plain door only. */
export const start = (overrides: Partial<Settings> = {}) => Effect.map(doors(overrides), ([port = 0]) => port)
