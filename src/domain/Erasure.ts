/** Which of the said lines are to go: those of one person, or of one address, from some time on. */
import * as Arr from "effect/Array"
import * as Net from "node:net"
import { type Address, ipOf, plainIp } from "./Address.ts"
import { longestName, type Name, nameKey } from "./Name.ts"

export interface Erasure {
  /** IP addresses; or names, or addresses as people see them, that the lines were said under. */
  readonly whose: ReadonlyArray<string>
  /** When the first of them was said, in ms since 1970. */
  readonly from: number
}

interface Spoken {
  readonly at: number
  readonly who: { readonly address: Address; readonly name: Name }
}

/** Whether a line is one of them. */
export const matcher = ({ from, whose }: Erasure): (line: Spoken) => boolean => {
  const [ips, words] = Arr.partition(whose, (one) => Net.isIP(one) === 0)
  const networks = new Set(ips.map(plainIp))
  const addresses = new Set<string>(words)
  const keys = new Set(words.filter(({ length }) => length <= longestName).map(nameKey))
  // Names repeat: a key takes longer than to look it up.
  const known = new Map<string, boolean>()
  const isCalled = (name: Name) => {
    let is = known.get(name)
    if (is === undefined) known.set(name, is = keys.has(nameKey(name)))
    return is
  }
  return ({ at, who: { address, name } }) =>
    at >= from &&
    (addresses.has(address) || networks.size > 0 && networks.has(plainIp(ipOf(address))) ||
      keys.size > 0 && isCalled(name))
}
