/** `npm run soak`: hundreds of clients of all kinds for some minutes, and a report. Needs Linux: `/proc`, 127.0.0.0/8. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Command } from "commander"
import { Effect, Exit } from "effect"
import * as Soak from "./Soak.ts"

const { clients, data, entry, minutes, seed } = new Command("npm run soak --")
  .option("--minutes <N>", "how long the crowd stays; the end takes half a minute more", Number, 2)
  .option("--clients <N>", "size of the crowd", Number, 300)
  .option("--seed <N>", "what the crowd's dice start from", Number, 20)
  .option("--data <file|none>", "whether the server keeps what is said, in a file that is gone at the end", "file")
  .option("--entry <FILE>", "the server; another one here shows whether the soak can fail", "src/main.ts")
  .allowExcessArguments(false)
  .parse()
  .opts<Soak.Plan>()

Effect.scoped(Soak.run({ clients, data, entry, minutes, seed })).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    // The report has said it all; only the exit code is left.
    disableErrorReporting: true,
    // Always by `process.exit`: left to itself, Node 20 was once seen spinning for ever in its own clean-up of handles,
    // after some thousand resets.
    teardown: (exit) => process.exit(Exit.isSuccess(exit) ? 0 : 1)
  })
)
