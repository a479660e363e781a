import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Entry = Schema.Struct({
  integrity: Schema.optional(Schema.String),
  resolved: Schema.optional(Schema.Unknown),
  link: Schema.optional(Schema.Boolean)
})
const Lockfile = Schema.parseJson(Schema.Struct({ packages: Schema.Record({ key: Schema.String, value: Entry }) }))

// `npx tsx .ci/integrity.ts` mends both.
describe.each(["package-lock.json", "test/runtimes/package-lock.json"])("%s", (file) => {
  const packages = Effect.gen(function*() {
    const text = yield* (yield* FileSystem.FileSystem).readFileString(file)
    const lockfile = yield* Schema.decode(Lockfile)(text)
    // The entry "" is the project itself.
    const { "": _, ...packages } = lockfile.packages
    assert.isNotEmpty(packages)
    return Object.entries(packages)
  }).pipe(Effect.provide(NodeFileSystem.layer))

  const without = (wanted: (entry: typeof Entry.Type) => boolean) =>
    Effect.map(packages, (packages) => packages.filter(([, entry]) => !wanted(entry)).map(([path]) => path))

  it.effect("says of every package by which hash it is known, also of those for other platforms", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* without(({ integrity, link }) => link === true || integrity?.startsWith("sha512-") === true),
        []
      )
    }))

  it.effect("names no place where a package was downloaded", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* without(({ resolved }) => resolved === undefined), [])
    }))
})
