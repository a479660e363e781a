/** How often those of one network may come. Plain code; knows no socket. */
import * as Option from "effect/Option"
import { Pace } from "../chat/Pace.ts"
import { SweptMap } from "../chat/SweptMap.ts"
import { networkOf } from "../domain/Address.ts"
import * as Networks from "../domain/Networks.ts"
import type { Settings } from "../ServerConfig.ts"

export class Visits {
  private readonly limits: Pick<Settings, "allow" | "visitsBurst" | "visitsPerIp">
  private readonly paces = new SweptMap<Pace>((pace, now) => pace.isPaid(now))

  constructor(limits: Pick<Settings, "allow" | "visitsBurst" | "visitsPerIp">) {
    this.limits = limits
  }

  /** Counts a visit from this address at the time `now` in ms. `false`: it comes too fast, and does not count. */
  come(ip: string, now: number): boolean {
    const { allow, visitsBurst, visitsPerIp } = this.limits
    if (visitsPerIp === 0 || Option.exists(allow, (networks) => Networks.has(networks, ip))) return true
    const network = networkOf(ip)
    let pace = this.paces.get(network)
    if (pace === undefined) this.paces.set(network, pace = new Pace(visitsPerIp / 60, visitsBurst), now)
    return pace.tryTake(now)
  }

  /** How many networks are known. */
  get networks(): number {
    return this.paces.size
  }
}
