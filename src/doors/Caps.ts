/**
 * How many connections may be open, in all and from one IP address, and how fast all those of one address may go on
 * together. Plain code; knows no socket.
 */
import { Pace } from "../chat/Pace.ts"
import { SweptMap } from "../chat/SweptMap.ts"
import { networkOf } from "../domain/Address.ts"
import type { CapReason } from "../domain/Reasons.ts"

interface Limits {
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
  /** Lines a second; 0 for any number. */
  readonly ratePerIp: number
  /** How many lines may come at once. */
  readonly burst: number
}

export class Caps {
  private readonly limits: Limits
  private open = 0
  private readonly openPerIp = new Map<string, number>()
  private readonly paces = new SweptMap<{ readonly pace: Pace; open: number }>(
    // Nobody is connected from there, and nothing is owed.
    ({ open, pace }, now) => open === 0 && pace.isPaid(now)
  )

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Which cap one more connection from this address would break, if it would. */
  reached(ip: string): Extract<CapReason, "server-full" | "address-full"> | undefined {
    if (this.open >= this.limits.maxConnections) return "server-full"
    return (this.openPerIp.get(ip) ?? 0) >= this.limits.maxConnectionsPerIp ? "address-full" : undefined
  }

  /**
   * Counts a connection from this address until `leave`, and gives the pace that all connections of its network share. A pace
   * outlives its connections for as long as something is owed, so nobody gets a new one by coming again. `now` is in ms.
   */
  enter(ip: string, now: number): Pace {
    this.open++
    this.openPerIp.set(ip, (this.openPerIp.get(ip) ?? 0) + 1)
    const network = networkOf(ip)
    let shared = this.paces.get(network)
    if (shared === undefined) {
      const { burst, ratePerIp } = this.limits
      shared = { pace: new Pace(ratePerIp, Math.max(burst, 2 * ratePerIp)), open: 0 }
      this.paces.set(network, shared, now)
    }
    shared.open++
    return shared.pace
  }

  leave(ip: string, now: number): void {
    this.open--
    const others = (this.openPerIp.get(ip) ?? 0) - 1
    if (others > 0) this.openPerIp.set(ip, others)
    else this.openPerIp.delete(ip)
    const network = networkOf(ip)
    const shared = this.paces.get(network)
    if (shared !== undefined && --shared.open === 0 && shared.pace.isPaid(now)) this.paces.delete(network)
  }

  /** How many networks are known. */
  get networks(): number {
    return this.paces.size
  }
}
