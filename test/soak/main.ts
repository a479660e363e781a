/**
 * `npm run soak`: hundreds of clients of all kinds for some minutes, and a report; with `--nodes`, several nodes on
 * NATS and what can befall them; with `--simulate`, many short lives of several nodes in simulated time. Needs Linux: `/proc`, 127.0.0.0/8.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Command } from "commander"
import { Effect, Exit } from "effect"
import { runSeeds } from "../simulation/seeds.ts"
import * as NodesSoak from "./nodes/NodesSoak.ts"
import * as Soak from "./Soak.ts"

interface Options extends Omit<Soak.Plan, "clients"> {
  readonly nodes: number
  readonly clients: number | undefined
  readonly simulate: number
}

const { clients, data, entry, minutes, nodes, seed, simulate } = new Command("npm run soak --")
  .option("--minutes <N>", "how long the crowd stays; the end takes half a minute more", Number, 2)
  .option("--clients <N>", "size of the crowd (300, or 24 of several nodes)", Number)
  .option("--seed <N>", "what the dice start from", Number, 20)
  .option("--data <file|none>", "whether the server keeps what is said, in a file that is gone at the end", "file")
  .option("--entry <FILE>", "the server; another one here shows whether the soak can fail", "src/main.ts")
  .option("--nodes <N>", "so many nodes on a nats-server, which are killed, frozen and cut off", Number, 1)
  .option(
    "--simulate <N>",
    "instead of all that: so many seeds, from --seed on, of several nodes in simulated time",
    Number,
    0
  )
  .allowExcessArguments(false)
  .parse()
  .opts<Options>()

if (simulate > 0) process.exit(runSeeds(seed, simulate) ? 0 : 1)

const soak = nodes > 1
  ? NodesSoak.run({ clients: clients ?? 24, entry, minutes, nodes, seed })
  : Soak.run({ clients: clients ?? 300, data, entry, minutes, seed })

Effect.scoped(soak).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    // The report has said it all; only the exit code is left.
    disableErrorReporting: true,
    // Always by `process.exit`: left to itself, Node 20 was once seen spinning for ever in its own clean-up of handles,
    // after some thousand resets.
    teardown: (exit) => process.exit(Exit.isSuccess(exit) ? 0 : 1)
  })
)
