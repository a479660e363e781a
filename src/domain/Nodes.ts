/** Which nodes write the log together, and which of their records count: a part of the fold. Knows no clock and no network. */
import * as HashMap from "effect/HashMap"
import type { NodeId, Stored } from "./Event.ts"

// Whoever is gone may have a record on its way still, for some minutes; so many are remembered.
const fewGone = 1000

export interface Nodes {
  /** The number of the last record of each that is not gone. */
  readonly last: HashMap.HashMap<NodeId, number>
  /** Those of whom nothing counts any more, in order. */
  readonly gone: ReadonlyArray<NodeId>
}

export const empty: Nodes = { last: HashMap.empty(), gone: [] }

/**
 * With this record, or `undefined` if it does not count: its node is gone, or it came before, and was sent again because its
 * acknowledgement was lost. A record without a number always counts: it says what may be said twice.
 */
export const admit = (nodes: Nodes, { node, number }: Pick<Stored, "node" | "number">): Nodes | undefined => {
  if (number === 0) return nodes
  const last = HashMap.get(nodes.last, node)
  const counts = last._tag === "Some" ? number > last.value : !nodes.gone.includes(node)
  return counts ? { ...nodes, last: HashMap.set(nodes.last, node, number) } : undefined
}

/** Nothing of this node counts from here on; `undefined` if it is gone already. */
export const bury = (nodes: Nodes, node: NodeId): Nodes | undefined =>
  nodes.gone.includes(node)
    ? undefined
    : { last: HashMap.remove(nodes.last, node), gone: [...nodes.gone, node].slice(-fewGone) }
