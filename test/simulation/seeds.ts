import * as Record from "effect/Record"
import { Broken, simulate } from "./Simulation.ts"

// So many seeds take a minute or two.
const progressEvery = 2000

/** 20 s in which much happens, and three hours in which little does: ms, and the longest pause. */
const lives = { short: [20_000, 400], long: [10_800_000, 150_000] } as const

/**
 * Runs so many seeds from one on, and prints how that went; whether no law was broken: it ends at the first seed with which one
 * was.
 */
export const runSeeds = (first: number, count: number, life: keyof typeof lives = "short"): boolean => {
  const [ms, pause] = lives[life]
  const sums = { records: 0, said: 0, burials: 0, purged: 0 }
  for (let seed = first; seed < first + count; seed++) {
    try {
      const report = simulate(seed, ms, pause)
      for (const key of Record.keys(sums)) sums[key] += report[key]
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      console.log(`seed ${seed}: ${error.message}`)
      return false
    }
    const done = seed - first + 1
    if (done % progressEvery === 0 || done === count) {
      const what = Object.entries(sums).map(([what, sum]) => `${sum} ${what}`).join(", ")
      console.log(`${done} seeds from ${first}: ${what}; no law was broken`)
    }
  }
  return true
}
