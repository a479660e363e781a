/** A whole server in this process, on a port of its own. */
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { defaults } from "../../src/Flags.ts"
import { Server } from "../../src/Server.ts"
import { ServerConfig, type Settings } from "../../src/ServerConfig.ts"
import { balance } from "./client.ts"
import { natsServer } from "./natsServer.ts"

/** Any free port, no welcome, no old lines, no file, no pace for an address that all tests share, else the defaults. */
export const config = (overrides: Partial<Settings> = {}) =>
  ServerConfig.layer({ ...defaults, port: 0, welcome: "off", replay: 0, data: "none", ratePerIp: 0, ...overrides })

/** Starts a server that ends with the scope, and gives the ports of its doors. */
export const doors = (overrides: Partial<Settings> = {}) =>
  Effect.map(
    Layer.build(Layer.provide(Server.layer, config(overrides))).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
    (context) => Context.get(context, Server).doors.map(({ port }) => port)
  )

/** So many nodes of one chat are started wherever a test does not care how many there are. */
const nodes = Number(process.env["TEST_NODES"] ?? 1)

/** The same with the plain door only. Where several nodes are started, clients of the port come to them in turn. */
export const start = (overrides: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const isAnywhere = nodes > 1 && (overrides.data ?? "none") === "none" && overrides.nats === undefined
    if (!isAnywhere) return (yield* doors(overrides))[0] ?? 0
    const { url } = yield* natsServer()
    const ports = yield* Effect.forEach(Array.makeBy(nodes, () => ({ ...overrides, nats: [url] })), doors)
    return balance(ports.map(([port = 0]) => port))
  })
