import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, Either, FastCheck, Option, Scheduler } from "effect"
import { OnlineMap } from "../../src/chat/OnlineMap.ts"
import type { User } from "../../src/chat/User.ts"
import { chooseName, type Name, nameKey } from "../../src/domain/Name.ts"
import { makeUser } from "../support/fakes.ts"

// Few names, of which several are one.
const name = FastCheck.constantFrom("Bob", "bob", "Ｂｏｂ", "Eve", "EVE", "张三").map((text) =>
  Either.getOrThrow(chooseName(text))
)

// After how many steps a fiber lets the others go on, again and again: so they meet at any place of the code under test.
// To yield takes some ten steps by itself; with fewer nobody would ever get further.
const pauses = FastCheck.infiniteStream(FastCheck.integer({ min: 12, max: 30 }))

const interleave = (pauses: Iterator<number>) => {
  let left = 0
  const shouldYield = () => {
    if (left-- > 0) return false
    left = Number(pauses.next().value)
    return 0
  }
  return Effect.withScheduler(Scheduler.make((task, priority) => {
    Scheduler.defaultScheduler.scheduleTask(task, priority)
  }, shouldYield))
}

type Op =
  | { readonly op: "claim" | "release"; readonly who: number }
  | { readonly op: "rename"; readonly who: number; readonly name: Name }

const who = FastCheck.nat({ max: 3 })
const op: FastCheck.Arbitrary<Op> = FastCheck.oneof(
  FastCheck.record({ op: FastCheck.constantFrom("claim" as const, "release" as const), who }),
  FastCheck.record({ op: FastCheck.constant("rename" as const), who, name })
)

const makeUsers = (count: number) => Effect.forEach(Array.range(0, count - 1), (id) => makeUser(id))

/** What each user is listed as, by its number; fails where anybody, or any key, is listed twice or out of order. */
const listed = Effect.gen(function*() {
  const list = yield* (yield* OnlineMap).list
  const ids = list.map(({ user }) => user.id)
  assert.deepStrictEqual(ids, Array.dedupe(ids).toSorted((a, b) => a - b), "everyone once, in order of arrival")
  assert.strictEqual(new Set(list.map(({ name }) => nameKey(name))).size, list.length, "every key once")
  return list.map(({ name, user }) => [user.id, name] as const)
})

describe("OnlineMap", () => {
  it.effect.prop(
    "does what a plain map of keys to users does",
    [FastCheck.array(op, { maxLength: 40 })],
    ([ops]) =>
      Effect.gen(function*() {
        const online = yield* OnlineMap
        const users = yield* makeUsers(4)
        const model = new Map<string, number>()
        const names = new Map<number, Name>()
        for (const step of ops) {
          const user = Array.unsafeGet(users, step.who)
          const current = names.get(user.id)
          // A visit begins with a claim and ends with a release.
          if ((step.op === "claim") === (current !== undefined)) continue
          switch (step.op) {
            case "claim": {
              yield* online.claim(user)
              model.set(nameKey(user.name), user.id)
              names.set(user.id, user.name)
              break
            }
            case "rename": {
              const result = yield* Effect.either(online.rename(user, step.name))
              const holder = model.get(nameKey(step.name))
              assert.strictEqual(Either.isRight(result), holder === undefined || holder === user.id)
              if (Either.isLeft(result)) break
              if (current !== undefined) model.delete(nameKey(current))
              model.set(nameKey(step.name), user.id)
              names.set(user.id, step.name)
              break
            }
            case "release": {
              yield* online.release(user)
              if (current !== undefined) model.delete(nameKey(current))
              names.delete(user.id)
            }
          }
          assert.deepStrictEqual(yield* listed, [...names].toSorted(([a], [b]) => a - b))
          assert.strictEqual(yield* online.size, names.size)
          for (const text of ["bob", "Bob", "eve", "张三", ...users.map(({ address }) => address)]) {
            const found = yield* Effect.option(online.find(text))
            assert.strictEqual(Option.getOrUndefined(found)?.id, model.get(nameKey(text)))
          }
        }
      }).pipe(Effect.provide(OnlineMap.layer))
  )

  it.effect.prop("gives a name to one at most, whatever the interleaving, and keeps none of those who left", [
    pauses,
    FastCheck.array(FastCheck.array(name, { maxLength: 6 }), { minLength: 2, maxLength: 8 })
  ], ([pauses, plans]) =>
    Effect.gen(function*() {
      const online = yield* OnlineMap
      const users = yield* makeUsers(plans.length)
      const holds = (user: User) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* online.find(user.name), user)
          assert.deepInclude(yield* listed, [user.id, user.name])
        })
      const visit = (names: ReadonlyArray<Name>, index: number) =>
        Effect.gen(function*() {
          const user = Array.unsafeGet(users, index)
          yield* online.claim(user)
          yield* holds(user)
          for (const name of names) {
            const before = user.name
            const result = yield* Effect.either(online.rename(user, name))
            assert.strictEqual(user.name, Either.isRight(result) ? name : before)
            yield* holds(user)
          }
          yield* online.release(user)
        })
      yield* Effect.forEach(plans, visit, { concurrency: "unbounded", discard: true }).pipe(interleave(pauses))
      assert.strictEqual(yield* online.size, 0)
      assert.deepStrictEqual(yield* listed, [])
    }).pipe(Effect.provide(OnlineMap.layer)), { timeout: 30_000 })

  it.effect.prop("has one winner where all want one name at the same time", [
    FastCheck.integer({ min: 2, max: 20 }),
    pauses,
    name
  ], ([count, pauses, name]) =>
    Effect.gen(function*() {
      const online = yield* OnlineMap
      const users = yield* makeUsers(count)
      yield* Effect.forEach(users, online.claim)
      const results = yield* Effect.forEach(
        users,
        (user) => Effect.either(online.rename(user, name)),
        { concurrency: "unbounded" }
      ).pipe(interleave(pauses))
      const winners = users.filter((_, index) => Either.isRight(Array.unsafeGet(results, index)))
      assert.deepStrictEqual(winners, [yield* online.find(name)])
      assert.strictEqual(yield* online.size, count)
    }).pipe(Effect.provide(OnlineMap.layer)), { timeout: 30_000 })

  it.effect(
    "grants a user its own name, also in another case, and shows the new spelling",
    () =>
      Effect.gen(function*() {
        const online = yield* OnlineMap
        const [bob] = yield* makeUsers(1)
        assert.isDefined(bob)
        yield* online.claim(bob)
        for (const text of ["Bob", "Bob", "BOB", "Ｂｏｂ"]) {
          yield* online.rename(bob, Either.getOrThrow(chooseName(text)))
          assert.deepStrictEqual<ReadonlyArray<readonly [number, string]>>(yield* listed, [[0, text]])
        }
      }).pipe(Effect.provide(OnlineMap.layer)),
    { timeout: 30_000 }
  )

  it.effect("says which name is taken, and who is not there", () =>
    Effect.gen(function*() {
      const online = yield* OnlineMap
      const [bob, eve] = yield* makeUsers(2)
      assert.isDefined(bob)
      assert.isDefined(eve)
      yield* Effect.forEach([bob, eve], online.claim)
      yield* online.rename(bob, Either.getOrThrow(chooseName("Bob")))
      const taken = yield* Effect.flip(online.rename(eve, Either.getOrThrow(chooseName("bob"))))
      assert.strictEqual(taken._tag, "NameTaken")
      assert.strictEqual<string>(taken.name, "bob")
      const nobody = yield* Effect.flip(online.find("mallory"))
      assert.strictEqual(nobody._tag, "NoSuchUser")
      assert.strictEqual(nobody.name, "mallory")
    }).pipe(Effect.provide(OnlineMap.layer)))

  it.effect("numbers those who come with an address that is in use", () =>
    Effect.gen(function*() {
      const online = yield* OnlineMap
      const users = yield* Effect.forEach([0, 1, 2], (id) => makeUser(id, { port: 4000 }))
      yield* Effect.forEach(users, online.claim, { concurrency: "unbounded" })
      assert.deepStrictEqual<ReadonlyArray<string>>(users.map(({ name }) => name), [
        "127.0.0.1:4000",
        "127.0.0.1:4000#2",
        "127.0.0.1:4000#3"
      ])
      assert.strictEqual(yield* online.find("127.0.0.1:4000#2"), users[1])
      yield* Effect.forEach(users, online.release)
      assert.strictEqual(yield* online.size, 0)
    }).pipe(Effect.provide(OnlineMap.layer)))

  it.effect("lists the same array until something changes", () =>
    Effect.gen(function*() {
      const online = yield* OnlineMap
      const [bob] = yield* makeUsers(1)
      assert.isDefined(bob)
      const before = yield* online.list
      yield* online.claim(bob)
      const after = yield* online.list
      assert.notStrictEqual(after, before)
      assert.strictEqual(yield* online.list, after)
    }).pipe(Effect.provide(OnlineMap.layer)))
})
