/**
 * `tsx test/simulation/main.ts FIRST COUNT [long]`: runs so many seeds from one on; code 1, and why, at the first that breaks a
 * law.
 */
import { runSeeds } from "./seeds.ts"

const [first = 1, count = 1, life] = process.argv.slice(2)
process.exit(runSeeds(Number(first), Number(count), life === "long" ? life : "short") ? 0 : 1)
