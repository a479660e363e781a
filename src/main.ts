/** The command line: flags to a `ServerConfig`, and a server that runs until a signal comes. */
import * as Command from "@effect/cli/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import manifest from "../package.json" with { type: "json" }
import { Server } from "./Server.ts"
import { options, ServerConfig } from "./ServerConfig.ts"
import * as Signals from "./Signals.ts"

const tellnet = Command.make("tellnet", options, (config) =>
  Effect.flatMap(Server, ({ running }) => running).pipe(
    Effect.provide(Layer.provide(Server.layer, ServerConfig.layer(config))),
    Effect.provide(Signals.layer),
    Effect.tapDefect((cause) => Effect.logError("The server failed", cause)),
    Effect.provide(loggers[config.logFormat]),
    Effect.tapError(({ message }) => Console.error(message))
  )).pipe(Command.withDescription("An instant-messaging server that people use from bare netcat."))

const loggers = { pretty: Logger.pretty, logfmt: Logger.logFmt, json: Logger.json }

// `--log-level` is one of the flags that come with the library; its environment variable is ours.
const logLevel = Config.logLevel("TELLNET_LOG_LEVEL").pipe(
  Config.withDefault(LogLevel.Info),
  Effect.tapError(() => Console.error("TELLNET_LOG_LEVEL must be a log level such as debug, info, warning or none."))
)

// The library knows its own flags only where they come first; here `--log-level` may stand anywhere.
const [runtime = "", script = "", ...args] = process.argv
const at = args.findIndex((arg) => /^--log-level(=|$)/.test(arg))
const first = at < 0 ? [] : args.splice(at, args[at] === "--log-level" ? 2 : 1)

Effect.flatMap(logLevel, (level) =>
  Effect.provide(
    Command.run(tellnet, { name: "tellnet", version: manifest.version })([runtime, script, ...first, ...args]),
    Logger.minimumLogLevel(level)
  )).pipe(
    Effect.provide(NodeContext.layer),
    // Which logger, is for the flags to say.
    NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
  )
