/** `npm run bench`: compares servers under the same loads, prints a table, and writes it with charts to `results/`. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ServerName } from "./Job.ts"
import { loadNames, serverNames } from "./Plan.ts"
import { report } from "./Report.ts"
import { runAll } from "./Run.ts"

const list = <A extends string>(name: string, item: Schema.Schema<A>) =>
  Options.text(name).pipe(
    Options.withSchema(Schema.compose(Schema.split(","), Schema.Array(item), { strict: false })),
    Options.optional
  )

const flags = {
  only: list("only", Schema.Literal(...loadNames)).pipe(
    Options.withDescription(`Only these loads, comma-separated: ${loadNames.join(", ")}`)
  ),
  servers: list("servers", ServerName).pipe(
    Options.withDescription(`Only these servers, comma-separated: ${serverNames.join(", ")}`)
  ),
  users: Options.integer("users").pipe(
    Options.withDescription("This many users in every load, instead of its own number"),
    Options.optional
  ),
  quick: Options.boolean("quick").pipe(
    Options.withDescription("Fewer users, one short round, no growth: under a minute, for a first look only")
  ),
  repeat: Options.integer("repeat").pipe(
    Options.withDescription("Rounds; figures are medians (3, with --quick 1)"),
    Options.optional
  )
}

const bench = Command.make("bench", flags, ({ only, quick, repeat, servers, users }) => {
  const options = {
    only: Option.getOrElse(only, () => loadNames.filter((name) => !(quick && name === "growth"))),
    servers: Option.getOrElse(servers, () => serverNames),
    users: Option.getOrUndefined(users),
    repeat: Option.getOrElse(repeat, () => quick ? 1 : 3),
    quick
  }
  return Effect.flatMap(runAll(options), (entries) => report(options, entries))
})

Command.run(bench, { name: "tellnet bench", version: "1" })(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  // Already shown by the command line itself.
  Effect.catchIf(ValidationError.isValidationError, () => Effect.sync(() => process.exit(1))),
  NodeRuntime.runMain
)
