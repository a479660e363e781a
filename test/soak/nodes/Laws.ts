/** What the nodes are judged by: everything that must not happen even once, and what happens besides. */
import type * as Tally from "../Tally.ts"

export const faults = {
  order: "places with two lines, or lines out of order",
  twice: "lines said twice, or told twice to one program",
  lost: "lines that were answered or told to others, and are missing",
  sender: "lines that nobody sent, or with a false sender",
  name: "names with two holders",
  presence: "online or offline wrong, missing or twice",
  private: "private lines lost or twice",
  answer: "answers that are wrong or never came",
  reach: "cut-off without back, or back without cut-off",
  server: "a node did not behave as a whole"
} as const

export const events = {
  connections: "connections made",
  resumes: "returns with what was missed",
  said: "lines sent",
  again: "lines sent again after a cut",
  heard: "lines told as they were said",
  past: "lines told as old ones",
  renames: "renames done",
  moves: "moves to another room",
  privates: "private lines told",
  refusals: "refusals of all kinds",
  takenOver: "connections taken over by the owner of the name, each as one program saw it",
  impatient: "connections given up because no answer came in time",
  cutOffs: "connections told that they were cut off",
  buried: "users thought dead with their node, each as one program saw it",
  killed: "nodes killed",
  massacres: "kills of all nodes at once",
  frozen: "nodes frozen",
  holes: "black holes between a node and NATS",
  resets: "resets of all that was between a node and NATS",
  natsKilled: "kills of NATS",
  natsFrozen: "freezes of NATS"
} as const

export type Fault = keyof typeof faults
export type Event = keyof typeof events
export type NodesTally = Tally.Tally<Event, Fault>
