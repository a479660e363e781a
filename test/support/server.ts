/** A whole server in this process, on a port of its own. */
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { defaults } from "../../src/Flags.ts"
import { Stats } from "../../src/ops/Stats.ts"
import { Server } from "../../src/Server.ts"
import { ServerConfig, type Settings } from "../../src/ServerConfig.ts"
import * as Certificate from "./certificate.ts"
import { natsServer } from "./natsServer.ts"
import { balance, isOnNodes, known, nodes } from "./nodes.ts"

// No welcome, no old lines, no file, and no limit of an address that all tests share.
const quiet = { port: 0, welcome: "off", replay: 0, data: "none", ratePerIp: 0, visitsPerIp: 0 } as const

/** Any free port, quiet, else the defaults. */
export const config = (overrides: Partial<Settings> = {}) => ServerConfig.layer({ ...defaults, ...quiet, ...overrides })

/** Starts a server that ends with the scope, and gives the ports of its doors. */
export const doors = (overrides: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const layer = Layer.provide(Layer.provideMerge(Server.layer, Stats.layer), config(overrides))
    const context = yield* Logger.withMinimumLogLevel(Layer.build(layer), LogLevel.None)
    if (isOnNodes) yield* known(Context.get(context, Stats))
    // Nodes that are gone may have had the same port.
    return Context.get(context, Server).doors.map(({ port }) => balance([port]))
  })

/** The same with a door for TLS beside the plain one, under a new certificate. Needs `openssl`. */
export const plainAndTls = (overrides: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const { cert, key } = yield* Certificate.make()
    const [plain = 0, tls = 0] = yield* doors({
      tlsPort: Option.some(0),
      tlsCert: Option.some(cert),
      tlsKey: Option.some(key),
      ...overrides
    })
    return { plain, tls }
  })

/** The plain door only. Where several nodes are started, clients of the port come to them in turn. */
export const start = (overrides: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const isAnywhere = (overrides.data ?? "none") === "none" && overrides.nats === undefined
    if (!isOnNodes || !isAnywhere) return (yield* doors(overrides))[0] ?? 0
    const { url } = yield* natsServer()
    const ports = yield* Effect.forEach(Array.makeBy(nodes, () => ({ ...overrides, nats: [url] })), doors)
    return balance(ports.map(([port = 0]) => port))
  })
