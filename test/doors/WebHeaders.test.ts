import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Networks from "../../src/domain/Networks.ts"
import { forwardedFor, isKnownHost, isOwnOrigin } from "../../src/doors/WebHeaders.ts"

describe("Host", () => {
  const names = ["chat.example.org"]
  const known = ["127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "[2001:db8::1]:1", "10.0.0.1:65535", "localhost"]
  for (const host of [...known, "LOCALHOST:8080", "chat.example.org", "Chat.Example.org:443"]) {
    it(`${host} is known`, () => assert.isTrue(isKnownHost([host], names)))
  }
  const unknown = [
    "example.org",
    "evil.chat.example.org",
    "chat.example.org.evil.example",
    "localhost.",
    "127.0.0.1.evil"
  ]
  const strange = [
    "",
    " ",
    "1.2.3",
    "0x7f.1",
    "::1",
    "[::1",
    "[x]",
    "localhost:",
    "localhost:x",
    "a@localhost",
    "localhost/"
  ]
  for (const host of [...unknown, ...strange]) {
    it(`${JSON.stringify(host)} is not`, () => assert.isFalse(isKnownHost([host], names)))
  }
  it("is not known if there is none, or more than one", () => {
    assert.isFalse(isKnownHost(undefined, names))
    assert.isFalse(isKnownHost(["localhost", "localhost"], names))
  })
})

describe("Origin", () => {
  const cases: ReadonlyArray<
    readonly [origin: string | undefined, scheme: "http" | "https", host: string, own: boolean]
  > = [
    [undefined, "http", "127.0.0.1:8080", true],
    ["http://127.0.0.1:8080", "http", "127.0.0.1:8080", true],
    ["http://127.0.0.1", "http", "127.0.0.1:80", true],
    ["http://127.0.0.1", "http", "127.0.0.1", true],
    ["https://chat.example.org", "https", "Chat.example.org:443", true],
    ["http://[::1]:8080", "http", "[::1]:8080", true],
    ["https://elsewhere.example", "http", "127.0.0.1:8080", true],
    ["https://127.0.0.1:8080", "http", "127.0.0.1:8080", false],
    ["http://127.0.0.1:8080", "https", "127.0.0.1:8080", false],
    ["http://127.0.0.1:8081", "http", "127.0.0.1:8080", false],
    ["http://localhost:8080", "http", "127.0.0.1:8080", false],
    ["http://evil.example", "http", "127.0.0.1:8080", false],
    ["http://127.0.0.1:8080.evil.example", "http", "127.0.0.1:8080", false],
    ["http://elsewhere.example", "http", "127.0.0.1:8080", false],
    ["https://elsewhere.example:444", "http", "127.0.0.1:8080", false],
    ["null", "http", "127.0.0.1:8080", false],
    ["", "http", "127.0.0.1:8080", false],
    ["http://127.0.0.1:8080/", "http", "127.0.0.1:8080", false],
    ["http://127.0.0.1:8080, http://127.0.0.1:8080", "http", "127.0.0.1:8080", false]
  ]
  for (const [origin, scheme, host, own] of cases) {
    it(`${origin} ${own ? "may" : "may not"} talk to ${scheme}://${host}`, () =>
      assert.strictEqual(isOwnOrigin(origin, { scheme, host }, ["https://elsewhere.example"]), own))
  }
})

describe("X-Forwarded-For", () => {
  const proxies = Option.getOrThrow(Networks.read("127.0.0.1,10.0.0.0/8,fd00::/8"))
  const cases: ReadonlyArray<readonly [headers: ReadonlyArray<string> | undefined, ip: string | undefined]> = [
    [undefined, undefined],
    [[""], undefined],
    [["192.0.2.1"], "192.0.2.1"],
    [["  192.0.2.1 "], "192.0.2.1"],
    [["198.51.100.7, 192.0.2.1"], "192.0.2.1"],
    [["192.0.2.1, 10.1.2.3, 127.0.0.1"], "192.0.2.1"],
    [["198.51.100.7", "192.0.2.1, 10.1.2.3"], "192.0.2.1"],
    [["2001:DB8:0::1"], "2001:db8::1"],
    [["::ffff:192.0.2.1"], "192.0.2.1"],
    [["192.0.2.1, ::ffff:10.0.0.1, fd00::1"], "192.0.2.1"],
    [["10.0.0.1, 127.0.0.1"], undefined],
    [["unknown"], undefined],
    [["192.0.2.1, unknown"], undefined],
    [["unknown, 192.0.2.1"], "192.0.2.1"],
    [["192.0.2.1,"], undefined],
    [["192.0.2.1:1234"], undefined],
    [["fe80::1%eth0"], undefined],
    [["010.0.0.1"], undefined]
  ]
  for (const [headers, ip] of cases) {
    it(`${JSON.stringify(headers)} speaks for ${ip ?? "nobody"}`, () =>
      assert.strictEqual(forwardedFor(headers, proxies), ip))
  }
})
