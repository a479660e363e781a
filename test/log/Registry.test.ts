/** The laws of the registry, for each engine: nothing is changed by somebody who does not know what it changes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { type Held, Registry } from "../../src/log/Registry.ts"
import { text } from "../support/arbitraries.ts"
import { engineOf, engines } from "../support/engines.ts"
import * as NatsRegistry from "../support/natsRegistry.ts"
import { isMissing } from "../support/natsServer.ts"

const registries = [
  ...engines.map(({ isDurable, layer, name }) => ({ name, isDurable, layer, isMissing: false })),
  { name: "NATS", isDurable: true, layer: NatsRegistry.layer, isMissing }
]

const key = FastCheck.constantFrom("a", "ab", "b", "张", "张三", "é", "\u{1f44b}")
const step = FastCheck.oneof(
  FastCheck.record({
    op: FastCheck.constant("put" as const),
    key,
    value: text.map((value) => Buffer.from(value).toString().replaceAll("\0", "")),
    fresh: FastCheck.boolean()
  }),
  FastCheck.record({ op: FastCheck.constant("remove" as const), key, fresh: FastCheck.boolean() }),
  FastCheck.record({ op: FastCheck.constant("list" as const), prefix: FastCheck.constantFrom("", "a", "张") })
)

for (const { isDurable, isMissing, layer, name } of registries) {
  describe.skipIf(isMissing)(`Registry in ${name}`, () => {
    it.scopedLive.prop(
      "does what a plain map with versions does",
      [FastCheck.array(step, { maxLength: 30 })],
      ([steps]) =>
        Effect.gen(function*() {
          const registry = yield* Registry
          const model = new Map<string, Held>()
          const seen = new Set<number>()
          for (const step of steps) {
            if (step.op === "list") {
              const expected = [...model.values()]
                .filter(({ key }) => key.startsWith(step.prefix))
                .toSorted((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)))
              assert.deepStrictEqual(yield* registry.list(step.prefix, 100), expected)
              assert.deepStrictEqual(yield* registry.list(step.prefix, 2), expected.slice(0, 2))
              continue
            }
            const held = model.get(step.key)
            // Whoever is late knows an older version, or none.
            const before = step.fresh ? held?.version : held === undefined ? 1_000_000 : held.version - 1
            if (step.op === "remove") {
              const removed = yield* registry.remove(step.key, before ?? 0)
              assert.strictEqual(removed, step.fresh && held !== undefined)
              if (removed) model.delete(step.key)
            } else {
              const put = yield* registry.put(step.key, step.value, before)
              assert.strictEqual(put, step.fresh)
              const now = yield* registry.get(step.key)
              if (put) {
                assert.deepInclude(now, { key: step.key, value: step.value })
                assert.isFalse(seen.has(now!.version), "no version comes again")
                seen.add(now!.version)
                model.set(step.key, now!)
              }
            }
            assert.deepStrictEqual(yield* registry.get(step.key), model.get(step.key))
          }
        }).pipe(Effect.provide(engineOf(layer))),
      { timeout: 60_000, fastCheck: { numRuns: 40 } }
    )

    it.scopedLive("creates a key for one of many who want to", () =>
      Effect.gen(function*() {
        const { put } = yield* Registry
        const puts = Array.from({ length: 20 }, (_, n) => put("key", String(n), undefined))
        const won = yield* Effect.all(puts, { concurrency: "unbounded" })
        assert.strictEqual(won.filter(Boolean).length, 1)
      }).pipe(Effect.provide(engineOf(layer))))

    if (!isDurable) return
    it.scopedLive("has what it had after a restart", () =>
      Effect.gen(function*() {
        const store = yield* layer
        yield* Effect.provide(Effect.flatMap(Registry, ({ put }) => put("key", "value", undefined)), store)
        const held = yield* Effect.provide(Effect.flatMap(Registry, ({ get }) => get("key")), store)
        assert.strictEqual(held?.value, "value")
      }))
  })
}
