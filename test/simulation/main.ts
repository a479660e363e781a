/** `tsx test/simulation/main.ts FIRST COUNT`: runs so many seeds from one on; code 1, and why, at the first that breaks a law. */
import { Broken, simulate } from "./Simulation.ts"

const [first = 1, count = 1] = process.argv.slice(2).map(Number)
const sums = { records: 0, said: 0, burials: 0 }

for (let seed = first; seed < first + count; seed++) {
  try {
    const report = simulate(seed)
    for (const key of ["records", "said", "burials"] as const) sums[key] += report[key]
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    console.log(`seed ${seed}: ${error.message}`)
    process.exit(1)
  }
}
console.log(
  `${count} seeds from ${first}: ${sums.records} records, ${sums.said} lines, ${sums.burials} burials; no law was broken`
)
process.exit(0)
