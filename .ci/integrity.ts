/**
 * Completes the lock files after a change of dependencies: `npx tsx .ci/integrity.ts`. npm leaves `integrity` out for
 * what it did not download, such as the binaries of other platforms: here it is asked for each. `resolved` is taken out,
 * so that no file names a registry.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"

const lockfiles = ["package-lock.json", "test/runtimes/package-lock.json"]

// Nothing changes its place.
const asItStands = { propertyOrder: "original" } as const

const Fields = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Lockfile = Schema.parseJson(
  Schema.Struct({ packages: Schema.Record({ key: Schema.String, value: Fields }) }, Fields),
  { space: 2 }
)

class Incomplete extends Data.TaggedError("Incomplete")<{
  readonly file: string
  readonly packages: ReadonlyArray<string>
}> {
  override get message() {
    return `npm gave no integrity, for the reasons above, of ${this.packages.join(", ")}. ${this.file} has all others.`
  }
}

/** What the registry says of one version of a package; empty if it does not have it. */
const integrity = (spec: string) =>
  Command.make("npm", "view", spec, "dist.integrity").pipe(
    Command.stderr("inherit"),
    Command.string,
    Effect.map((text) => text.trim())
  )

const completed = (path: string, written: typeof Fields.Type) =>
  Effect.gen(function*() {
    const entry = Struct.omit(written, "resolved")
    // The path "" is the project itself, a link one of its folders.
    if (path === "" || "link" in entry || "integrity" in entry) return entry
    const { version, ...rest } = entry
    const found = yield* integrity(`${entry.name ?? path.split("node_modules/").at(-1)}@${version}`)
    // npm writes it in second place.
    return found === "" ? entry : { version, integrity: found, ...rest }
  })

const complete = (file: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const lockfile = yield* Schema.decode(Lockfile, asItStands)(yield* files.readFileString(file))
    const packages = yield* Effect.forEach(
      Object.entries(lockfile.packages),
      ([path, entry]) => Effect.map(completed(path, entry), (entry) => [path, entry] as const),
      // A few at once, not a flood.
      { concurrency: 4 }
    )
    const text = yield* Schema.encode(Lockfile, asItStands)({ ...lockfile, packages: Object.fromEntries(packages) })
    yield* files.writeFileString(file, `${text}\n`)
    const missing = packages.filter(([path, entry]) => path !== "" && !("link" in entry) && !("integrity" in entry))
    if (missing.length > 0) return yield* new Incomplete({ file, packages: missing.map(([path]) => path) })
  })

NodeRuntime.runMain(Effect.provide(Effect.forEach(lockfiles, complete), NodeContext.layer))
