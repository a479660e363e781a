/** The registry in NATS: which keys it takes, what NATS can do to it, and what is left in the bucket. */
import { assert, it } from "@effect/vitest"
import type { Bucket } from "@nats-io/kv"
import { Array, Duration, Effect, Either } from "effect"
import * as NatsRegistry from "../../src/log/NatsRegistry.ts"
import type { Registry } from "../../src/log/Registry.ts"
import { bucket } from "../support/natsRegistry.ts"
import { describeNats, natsServer } from "../support/natsServer.ts"

const start = Effect.gen(function*() {
  const server = yield* natsServer()
  const opened = yield* bucket(server.url)
  return { server, bucket: opened, registry: NatsRegistry.make(opened) }
})

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

/** Creates a key, and gives its version. The connection may have to come back first. */
const create = ({ get, put }: typeof Registry.Service, key: string) =>
  Effect.gen(function*() {
    assert.isTrue(yield* Effect.retry(put(key, "value", undefined), { times: 5 }))
    return (yield* get(key))!.version
  })

const messages = (bucket: Bucket) =>
  Effect.promise(() => bucket.status().then(({ streamInfo }) => streamInfo.state.messages))

describeNats("NatsRegistry", () => {
  it.scopedLive("takes any key, and lists it where it belongs", () =>
    Effect.gen(function*() {
      const { registry } = yield* start
      const keys = ["/", "//", "a", "a b", "a!b", "a.b", "a/", "a/*", "a//b", "a/b", "a/b/c", "aa", ">", "_", "张/三"]
      keys.push("\u{1f44b}", "\uffee")
      for (const key of keys) yield* create(registry, key)
      for (const prefix of ["", "a", "a/", "a//", "a/b", "张", "张/", "no"]) {
        for (const after of [undefined, "a", "a/b", "a/bb"]) {
          const found = yield* registry.list(prefix, 100, after)
          const expected = keys.filter((key) => key.startsWith(prefix) && byBytes(key, after ?? "") > 0)
          assert.deepStrictEqual(found.map(({ key }) => key), expected.toSorted(byBytes), `${prefix} after ${after}`)
        }
      }
    }))

  it.scopedLive("refuses a key that would cost it the connection", () =>
    Effect.gen(function*() {
      const { registry } = yield* start
      const { why } = yield* Effect.flip(registry.put("x".repeat(5000), "value", undefined))
      assert.strictEqual(why, "a key is too long")
      assert.deepStrictEqual(yield* registry.list("x".repeat(5000), 10), [])
      yield* create(registry, "x".repeat(1000))
    }))

  it.scopedLive("passes over what others have put into its bucket", () =>
    Effect.gen(function*() {
      const { bucket, registry } = yield* start
      yield* Effect.promise(() =>
        Promise.all(["foreign", "6", "61.ZZ", "ff", "61=62"].map((key) => bucket.put(key, "x")))
      )
      yield* create(registry, "a")
      assert.deepStrictEqual((yield* registry.list("", 10)).map(({ key }) => key), ["a"])
    }))

  it.scopedLive("lists ten thousand keys, and soon", () =>
    Effect.gen(function*() {
      const { registry } = yield* start
      const keys = Array.makeBy(10_000, (n) => `name/${n}`)
      const value = "v".repeat(200)
      yield* Effect.forEach(keys, (key) => registry.put(key, value, undefined), { concurrency: 500 })
      yield* create(registry, "mail/1/1")
      const [time, found] = yield* Effect.timed(registry.list("name/", 20_000))
      assert.deepStrictEqual(found.map(({ key }) => key), keys.toSorted(byBytes))
      // A few hundred milliseconds, on a machine that has nothing else to do.
      assert.isBelow(Duration.toMillis(time), 5000)
    }))

  it.scopedLive("leaves one marker of all that was removed, and no version comes again after a crash", () =>
    Effect.gen(function*() {
      const { bucket, registry, server } = yield* start
      let last = 0
      for (const round of Array.range(1, 3)) {
        for (const key of ["a", "b", "c", "a"]) {
          const version = yield* create(registry, key)
          assert.isAbove(version, last, `round ${round}`)
          assert.isTrue(yield* registry.remove(key, version))
          last = version
        }
        assert.strictEqual(yield* messages(bucket), 1)
        yield* server.restart
      }
      assert.isAbove(yield* create(registry, "d"), last)
    }))

  it.scopedLive("has one winner among nodes that create, remove and list the same keys", () =>
    Effect.gen(function*() {
      const { bucket: own, registry, server } = yield* start
      const other = NatsRegistry.make(yield* bucket(server.url))
      const keys = ["a", "b", "c"]
      const held = new Map<string, number>()
      const seen = new Set<number>()
      const changing = (by: number, registry: typeof Registry.Service) =>
        Effect.forEach(Array.range(1, 200), (n) =>
          Effect.gen(function*() {
            const key = keys[n % keys.length]!
            if (!(yield* registry.put(key, String(by), undefined))) return
            assert.isUndefined(held.get(key), "one has it")
            held.set(key, by)
            const now = (yield* registry.get(key))!
            assert.strictEqual(now.value, String(by))
            assert.isFalse(seen.has(now.version), "no version comes again")
            seen.add(now.version)
            held.delete(key)
            assert.isTrue(yield* registry.remove(key, now.version))
            assert.isFalse(yield* registry.remove(key, now.version))
          }))
      const listing = Effect.forEach(Array.range(1, 200), () => other.list("", 10))
      yield* Effect.all([listing, ...[1, 2, 3, 4].map((n) => changing(n, n % 2 ? registry : other))], {
        concurrency: "unbounded"
      })
      assert.isAbove(seen.size, 0)
      assert.isAtMost(yield* messages(own), 3)
    }))

  it.scopedLive("misses nothing that is changed while it is listed", () =>
    Effect.gen(function*() {
      const { registry } = yield* start
      const keys = Array.makeBy(2000, (n) => `name/${n}`)
      yield* Effect.forEach(keys, (key) => create(registry, key), { concurrency: 500 })
      const changing = Effect.forEach(
        keys.slice(-20),
        (key) => Effect.flatMap(registry.get(key), (held) => registry.put(key, "new", held?.version)),
        { concurrency: 5 }
      )
      const listing = Effect.map(registry.list("name/", 5000), (found) => assert.strictEqual(found.length, keys.length))
      yield* Effect.raceFirst(Effect.forever(changing), Effect.repeatN(listing, 20))
    }))

  it.scopedLive("fails soon while NATS stands still, and works when it goes on", () =>
    Effect.gen(function*() {
      const { registry, server } = yield* start
      const version = yield* create(registry, "a")
      yield* server.kill("SIGSTOP")
      // Not all of its threads stop at once.
      yield* Effect.repeat(Effect.either(registry.get("a")), { until: Either.isLeft })
      const all = [
        registry.get("a"),
        registry.put("a", "new", version),
        registry.put("b", "new", undefined),
        registry.remove("a", version),
        registry.list("", 10)
      ]
      const [time] = yield* Effect.timed(
        Effect.forEach(all, (one) => Effect.flip<unknown, { readonly _tag: string }, never>(one), {
          concurrency: "unbounded"
        })
      )
      assert.isBelow(Duration.toMillis(time), 3000)
      yield* server.kill("SIGCONT")
      yield* create(registry, "c")
    }))

  it.scopedLive("fails soon while NATS is away, and has what it had when it is back", () =>
    Effect.gen(function*() {
      const { registry, server } = yield* start
      const version = yield* create(registry, "a")
      yield* server.kill("SIGKILL")
      const [time] = yield* Effect.timed(
        Effect.all([Effect.flip(registry.get("a")), Effect.flip(registry.list("", 10))], { concurrency: "unbounded" })
      )
      assert.isBelow(Duration.toMillis(time), 3000)
      yield* server.restart
      assert.strictEqual((yield* Effect.retry(registry.get("a"), { times: 5 }))?.version, version)
      assert.isTrue(yield* registry.put("a", "new", version))
    }))

  it.scopedLive("is opened by several at once", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const buckets = yield* Effect.all(Array.replicate(bucket(url), 5), { concurrency: "unbounded" })
      const [one, other] = buckets.map(NatsRegistry.make)
      const version = yield* create(one!, "a")
      assert.strictEqual((yield* other!.get("a"))?.version, version)
    }))
})
