/** A peer as people read it. Knows no socket. */
import * as Brand from "effect/Brand"

/** A peer as people read it: `ip:port`, IPv6 as `[::1]:port`, an IPv4-mapped address as IPv4. */
export type Address = string & Brand.Brand<"Address">
const Address = Brand.nominal<Address>()

/** The address of a peer, from what its socket says of it. */
export const address = (ip: string, port: number): Address => {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, "")
  return Address(plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`)
}
