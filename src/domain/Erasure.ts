/** Which of the said lines are to go: those of one person, or of one address, from some time on. */
import * as Net from "node:net"
import { type Address, ipOf, plainIp } from "./Address.ts"
import { longestName, type Name, nameKey } from "./Name.ts"

export interface Erasure {
  /** An IP address; or a name, or an address as people see it, that the lines were said under. */
  readonly whose: string
  /** When the first of them was said, in ms since 1970. */
  readonly from: number
}

interface Spoken {
  readonly at: number
  readonly who: { readonly address: Address; readonly name: Name }
}

/** Whether a line is one of them. */
export const matcher = ({ from, whose }: Erasure): (line: Spoken) => boolean => {
  if (Net.isIP(whose) > 0) {
    const ip = plainIp(whose)
    return ({ at, who }) => at >= from && plainIp(ipOf(who.address)) === ip
  }
  const key = whose.length > longestName ? undefined : nameKey(whose)
  // Names repeat: a key takes longer than to look it up.
  const known = new Map<string, boolean>()
  const isCalled = (name: Name) => {
    let is = known.get(name)
    if (is === undefined) known.set(name, is = nameKey(name) === key)
    return is
  }
  return ({ at, who }) => at >= from && (who.address === `${whose}` || isCalled(who.name))
}
