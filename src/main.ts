#!/usr/bin/env node
/** Flags and environment to settings, settings to layers, and a server that runs until a signal comes or a part of it dies. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Flags from "./Flags.ts"
import * as Logging from "./ops/Logging.ts"
import * as Signals from "./ops/Signals.ts"
import { Server } from "./Server.ts"
import { ServerConfig, type Settings } from "./ServerConfig.ts"

const run = (settings: Settings) =>
  Effect.flatMap(Server, ({ running }) => running).pipe(
    Effect.provide(Layer.provide(Server.layer, ServerConfig.layer(settings))),
    Effect.provide(Signals.layer),
    Effect.tapDefect((cause) => Effect.logError("The server failed", cause)),
    Effect.tapError(({ message }) => Console.error(message)),
    Effect.provide(Logging.layer(settings))
  )

const parsed = Flags.parse(process.argv.slice(2), process.env)
if ("settings" in parsed) {
  NodeRuntime.runMain(run(parsed.settings), { disableErrorReporting: true, disablePrettyLogger: true })
} else {
  process.exitCode = parsed.code
  const stream = parsed.code === 0 ? process.stdout : process.stderr
  stream.write(parsed.words)
}
