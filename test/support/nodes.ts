/** Several nodes of one chat in this process, for tests that do not care how many there are. */
import * as Effect from "effect/Effect"
import type { Stats } from "../../src/ops/Stats.ts"

/** So many are started wherever a test starts a server that keeps nothing: one, or as the project `nodes` has it. */
export const nodes = Number(process.env["TEST_NODES"] ?? 1)

export const isOnNodes = nodes > 1

const links = new Set<(typeof Stats.Service)["link"]>()

/** Knows a node until the end of the scope. */
export const known = ({ link }: typeof Stats.Service) =>
  Effect.acquireRelease(Effect.sync(() => links.add(link)), () => Effect.sync(() => links.delete(link)))

/**
 * Waits until all nodes have told of what one of them has told of. A node says how far it is a moment behind what it tells,
 * so this looks a moment later.
 */
export const level: Effect.Effect<void> = Effect.suspend(() => {
  const most = Math.max(0, ...Array.from(links, ({ place }) => place))
  return Array.from(links).every(({ place }) => place >= most) ? Effect.void : level
}).pipe(Effect.delay("1 millis"))

let ports = 10_000 + (process.pid * 97) % 10_000

/**
 * A port for a client, below those that the system gives out: it gives the same one to two clients of two nodes, which would
 * have the same address then. Some program may have it.
 */
export const ownPort = (): number => ports = ports >= 32_000 ? 10_000 : ports + 1

/** The nodes to which the clients of a port come in turn. */
const balanced = new Map<number, Array<number>>()

export const balance = (ports: ReadonlyArray<number>): number => {
  const [first = 0] = ports
  balanced.set(first, [...ports])
  return first
}

/** The port of the node to which the next client of this port comes. */
export const nextPort = (port: number): number => {
  const ports = balanced.get(port)
  const next = ports?.shift() ?? port
  ports?.push(next)
  return next
}
