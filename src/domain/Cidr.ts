/** One network as operators write it, in one way only, so that it is found again however it was written. */
import * as Brand from "effect/Brand"
import * as Option from "effect/Option"
import * as Net from "node:net"
import { plainIp } from "./Address.ts"
import * as Networks from "./Networks.ts"

/** An address, or a network with its length: `10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`. */
export type Cidr = string & Brand.Brand<"Cidr">
const Cidr = Brand.nominal<Cidr>()

/** No network with fewer bits can be banned by one word. */
export const widest = { v4: 8, v6: 32 } as const

/** The text as a network; what is behind the length in it does not count. */
export const read = (text: string): Option.Option<Cidr> => {
  const [, written = "", length] = /^([\d.]+|[\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const ip = plainIp(written)
  if (Net.isIP(ip) === 0 || Net.isIPv4(ip) !== Net.isIPv4(written)) return Option.none()
  const size = sizeOf(ip)
  const bits = length === undefined ? size : Number(length)
  return bits > size ? Option.none() : Option.some(networkOf(numberOf(ip), bits, size))
}

/** All networks that an address, as its socket gives it, is in; the narrowest first. */
export const around = (ip: string): ReadonlyArray<Cidr> => {
  const plain = ip.replace(/%.*/, "")
  const [number, size] = [numberOf(plain), sizeOf(plain)]
  return Array.from({ length: size + 1 }, (_, rest) => networkOf(number, size - rest, size))
}

type Size = 32 | 128

const sizeOf = (ip: string): Size => Net.isIPv4(ip) ? 32 : 128

/** The network of this many bits that an address is in. */
const networkOf = (number: bigint, bits: number, size: Size): Cidr => {
  const rest = BigInt(size - bits)
  const first = ipOf((number >> rest) << rest, size)
  return Cidr(bits === size ? first : `${first}/${bits}`)
}

/** The network of an origin as `originOf` gives it; nothing if that is no address. */
export const ofOrigin = (origin: string): Option.Option<Cidr> => read(origin.includes(":") ? `${origin}::/64` : origin)

export const isTooWide = (cidr: Cidr): boolean => {
  const [ip = "", length] = cidr.split("/")
  return length !== undefined && Number(length) < (Net.isIPv4(ip) ? widest.v4 : widest.v6)
}

/** Whether an address is in it. Node takes IPv4 addresses for those of `::/32` too; nobody means them by that. */
export const has = (cidr: Cidr, ip: string): boolean =>
  Net.isIPv4(ip) === Net.isIPv4(firstOf(cidr)) &&
  Option.exists(Networks.read(cidr), (networks) => Networks.has(networks, ip))

/** Whether some address is in it and in one of these. */
export const meets = (cidr: Cidr, networks: Networks.Networks): boolean =>
  Networks.has(networks, firstOf(cidr)) || Networks.firsts(networks).some((ip) => has(cidr, ip))

const firstOf = (cidr: Cidr): string => cidr.split("/")[0] ?? ""

const numberOf = (ip: string): bigint => {
  if (Net.isIPv4(ip)) return ip.split(".").reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  const groups = groupsOf(ip)
  return groups.reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n)
}

/** The eight groups of an IPv6 address, whose last two may be written as IPv4. */
const groupsOf = (ip: string): ReadonlyArray<string> => {
  const parts = (text: string | undefined) =>
    (text ? text.split(":") : []).flatMap((part) => {
      if (!part.includes(".")) return [part]
      const low = numberOf(part)
      return [(low >> 16n).toString(16), (low & 0xffffn).toString(16)]
    })
  const [head, tail] = ip.split("::")
  const [before, behind] = [parts(head), parts(tail)]
  return [...before, ...Array<string>(Math.max(0, 8 - before.length - behind.length)).fill("0"), ...behind]
}

const ipOf = (number: bigint, size: Size): string => {
  const [width, base, separator] = size === 32 ? [8n, 10, "."] as const : [16n, 16, ":"] as const
  const parts: Array<string> = []
  for (let shift = BigInt(size) - width; shift >= 0n; shift -= width) {
    parts.push(((number >> shift) & ((1n << width) - 1n)).toString(base))
  }
  return plainIp(parts.join(separator))
}
