import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Addresses } from "../../src/chat/Addresses.ts"
import { Records } from "../../src/chat/Records.ts"
import { address } from "../../src/domain/Address.ts"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import { Registry } from "../../src/log/Registry.ts"
import type { Settings } from "../../src/ServerConfig.ts"
import { config } from "../support/server.ts"

const peer = address("10.0.0.1", 4000)
const other = address("10.0.0.2", 4000)

/** What a server makes of addresses, on the registry that is there. */
const started = (addresses: Settings["addresses"]) =>
  Effect.gen(function*() {
    const registry = Layer.succeed(Registry, yield* Registry)
    const records = Layer.provide(Records.layer, registry)
    return yield* Effect.provide(Addresses, Layer.provide(Addresses.layer, [records, config({ addresses })]))
  })

const onRegistry = <A, E>(self: Effect.Effect<A, E, Registry>) => Effect.provide(self, MemoryLog.layer)

describe("Addresses", () => {
  it.effect("are shown as they are, and no key is made", () =>
    onRegistry(Effect.gen(function*() {
      const { kept, shown } = yield* started("shown")
      assert.strictEqual(shown(peer), peer)
      assert.strictEqual(kept(peer), "10.0.0.1")
      assert.deepStrictEqual(yield* (yield* Registry).list("", Infinity), [])
    })))

  it.effect("are hidden under one key, which all have who start at the same time or later", () =>
    onRegistry(Effect.gen(function*() {
      const nodes = yield* Effect.all([started("hidden"), started("hidden")], { concurrency: 2 })
      const [one, ...others] = [...nodes, yield* started("hidden")]
      for (const { kept, shown } of others) {
        assert.strictEqual(shown(peer), one!.shown(peer))
        assert.strictEqual(kept(peer), one!.kept(peer))
      }
      assert.notStrictEqual(one!.shown(peer), one!.shown(other))
      assert.deepStrictEqual((yield* (yield* Registry).list("", Infinity)).map(({ key }) => key), ["address-key/chat"])
    })))

  it.effect("are hidden otherwise the next day, and kept as before", () =>
    onRegistry(Effect.gen(function*() {
      const { kept, shown } = yield* started("hidden")
      const before = { shown: shown(peer), kept: kept(peer) }
      assert.notStrictEqual<string>(before.shown, before.kept)
      yield* TestClock.adjust("23 hours")
      assert.strictEqual(shown(peer), before.shown)
      yield* TestClock.adjust("1 hour")
      assert.notStrictEqual(shown(peer), before.shown)
      assert.strictEqual(kept(peer), before.kept)
    })))

  it.effect("get a new key in the place of one that is none", () =>
    onRegistry(Effect.gen(function*() {
      const registry = yield* Registry
      yield* registry.put("address-key/chat", "12ab", undefined)
      const { shown } = yield* started("hidden")
      assert.match(shown(peer), /^~[a-z2-7]{8}$/)
      assert.match((yield* registry.get("address-key/chat"))?.value ?? "", /^[0-9a-f]{64}$/)
    })))
})
