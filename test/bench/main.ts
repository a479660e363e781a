/** `npm run bench`: compares servers under the same loads, prints a table, and with `--publish` writes it with charts to `results/`. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Command, InvalidArgumentError } from "commander"
import * as Effect from "effect/Effect"
import { loadNames, serverNames } from "./Plan.ts"
import { report } from "./Report.ts"
import { runAll } from "./Run.ts"

/** Reads a list of these names, separated by commas. */
const listOf = <const A extends string>(names: ReadonlyArray<A>) => (text: string): ReadonlyArray<A> =>
  text.split(",").map((word) => {
    const name = names.find((name) => name === word)
    if (name === undefined) throw new InvalidArgumentError(`It must be some of ${names.join(", ")}.`)
    return name
  })

const command = new Command("npm run bench --")
  .option("--only <LOADS>", `only these loads, comma-separated: ${loadNames.join(", ")}`, listOf(loadNames))
  .option("--servers <NAMES>", `only these servers, comma-separated: ${serverNames.join(", ")}`, listOf(serverNames))
  .option("--users <N>", "this many users in every load, instead of its own number", Number)
  .option("--quick", "fewer users, one short round, no growth: under a minute, for a first look only", false)
  .option("--repeat <N>", "rounds; figures are medians (3, with --quick 1)", Number)
  .option("--publish", "write the results to test/bench/results: only for runs whose figures the README gives", false)
  .option("--baseline <DIR>", "another checkout of tellnet, with its node_modules, to be compared as `baseline`")
  .allowExcessArguments(false)
  .parse()

const given = command.opts<{
  readonly only?: ReadonlyArray<typeof loadNames[number]>
  readonly servers?: ReadonlyArray<typeof serverNames[number]>
  readonly users?: number
  readonly quick: boolean
  readonly repeat?: number
  readonly baseline?: string
  readonly publish: boolean
}>()

const options = {
  only: given.only ?? loadNames.filter((name) => !(given.quick && name === "growth")),
  servers: given.servers ?? serverNames,
  users: given.users,
  repeat: given.repeat ?? (given.quick ? 1 : 3),
  quick: given.quick,
  baseline: given.baseline,
  publish: given.publish
}

Effect.flatMap(runAll(options), (entries) => report(options, entries)).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
