/** Seeded chance: every slot of the population has dice of its own, so what one does depends on no other's timing. */
import { Hash } from "effect"
import { PCGRandom } from "effect/Utils"

export interface Dice {
  /** An integer from `least` to `most`, both included. */
  readonly between: (least: number, most: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(first: A, ...rest: ReadonlyArray<A>) => A
}

export const make = (seed: number, slot: string): Dice => {
  const random = new PCGRandom(seed, Hash.string(slot))
  const between = (least: number, most: number) => least + random.integer(most - least + 1)
  return {
    between,
    chance: (probability) => random.number() < probability,
    pick: (first, ...rest) => rest[between(0, rest.length) - 1] ?? first
  }
}
