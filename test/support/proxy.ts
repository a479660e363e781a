/** Headers of the PROXY protocol as a proxy sends them, made in another way than the server reads them. */
import * as Net from "node:net"

export const v1 = (ip: string, port: number): Buffer =>
  Buffer.from(
    Net.isIPv4(ip) ? `PROXY TCP4 ${ip} 192.0.2.1 ${port} 8888\r\n` : `PROXY TCP6 ${ip} 2001:db8::1 ${port} 8888\r\n`
  )

interface Unusual {
  readonly command?: number
  readonly family?: number
  readonly tlvs?: Uint8Array
}

export const v2 = (ip: string, port: number, { command, family, tlvs }: Unusual = {}): Buffer => {
  const from = bytesOf(ip)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(port)
  ports.writeUInt16BE(8888, 2)
  const rest = Buffer.concat([from, Buffer.alloc(from.length, 1), ports, tlvs ?? new Uint8Array()])
  const head = Buffer.from("\r\n\r\n\0\r\nQUIT\n\0\0\0\0")
  head[12] = command ?? 0x21
  head[13] = family ?? (from.length === 4 ? 0x11 : 0x21)
  head.writeUInt16BE(rest.length, 14)
  return Buffer.concat([head, rest])
}

/** The 4 or 16 bytes of an address. */
export const bytesOf = (ip: string): Buffer => {
  if (Net.isIPv4(ip)) return Buffer.from(ip.split(".").map(Number))
  // A URL writes all of it in hexadecimal.
  const [head = "", tail] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split("::")
  const groups = (text: string | undefined) => text ? text.split(":") : []
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill("0")
  const all = [...groups(head), ...zeros, ...groups(tail)]
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex")
}
