/** Networks as people write them, `10.0.0.0/8,::1`, and who is in them. */
import * as Option from "effect/Option"
import * as Net from "node:net"
import { plainIp } from "./Address.ts"

export type Networks = Net.BlockList

/** Reads addresses and CIDRs with commas between them; nothing if one of them is neither, or an IPv4-mapped address. */
export const read = (text: string): Option.Option<Networks> => {
  const networks = new Net.BlockList()
  return text.split(",").every((part) => add(networks, part.trim())) ? Option.some(networks) : Option.none()
}

/** All of these in one; what is no network is left out. */
export const union = (texts: ReadonlyArray<string>): Networks => {
  const networks = new Net.BlockList()
  for (const text of texts) add(networks, text)
  return networks
}

/** The first address of each of them. */
export const firsts = ({ rules }: Networks): ReadonlyArray<string> =>
  rules.flatMap((rule) => /^(?:Subnet|Address): IPv[46] ([^/]+)/.exec(rule)?.[1] ?? [])

/** Whether an address, as its socket gives it, is in one of them. */
export const has = (networks: Networks, ip: string): boolean => networks.check(ip.replace(/%.*/, ""), familyOf(ip))

const familyOf = (ip: string) => Net.isIPv6(ip) ? "ipv6" : "ipv4"

const add = (networks: Networks, part: string): boolean => {
  const [, ip = "", prefix] = /^([\d.]+|[\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(part) ?? []
  // It would hold nobody: an IPv4-mapped peer is looked up as the IPv4 address that it is.
  if (Net.isIP(ip) === 0 || Net.isIPv4(plainIp(ip)) !== Net.isIPv4(ip)) return false
  if (prefix === undefined) networks.addAddress(ip, familyOf(ip))
  else if (Number(prefix) > (Net.isIPv4(ip) ? 32 : 128)) return false
  else networks.addSubnet(ip, Number(prefix), familyOf(ip))
  return true
}
