/** The server's memory, descriptors and users over time, and whether the memory grows without end. */
import type { Vitals } from "./ServerProcess.ts"

export interface Sample extends Vitals {
  readonly second: number
  readonly online: number
  readonly ordered: number
  /** Milliseconds by which the soak's own second was too long: where that is much, the soak is slow, not the server. */
  readonly lag: number
}

export interface Samples {
  readonly add: (sample: Sample) => void
  readonly all: () => ReadonlyArray<Sample>
}

/** More than an hour of seconds; a longer run keeps every second one, then every fourth. */
const kept = 4096

export const make = (): Samples => {
  let samples: Array<Sample> = []
  let every = 1
  return {
    add: (sample) => {
      if (sample.second % every === 0) samples.push(sample)
      if (samples.length < kept) return
      every *= 2
      samples = samples.filter(({ second }) => second % every === 0)
    },
    all: () => samples
  }
}

const median = (samples: ReadonlyArray<Sample>): number => {
  const sorted = samples.map(({ memory }) => memory).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export interface Growth {
  /** Median memory of each third of the run after the warm-up, in MiB. */
  readonly thirds: readonly [number, number, number]
  /** What the last third may reach. */
  readonly allowed: number
  readonly endless: boolean
}

/**
 * Tolerance: the last third's median may exceed the first's by 15% and 16 MiB, by which node's heap breathes. With 200 MiB
 * and the 7000 visits of two minutes, half of them between these medians, a leak shows from some 14 KiB a visit on. Smaller
 * ones need more minutes.
 */
export const growth = (samples: ReadonlyArray<Sample>): Growth => {
  const last = samples.at(-1)?.second ?? 0
  const warm = samples.filter(({ second }) => second >= Math.min(60, last / 4))
  const third = Math.ceil(warm.length / 3)
  const thirds = [0, 1, 2].map((index) => median(warm.slice(index * third, (index + 1) * third)))
  const [first = 0, second = 0, final = 0] = thirds
  const allowed = first * 1.15 + 16
  return { thirds: [first, second, final], allowed, endless: final > allowed }
}

const cell = (value: number | string) => String(value).padStart(12)

/** Some twenty rows, whatever the length. */
export const table = (samples: ReadonlyArray<Sample>): string => {
  const step = Math.max(1, Math.ceil(samples.length / 20))
  const rows = samples.filter((_, index) => index % step === 0 || index === samples.length - 1)
  const head = ["second", "memory MiB", "descriptors", "online", "broadcasts", "own lag ms"]
  return [
    head.map(cell).join(""),
    ...rows.map((row) =>
      [row.second, row.memory.toFixed(1), row.descriptors, row.online, row.ordered, row.lag.toFixed(0)].map(cell).join(
        ""
      )
    )
  ].join("\n")
}
