import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Net from "node:net"
import * as ProxyProtocol from "../../src/doors/ProxyProtocol.ts"
import { cut } from "../support/arbitraries.ts"
import { bytesOf, v1, v2 } from "../support/proxy.ts"

const verdict = (bytes: string | Buffer) => ProxyProtocol.read(Buffer.from(bytes))._tag

/** What comes of bytes that arrive in chunks: the first verdict, and how many bytes it took to know. */
const fed = (chunks: ReadonlyArray<Buffer>) => {
  let bytes = Buffer.alloc(0)
  for (const chunk of chunks) {
    bytes = Buffer.concat([bytes, chunk])
    const header = ProxyProtocol.read(bytes)
    if (header._tag !== "More") return { header, known: bytes.length }
  }
  return { header: ProxyProtocol.read(bytes), known: bytes.length }
}

const ip4 = FastCheck.ipV4()
const ip6 = FastCheck.ipV6()
const port = FastCheck.integer({ min: 0, max: 65_535 })

/** The bytes of an address, of an IPv4-mapped one those of the IPv4 address. */
const unmapped = (bytes: Buffer) =>
  bytes.subarray(0, 12).equals(bytesOf("::ffff:0:0").subarray(0, 12)) ? bytes.subarray(12) : bytes

const header: FastCheck.Arbitrary<Buffer> = FastCheck.oneof(
  FastCheck.tuple(FastCheck.oneof(ip4, ip6), port).map(([ip, port]) => v1(ip, port)),
  FastCheck.tuple(FastCheck.oneof(ip4, ip6), port, FastCheck.uint8Array({ maxLength: 500 })).map(([ip, port, tlvs]) =>
    v2(ip, port, { tlvs })
  ),
  FastCheck.constant(Buffer.from("PROXY UNKNOWN\r\n")),
  FastCheck.tuple(
    FastCheck.nat({ max: 255 }),
    FastCheck.nat({ max: 255 }),
    FastCheck.uint8Array({ maxLength: 600 })
  ).map(([command, family, tlvs]) => v2("10.0.0.1", 1, { command, family, tlvs }))
)

/** Whole headers with something behind them, headers with a byte that is wrong, and anything else. */
const input: FastCheck.Arbitrary<Buffer> = FastCheck.oneof(
  FastCheck.tuple(header, FastCheck.uint8Array()).map((parts) => Buffer.concat(parts)),
  FastCheck.tuple(header, FastCheck.nat(), FastCheck.nat({ max: 255 })).map(([bytes, place, byte]) => {
    const spoilt = Buffer.from(bytes)
    spoilt[place % bytes.length] = byte
    return spoilt
  }),
  FastCheck.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes)),
  FastCheck.array(FastCheck.constantFrom("PROXY ", "TCP4", "TCP6", " ", "\r", "\n", "1.2.3.4", "::1", "0", "65536"))
    .map((words) => Buffer.from(words.join("")))
)

describe("ProxyProtocol", () => {
  it.prop(
    "finds the client that a header announces, one way in both versions, and where its own bytes begin",
    [FastCheck.oneof(ip4, ip6), port, FastCheck.uint8Array({ maxLength: 500 }), FastCheck.uint8Array()],
    ([ip, port, tlvs, behind]) => {
      const headers = [v1(ip, port), v2(ip, port), v2(ip, port, { tlvs })]
      const clients = headers.map((header) => ProxyProtocol.read(Buffer.concat([header, behind])))
      const [found = ""] = clients.map((client) => client._tag === "Client" ? client.ip : client._tag)
      assert.deepStrictEqual(bytesOf(found), unmapped(bytesOf(ip)))
      assert.deepStrictEqual(
        clients,
        headers.map(({ length }) => ({ _tag: "Client" as const, ip: found, port, length }))
      )
    }
  )

  it.prop(
    "comes to the same for any cut, throws at nothing, and knows after the longest header at the latest",
    [input.chain((bytes) => FastCheck.tuple(FastCheck.constant(bytes), cut(bytes)))],
    ([[bytes, chunks]]) => {
      const each = Array.from(bytes, (byte) => Buffer.of(byte))
      const { header, known } = fed(each)
      assert.deepStrictEqual(fed(chunks).header, header)
      assert.deepStrictEqual(ProxyProtocol.read(bytes), header)
      assert.isAtMost(known, ProxyProtocol.longest)
      if (bytes.length >= ProxyProtocol.longest) assert.notStrictEqual(header._tag, "More")
      if (header._tag === "Client") {
        assert.strictEqual(header.length, known)
        assert.notStrictEqual(Net.isIP(header.ip), 0)
      }
    }
  )

  for (
    const [title, ip, plain] of [
      ["an IPv4-mapped address as IPv4", "::ffff:10.1.2.3", "10.1.2.3"],
      ["one in hexadecimal too", "::FFFF:a01:203", "10.1.2.3"],
      ["an IPv6 address in its shortest form", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"]
    ] as const
  ) {
    it(`gives ${title}`, () => {
      for (const make of [v1, v2]) {
        const header = make(ip, 1)
        assert.deepInclude(ProxyProtocol.read(header), { ip: plain })
      }
    })
  }

  for (
    const [line, expected] of [
      ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "Client"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 0 0\r\n", "Client"],
      [`PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`, "Client"],
      ["PROXY UNKNOWN\r\n", "Nobody"],
      [`PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`, "Nobody"],
      [`PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "Malformed"],
      [`PROXY UNKNOWN ${"x".repeat(91)}`, "More"],
      [`PROXY UNKNOWN ${"x".repeat(92)}`, "Malformed"],
      ["PROXY UNKNOWNS\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r", "More"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 65536 1\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 01 2\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 +1 2\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n", "Malformed"],
      ["PROXY TCP4  10.0.0.1 10.0.0.2 1 2\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.01 10.0.0.2 1 2\r\n", "Malformed"],
      ["PROXY TCP4 10.0.0.256 10.0.0.2 1 2\r\n", "Malformed"],
      ["PROXY TCP4 ::1 ::1 1 2\r\n", "Malformed"],
      ["PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n", "Malformed"],
      ["PROXY TCP6 ::1 10.0.0.2 1 2\r\n", "Malformed"],
      ["PROXY TCP6 ::1:: ::1 1 2\r\n", "Malformed"],
      ["PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "Malformed"],
      ["PROXY UDP4 10.0.0.1 10.0.0.2 1 2\r\n", "Malformed"],
      ["proxy TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "Malformed"],
      ["hello\r\n", "Malformed"],
      ["PRO", "More"],
      ["", "More"]
    ] as const
  ) {
    it(`takes ${JSON.stringify(line)} for: ${expected}`, () => {
      assert.strictEqual(verdict(line), expected)
    })
  }

  for (
    const [title, bytes, expected] of [
      ["LOCAL", v2("10.0.0.1", 1, { command: 0x20 }), "Nobody"],
      ["LOCAL without an address", Buffer.from("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "latin1"), "Nobody"],
      ["UNSPEC", v2("10.0.0.1", 1, { family: 0 }), "Nobody"],
      ["UDP over IPv4", v2("10.0.0.1", 1, { family: 0x12 }), "Malformed"],
      ["UDP over IPv6", v2("::1", 1, { family: 0x22 }), "Malformed"],
      ["a UNIX socket", v2("10.0.0.1", 1, { family: 0x31, tlvs: Buffer.alloc(204) }), "Malformed"],
      ["IPv4 addresses that should be IPv6", v2("10.0.0.1", 1, { family: 0x21 }), "Malformed"],
      ["version 3", v2("10.0.0.1", 1, { command: 0x31 }), "Malformed"],
      ["an unknown command", v2("10.0.0.1", 1, { command: 0x22 }), "Malformed"],
      ["536 bytes behind the first 16", v2("10.0.0.1", 1, { tlvs: Buffer.alloc(524) }), "Client"],
      ["537 bytes", v2("10.0.0.1", 1, { tlvs: Buffer.alloc(525) }), "Malformed"],
      ["one byte too few", v2("::1", 1).subarray(0, -1), "More"]
    ] as const
  ) {
    it(`takes a header of version 2 with ${title} for: ${expected}`, () => {
      assert.strictEqual(verdict(bytes), expected)
    })
  }
})
