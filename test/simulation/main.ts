/** `tsx test/simulation/main.ts FIRST COUNT`: runs so many seeds from one on; code 1, and why, at the first that breaks a law. */
import { runSeeds } from "./seeds.ts"

const [first = 1, count = 1] = process.argv.slice(2).map(Number)
process.exit(runSeeds(first, count) ? 0 : 1)
