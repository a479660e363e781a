/**
 * Makes what runs alone, with Node and nothing else: `npm run build [-- FOLDER]`. The server is one file; beside it are the
 * thread that has the file, the binding of SQLite for this platform, the web page, and the terminal client, one file too.
 */
import { build } from "esbuild"
import { cp } from "node:fs/promises"
import { buildPage } from "./page.mjs"

const [, , folder = "dist"] = process.argv

await build({
  entryPoints: {
    tellnet: "src/main.ts",
    SqliteWriter: "src/log/SqliteWriter.mjs",
    "tellnet-client": "src/terminal/main.ts"
  },
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.10",
  mainFields: ["module", "main"],
  // Packages of the older kind ask for others by `require`.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: "warning"
})
await buildPage(`${folder}/page`)
await cp("node_modules/@libsql", `${folder}/node_modules/@libsql`, { recursive: true })
console.log(`${folder}/tellnet.mjs and what lies beside it: run it with node`)
