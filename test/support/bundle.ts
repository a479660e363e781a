/** Builds the server before the tests: it starts six times sooner than its sources under `tsx`. */
import { spawnSync } from "node:child_process"

const folder = "node_modules/.cache/tellnet-test"

export const bundle = `${folder}/tellnet.mjs`
export const client = `${folder}/tellnet-client.mjs`

export default () => {
  const { status, stderr } = spawnSync("npm", ["run", "build", "--", folder], { encoding: "utf8" })
  if (status !== 0) throw new Error(`npm run build failed: ${stderr}`)
}
