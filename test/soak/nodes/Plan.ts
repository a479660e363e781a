/** What is done to the nodes and when: made of dice alone, so that a seed gives the same plan again. */
import { Struct } from "effect"
import * as Dice from "../Dice.ts"

export interface Blow {
  readonly kind: Kind
  /** Seconds after the blow before was mended; or after it came, if this one comes `during` it. */
  readonly after: number
  readonly during: boolean
  /** The node that it hits, from 1 on; without a meaning for NATS and for all nodes. */
  readonly node: number
  /** Seconds until it is mended. */
  readonly lasts: number
}

/** Longer than the lease, so that the others think it dead, or not. */
const freeze = (dice: Dice.Dice) => dice.chance(0.6) ? dice.between(6, 9) : dice.between(1, 4)

/** What it hits, and for how many seconds. */
const kinds = {
  "node killed": { hits: "node", lasts: (dice: Dice.Dice) => dice.between(0, 8) },
  "node frozen": { hits: "node", lasts: freeze },
  "black hole": { hits: "node", lasts: () => 10 },
  reset: { hits: "node", lasts: () => 0 },
  "all nodes killed": { hits: "nodes", lasts: (dice: Dice.Dice) => dice.between(0, 3) },
  "NATS killed": { hits: "NATS", lasts: (dice: Dice.Dice) => dice.between(0, 6) },
  "NATS frozen": { hits: "NATS", lasts: freeze }
} as const
type Kind = keyof typeof kinds

const shuffled = <A>(dice: Dice.Dice, all: ReadonlyArray<A>): Array<A> => {
  const rest = [...all]
  return all.flatMap(() => rest.splice(dice.between(0, rest.length - 1), 1))
}

/** Whether one may come while the other lasts: a node that is killed must be able to start again. */
const canMeet = (one: Blow, other: Blow) => {
  const [hits, others] = [kinds[one.kind].hits, kinds[other.kind].hits]
  return one.lasts >= 3 && !one.during && hits !== "nodes" && others !== "nodes"
    && (hits !== others || hits === "node" && one.node !== other.node)
}

/** Rounds of all kinds in any order, for so many seconds; now and then one while another lasts. */
export const make = (seed: number, seconds: number, nodes: number): ReadonlyArray<Blow> => {
  const dice = Dice.make(seed, "blows")
  const blows: Array<Blow> = []
  let end = 0
  while (true) {
    for (const kind of shuffled(dice, Struct.keys(kinds))) {
      const before = blows.at(-1)
      const alone: Blow = {
        kind,
        after: dice.between(2, 7),
        during: false,
        node: dice.between(1, nodes),
        lasts: kinds[kind].lasts(dice)
      }
      const during = dice.chance(0.4) && before !== undefined && canMeet(before, alone)
      const blow = during ? { ...alone, after: dice.between(1, 2), during } : alone
      end = during ? Math.max(end, end - before.lasts + blow.after + blow.lasts) : end + blow.after + blow.lasts
      if (end > seconds) return blows
      blows.push(blow)
    }
  }
}

export const words = ({ after, during, kind, lasts, node }: Blow): string =>
  `${after} s ${during ? "into that" : "later"}: ${kind}${kinds[kind].hits === "node" ? ` (${node})` : ""}`
  + (lasts > 0 ? ` for ${lasts} s` : "")
