/** What is done to the nodes and when: made of dice alone, so that a seed gives the same plan again. */
import * as Dice from "../Dice.ts"

export interface Blow {
  readonly kind: "node killed" | "node frozen" | "black hole" | "reset" | "NATS killed" | "NATS frozen"
  /** Seconds after the blow before. */
  readonly after: number
  /** The node that it hits; without a meaning for NATS. */
  readonly node: number
  /** Seconds until it is mended. */
  readonly lasts: number
}

/** Longer than the lease, so that the others think it dead, or not. */
const freeze = (dice: Dice.Dice) => dice.chance(0.6) ? dice.between(6, 9) : dice.between(1, 4)

/** So many seconds each at most, and between two of them: a short run meets the first. */
const kinds: ReadonlyArray<readonly [Blow["kind"], (dice: Dice.Dice) => number]> = [
  ["node killed", (dice) => dice.between(0, 8)],
  ["node frozen", freeze],
  ["black hole", () => 10],
  ["reset", () => 0],
  ["NATS killed", (dice) => dice.between(0, 6)],
  ["NATS frozen", freeze]
]

const shuffled = <A>(dice: Dice.Dice, all: ReadonlyArray<A>): Array<A> => {
  const rest = [...all]
  return all.flatMap(() => rest.splice(dice.between(0, rest.length - 1), 1))
}

/** Rounds of all kinds in any order, for so many seconds. */
export const make = (seed: number, seconds: number, nodes: number): ReadonlyArray<Blow> => {
  const dice = Dice.make(seed, "blows")
  const blows: Array<Blow> = []
  let at = 0
  while (true) {
    for (const [kind, last] of shuffled(dice, kinds)) {
      const blow = { kind, after: dice.between(2, 7), node: dice.between(1, nodes), lasts: last(dice) }
      at += blow.after + blow.lasts
      if (at > seconds) return blows
      blows.push(blow)
    }
  }
}

export const words = ({ after, kind, lasts, node }: Blow): string =>
  `${after} s later: ${kind}${kind.startsWith("NATS") ? "" : ` (node ${node})`}${lasts > 0 ? ` for ${lasts} s` : ""}`
