/** A peer as people read it, and where it comes from. Knows no socket. */
import * as Brand from "effect/Brand"
import * as Net from "node:net"

/**
 * A peer as people read it: `ip:port`, IPv6 as `[::1]:port`, an IPv4-mapped address as IPv4; or `~abcdefgh`, where addresses are
 * hidden.
 */
export type Address = string & Brand.Brand<"Address">
/** Of one that was kept. */
export const Address = Brand.nominal<Address>()

/** An IP address in one way only: an IPv6 address in its shortest form, an IPv4-mapped one as IPv4. Others as they are. */
export const plainIp = (ip: string): string => {
  if (!Net.isIPv6(ip)) return ip
  const shortest = ip.includes("%") ? ip : new Net.SocketAddress({ address: ip, family: "ipv6" }).address
  return withoutMapping(shortest)
}

const withoutMapping = (ip: string): string => ip.replace(/^::ffff:(?=\d+\.)/i, "")

/** The address of a peer, from what its socket says of it. */
export const address = (ip: string, port: number): Address => {
  const plain = withoutMapping(ip)
  return Address(plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`)
}

/** What counts as one address: the IPv4 address, or the /64 of the IPv6 address, of which one customer has at least one. */
export const networkOf = (ip: string): string => {
  const plain = withoutMapping(ip).replace(/%.*/, "")
  if (!Net.isIPv6(plain)) return plain
  const [head = "", tail] = plain.split("::")
  const groups = (text: string | undefined) => text ? text.split(":") : []
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array<string>(Math.max(0, zeros)).fill("0"), ...groups(tail)].slice(0, 4).join(":")
}

/** The IP address in it. */
export const ipOf = (address: Address): string => address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")

/** The network that a peer is in: all that is bounded for each address is bounded for this. A hidden one is a network's own. */
export const originOf = (address: Address): string => networkOf(ipOf(address))

/** Whether it is this machine itself: nobody else reads what comes from there. */
export const isLoopback = (ip: string): boolean => ip === "::1" || Net.isIPv4(ip) && ip.startsWith("127.")
