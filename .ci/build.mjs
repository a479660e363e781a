/**
 * Makes what runs alone, with Node and nothing else: `npm run build [-- FOLDER]`. The server is one file; beside it are the
 * threads that have its data, the binding of SQLite for this platform, the web page, and the terminal client, one file too.
 * `npm pack` takes all of it but the binding, on which the package depends.
 */
import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { cp, rm } from "node:fs/promises"
import { buildPage } from "./page.mjs"

const [, , folder = "dist"] = process.argv

/** The commit that this is, with `-dirty` if it was changed; "" if it is none. */
const commit = () => {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    }).trim()
  } catch {
    return ""
  }
}

await build({
  entryPoints: {
    tellnet: "src/main.ts",
    SqliteWriter: "src/log/SqliteWriter.mjs",
    SqliteCopy: "src/log/SqliteCopy.mjs",
    "tellnet-client": "src/terminal/main.ts"
  },
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.10",
  mainFields: ["module", "main"],
  define: { BUILT_FROM: JSON.stringify(commit()) },
  // It looks for the binding of the platform itself.
  external: ["libsql"],
  // Packages of the older kind ask for others by `require`.
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  logLevel: "warning"
})
await buildPage(`${folder}/page`)
for (const name of ["libsql", "@libsql", "@neon-rs/load"]) {
  const copy = `${folder}/node_modules/${name}`
  await rm(copy, { recursive: true, force: true })
  await cp(`node_modules/${name}`, copy, { recursive: true })
}
console.log(`${folder}/tellnet.mjs and what lies beside it: run it with node`)
