#!/usr/bin/env node
/** What the command line asks for: settings to layers, and a server that runs until a signal comes or a part of it dies; or a task. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as CommandLine from "./CommandLine.ts"
import * as Logging from "./ops/Logging.ts"
import * as Signals from "./ops/Signals.ts"
import { Server } from "./Server.ts"
import { ServerConfig, type Settings } from "./ServerConfig.ts"
import * as Tasks from "./Tasks.ts"

const run = (settings: Settings) =>
  Effect.flatMap(Server, ({ running }) => running).pipe(
    Effect.provide(Layer.provide(Server.layer, ServerConfig.layer(settings))),
    Effect.provide(Signals.layer),
    Effect.tapDefect((cause) => Effect.logError("The server failed", cause)),
    Effect.tapError(({ message }) => Console.error(message)),
    Effect.provide(Logging.layer(settings))
  )

// All that is said of an end is said already.
const options = { disableErrorReporting: true, disablePrettyLogger: true }
const parsed = CommandLine.parse(process.argv.slice(2), process.env)
if ("settings" in parsed) {
  NodeRuntime.runMain(run(parsed.settings), options)
} else if ("task" in parsed) {
  NodeRuntime.runMain(Effect.tapError(Tasks.run(parsed.task), ({ message }) => Console.error(message)), {
    ...options,
    // What a signal ends was not done.
    teardown: (exit, end) => end(Exit.isSuccess(exit) ? 0 : 1)
  })
} else {
  process.exitCode = parsed.code
  const stream = parsed.code === 0 ? process.stdout : process.stderr
  stream.write(parsed.words)
}
