import { assert, describe, it } from "@effect/vitest"
import { address } from "../../src/domain/Address.ts"

describe("address", () => {
  const rows = [
    ["127.0.0.1", "127.0.0.1:4000"],
    ["::1", "[::1]:4000"],
    ["fe80::1%eth0", "[fe80::1%eth0]:4000"],
    ["::ffff:192.0.2.1", "192.0.2.1:4000"],
    ["::FFFF:192.0.2.1", "192.0.2.1:4000"],
    ["::ffff:c000:201", "[::ffff:c000:201]:4000"]
  ] as const
  for (const [ip, printed] of rows) {
    it(`prints ${ip} as ${printed}`, () => assert.strictEqual<string>(address(ip, 4000), printed))
  }
})
