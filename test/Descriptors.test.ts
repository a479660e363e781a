import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { type Child, port, start } from "./support/child.ts"
import { arrive, type Client, connect, within } from "./support/client.ts"

// Fewer would do for the server, but node opens many files at once while it loads it.
const limit = 256

const poor = start("bash", [
  "-c",
  `ulimit -n ${limit}; exec "$0" --import tsx src/main.ts --port 0 --data none --replay 0 --welcome off --max-connections-per-ip 1000 --visits-per-ip 0`,
  process.execPath
])

const descriptors = (child: Child) => readdirSync(`/proc/${child.process.pid}/fd`).length

/** The processor time that the process has taken so far, in ms; the kernel counts it in ticks of 10 ms. */
const busy = (child: Child) => {
  const stat = readFileSync(`/proc/${child.process.pid}/stat`, "utf8")
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13)
  return (Number(user) + Number(system)) * 10
}

/** Says something, and gives the lines that came before it came back. */
const asks = (client: Client, question: string) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    yield* client.send(`${question}\nthat is all\n`)
    for (let line = yield* client.line; line !== `${client.front}that is all`; line = yield* client.line) {
      lines.push(line)
    }
    return lines
  })

const online = (client: Client) =>
  Effect.map(asks(client, "who"), (lines) => new Set(lines.filter((line) => line.endsWith("在线..."))))

describe.skipIf(process.platform !== "linux")("A server without descriptors left", () => {
  it.scopedLive("serves who is online, neither spins nor dies, and lets newcomers in once some have left", () =>
    Effect.gen(function*() {
      const tellnet = yield* poor
      const listening = yield* port(tellnet)
      const ann = yield* arrive(listening)
      const bob = yield* arrive(listening)
      yield* ann.sees(`${bob.front}已上线`)
      const crowd = yield* Effect.forEach(Array.from({ length: limit + 50 }), () => connect(listening))
      const inside = (client: Client) => Effect.map(online(ann), (all) => all.has(`${client.front}在线...`))
      yield* within(
        "the last descriptor to be taken",
        Effect.repeat(asks(ann, "hello"), { until: () => descriptors(tellnet) >= limit })
      )
      const full = yield* online(ann)
      const [outside, guests] = [
        crowd.filter(({ front }) => !full.has(`${front}在线...`)),
        crowd.filter(({ front }) => full.has(`${front}在线...`))
      ]
      assert.isAtLeast(outside.length, 50)
      assert.isAbove(guests.length, limit / 2)

      const before = busy(tellnet)
      yield* Effect.sleep("1 second")
      assert.isBelow(busy(tellnet) - before, 300)

      // In vain, but not without an end: closed, or left to wait.
      const late = yield* connect(listening)
      yield* asks(bob, "still here")
      assert.isFalse(yield* inside(late))
      assert.deepStrictEqual(yield* online(ann), full)
      assert.isNull(tellnet.process.exitCode)

      yield* Effect.forEach([late, ...outside, ...guests.slice(0, 20)], (client) => client.reset)
      yield* within("20 to be gone", Effect.repeat(online(ann), { until: ({ size }) => size === full.size - 20 }))
      const newcomers = yield* Effect.forEach(Array.from({ length: 10 }), () => arrive(listening))
      const again = yield* online(ann)
      assert.strictEqual(again.size, full.size - 10)
      yield* tellnet.signal("SIGTERM")
      yield* Effect.forEach([ann, bob, ...guests, ...newcomers], (client) => client.end)
      assert.strictEqual((yield* tellnet.over).code, 0)
    }))
})
