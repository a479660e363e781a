/**
 * The header of the PROXY protocol, versions 1 and 2, by which a proxy announces the client that it speaks for
 * (haproxy's `doc/proxy-protocol.txt`). Plain and total; knows no socket.
 *
 * Stricter than the protocol asks for: only clients that came by TCP over IPv4 or IPv6 are taken.
 */
import * as Data from "effect/Data"
import * as Net from "node:net"
import { plainIp } from "../domain/Address.ts"

/** What the first bytes of a connection come to. */
export type Header = Data.TaggedEnum<{
  /** No header yet, but the beginning of one. */
  More: {}
  /** `length`: how many bytes the header takes; those behind it are the client's. */
  Client: { readonly ip: string; readonly port: number; readonly length: number }
  /** LOCAL, UNKNOWN or UNSPEC: the proxy speaks for itself, or does not say for whom. */
  Nobody: {}
  /** Neither a header nor the beginning of one; or one of a family or a length that is not taken. */
  Malformed: {}
}>

const { Client, Malformed, More, Nobody } = Data.taggedEnum<Header>()
const more = More()
const nobody = Nobody()
const malformed = Malformed()

/** The longest line of version 1, its line break included. */
const longestLine = 107
/** How many bytes may follow the first 16 of version 2: the protocol wants a header to fit into the smallest TCP segment. */
const longestRest = 536
/** Whoever has given so many bytes knows whether they begin with a header. */
export const longest = 16 + longestRest

const word = Buffer.from("PROXY ")
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n")

/**
 * Reads all bytes that have come so far, from the first one on. What is decided is so whatever comes behind it; so it makes
 * no difference where the bytes were cut.
 */
export const read = (bytes: Buffer): Header => {
  if (begins(bytes, word)) return bytes.length < word.length ? more : line(bytes)
  if (begins(bytes, signature)) return bytes.length < 16 ? more : binary(bytes)
  return malformed
}

/** Whether the bytes begin with these, as far as they have come. */
const begins = (bytes: Buffer, expected: Buffer): boolean => {
  const known = Math.min(bytes.length, expected.length)
  return bytes.compare(expected, 0, known, 0, known) === 0
}

// Nothing has zeros in front: some read those as octal.
const port = "(0|[1-9][0-9]{0,4})"
const fields = new RegExp(`^PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ${port} ${port}$`)

const line = (bytes: Buffer): Header => {
  const head = bytes.subarray(0, longestLine)
  const end = head.findIndex((byte) => byte === 10 || byte === 13)
  // A line that has not ended yet must have room for the rest of its line break.
  if (end < 0) return head.length < longestLine - 1 ? more : malformed
  if (head[end] === 10 || end === longestLine - 1) return malformed
  if (head.length === end + 1) return more
  if (head[end + 1] !== 10) return malformed
  const text = head.toString("latin1", 0, end)
  if (/^PROXY UNKNOWN(?: |$)/.test(text)) return nobody
  const [, version, from = "", to = "", fromPort, toPort] = fields.exec(text) ?? []
  const isRight = Net.isIP(from) === Number(version) && Net.isIP(to) === Number(version) &&
    Number(fromPort) <= 65_535 &&
    Number(toPort) <= 65_535
  return isRight ? Client({ ip: plainIp(from), port: Number(fromPort), length: end + 2 }) : malformed
}

/** How many bytes of both addresses and both ports there are, for TCP over each family. */
const needed: Record<number, number> = { 0x11: 12, 0x21: 36 }

const binary = (bytes: Buffer): Header => {
  const version = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const rest = bytes.readUInt16BE(14)
  if (version !== 0x20 && version !== 0x21 || rest > longestRest) return malformed
  if (version === 0x20 || family === 0) return nobody
  const least = needed[family]
  if (least === undefined || rest < least) return malformed
  // What follows the addresses says more of the client than anybody asks for here.
  if (bytes.length < 16 + rest) return more
  const size = (least - 4) / 2
  return Client({
    ip: plainIp(text(bytes.subarray(16, 16 + size))),
    port: bytes.readUInt16BE(16 + 2 * size),
    length: 16 + rest
  })
}

/** An address as text, from its 4 or 16 bytes. */
const text = (ip: Buffer): string => ip.length === 4 ? ip.join(".") : ip.toString("hex").match(/.{4}/g)?.join(":") ?? ""
