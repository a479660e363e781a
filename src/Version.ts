/** Which tellnet this is, and what it is made of, in one line. */
import { createRequire } from "node:module"
import manifest from "../package.json" with { type: "json" }

// Which commit it was built from: the build puts it in; sources have none.
declare const BUILT_FROM: string

const load = createRequire(import.meta.url)

/** The version of the SQLite that the binding of this platform holds. */
const sqlite = (): string => {
  try {
    const Database: typeof import("libsql") = load("libsql")
    return String(new Database(":memory:").prepare("select sqlite_version()").raw().get([]))
  } catch {
    return "missing"
  }
}

/** `tellnet 0.2.0 (abc1234) node 20.20.2 …`: names and versions in pairs, and where it is known the commit. */
export const words = (): string => {
  const commit = typeof BUILT_FROM === "undefined" || BUILT_FROM === "" ? "" : ` (${BUILT_FROM})`
  // Only the binding comes from outside: all else is in the bundle.
  const { dependencies: { libsql }, devDependencies: { effect } } = manifest
  return `${manifest.name} ${manifest.version}${commit} node ${process.versions.node} effect ${effect} libsql ${libsql} sqlite ${sqlite()}`
}
