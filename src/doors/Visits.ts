/** How often those of one network may come. Plain code; knows no socket. */
import * as Option from "effect/Option"
import { Pace } from "../chat/Pace.ts"
import { networkOf } from "../domain/Address.ts"
import * as Networks from "../domain/Networks.ts"
import type { Settings } from "../ServerConfig.ts"

// Networks that owe nothing are forgotten when so many are known.
const fewNetworks = 1024

export class Visits {
  private readonly limits: Pick<Settings, "allow" | "visitsBurst" | "visitsPerIp">
  private readonly paces = new Map<string, Pace>()
  private manyNetworks = fewNetworks

  constructor(limits: Pick<Settings, "allow" | "visitsBurst" | "visitsPerIp">) {
    this.limits = limits
  }

  /** Counts a visit from this address at the time `now` in ms. `false`: it comes too fast; it counts all the same. */
  come(ip: string, now: number): boolean {
    const { allow, visitsBurst, visitsPerIp } = this.limits
    if (visitsPerIp === 0 || Option.exists(allow, (networks) => Networks.has(networks, ip))) return true
    const network = networkOf(ip)
    let pace = this.paces.get(network)
    if (pace === undefined) {
      if (this.paces.size >= this.manyNetworks) this.forget(now)
      this.paces.set(network, pace = new Pace(visitsPerIp / 60, visitsBurst))
    }
    return pace.tryTake(now)
  }

  /** How many networks are known. */
  get networks(): number {
    return this.paces.size
  }

  private forget(now: number): void {
    for (const [network, pace] of this.paces) if (pace.isPaid(now)) this.paces.delete(network)
    this.manyNetworks = Math.max(fewNetworks, 2 * this.paces.size)
  }
}
