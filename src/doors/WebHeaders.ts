/** What the headers of a request say of where it comes from. Plain and total; knows no socket. */
import * as Net from "node:net"
import { plainIp } from "../domain/Address.ts"
import * as Networks from "../domain/Networks.ts"

/** A host as a request names it: a name, an IPv4 address, or an IPv6 address in brackets; and perhaps a port. */
const hostPattern = /^(?:\[([\da-f:.]+)\]|([^\s:[\]/?#@]+))(?::\d{1,5})?$/i

/**
 * Whether a browser may have come here by this `Host`. A name that is not known may be pointed here by anybody, whose page
 * would then be of the same origin as ours (DNS rebinding); an address cannot.
 */
export const isKnownHost = (hosts: ReadonlyArray<string> | undefined, names: ReadonlyArray<string>): boolean => {
  const [host, ...others] = hosts ?? []
  if (host === undefined || others.length > 0) return false
  const [, ipv6, name = ""] = hostPattern.exec(host) ?? []
  if (ipv6 !== undefined) return Net.isIPv6(ipv6)
  return Net.isIPv4(name) || name.toLowerCase() === "localhost" || names.includes(name.toLowerCase())
}

/**
 * Whether this `Origin` may talk here: that of our own page, one of `others`, or none, as what is no browser sends. A page of
 * somebody else must not talk in the name of whoever looks at it.
 */
export const isOwnOrigin = (
  origin: string | undefined,
  own: { readonly scheme: "http" | "https"; readonly host: string },
  others: ReadonlyArray<string>
): boolean => {
  if (origin === undefined) return true
  const page = `${own.scheme}://${own.host}`
  return others.includes(origin) || URL.canParse(page) && origin === new URL(page).origin
}

/**
 * The IP address that a chain of trusted proxies speaks for, by all `X-Forwarded-For` of a request: the last one that is none
 * of theirs, since everybody can write what stands before it. `undefined`: there is none, or something else in its place.
 */
export const forwardedFor = (
  headers: ReadonlyArray<string> | undefined,
  proxies: Networks.Networks
): string | undefined => {
  for (const part of (headers ?? []).join(",").split(",").toReversed()) {
    const ip = plainIp(part.trim())
    // What is not on the wire of anybody, such as a zone, is no address here.
    if (Net.isIP(ip) === 0 || ip.includes("%")) return undefined
    if (!Networks.has(proxies, ip)) return ip
  }
  return undefined
}
