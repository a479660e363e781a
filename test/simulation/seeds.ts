import { Broken, simulate } from "./Simulation.ts"

// So many seeds take a minute or two.
const progressEvery = 2000

/** Runs so many seeds from one on, and prints how that went; whether no law was broken: it ends at the first seed that does. */
export const runSeeds = (first: number, count: number): boolean => {
  const sums = { records: 0, said: 0, burials: 0 }
  for (let seed = first; seed < first + count; seed++) {
    try {
      const report = simulate(seed)
      for (const key of ["records", "said", "burials"] as const) sums[key] += report[key]
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      console.log(`seed ${seed}: ${error.message}`)
      return false
    }
    const done = seed - first + 1
    if (done % progressEvery === 0 || done === count) {
      const { burials, records, said } = sums
      console.log(
        `${done} seeds from ${first}: ${records} records, ${said} lines, ${burials} burials; no law was broken`
      )
    }
  }
  return true
}
