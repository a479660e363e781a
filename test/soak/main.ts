/** `npm run soak`: hundreds of clients of all kinds for some minutes, and a report. Needs Linux: `/proc`, 127.0.0.0/8. */
import { Command, Options } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import * as Soak from "./Soak.ts"

const options = {
  minutes: Options.float("minutes").pipe(
    Options.withDefault(2),
    Options.withDescription("how long the crowd stays; the end takes half a minute more")
  ),
  clients: Options.integer("clients").pipe(Options.withDefault(300), Options.withDescription("size of the crowd")),
  seed: Options.integer("seed").pipe(
    Options.withDefault(20),
    Options.withDescription("what the crowd's dice start from")
  ),
  entry: Options.text("entry").pipe(
    Options.withDefault("src/main.ts"),
    Options.withDescription("the server; another one here shows whether the soak can fail")
  )
}

const soak = Command.make("soak", options, (plan) => Effect.scoped(Soak.run(plan)))

Command.run(soak, { name: "tellnet soak", version: "0.1.0" })(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    // The report has said it all; only the exit code is left.
    disableErrorReporting: true,
    // Always by `process.exit`: left to itself, Node 20 was once seen spinning for ever in its own clean-up of handles,
    // after some thousand resets.
    teardown: (exit) => process.exit(Exit.isSuccess(exit) ? 0 : 1)
  })
)
