/** Builds the server into one file before the tests: it starts six times sooner than its sources under `tsx`. */
import { spawnSync } from "node:child_process"

export const bundle = "node_modules/.cache/tellnet-test.mjs"

export default () => {
  const { status, stderr } = spawnSync("npm", ["run", "build", "--", `--outfile=${bundle}`], { encoding: "utf8" })
  if (status !== 0) throw new Error(`npm run build failed: ${stderr}`)
}
