/**
 * The fold of the log, held against a plain map: names have one holder, whatever comes in whatever order, and all who fold
 * the same events have the same world.
 */
import { assert, describe, it } from "@effect/vitest"
import { Either, Equal, FastCheck, HashMap, Option } from "effect"
import { type Address, address } from "../../src/domain/Address.ts"
import { type Event, Seq, UserId } from "../../src/domain/Event.ts"
import { chooseName, Name, nameKey } from "../../src/domain/Name.ts"
import { lobby } from "../../src/domain/Room.ts"
import * as World from "../../src/domain/World.ts"

// Few names, of which several are one.
const name = FastCheck.constantFrom("Bob", "bob", "Ｂｏｂ", "Eve", "EVE", "张三").map((text) =>
  Either.getOrThrow(chooseName(text))
)
const user = FastCheck.nat({ max: 4 }).map((id) => UserId(id))
// Two of them come from one address.
const addressOf = (id: UserId) => address("127.0.0.1", 4000 + Math.max(1, id))

const event: FastCheck.Arbitrary<Event> = FastCheck.oneof(
  user.map((user) => ({ _tag: "Arrived" as const, user, address: addressOf(user) })),
  user.map((user) => ({ _tag: "Left" as const, user })),
  FastCheck.tuple(user, name).map(([user, name]) => ({ _tag: "Renamed" as const, user, name })),
  FastCheck.tuple(user, name).map(([user, name]) => ({
    _tag: "Said" as const,
    user,
    who: { address: addressOf(user), name },
    room: lobby,
    text: "hi"
  }))
)
const events = FastCheck.array(event, { maxLength: 60 })

/** All outcomes of these events, and the world behind them, event by event. */
const fold = (events: ReadonlyArray<Event>, begin = World.empty(Seq(0))) => {
  let world = begin
  const outcomes = events.flatMap((event, index) => {
    const [after, came] = World.step(world, event, Seq(index + 1))
    world = after
    return came
  })
  return { world, outcomes }
}

/** A world as plain data, in the order of arrival. */
const plainly = (world: World.World) => ({
  roster: World.roster(world),
  holders: Array.from(world.holders).toSorted(([one], [other]) => one < other ? -1 : 1),
  said: world.said
})

describe("World", () => {
  it.prop("does what a plain map of names does", [events], ([events]) => {
    const names = new Map<UserId, { readonly address: Address; name: Name }>()
    const taken = (name: Name, but?: UserId) =>
      [...names].some(([id, who]) => id !== but && nameKey(who.name) === nameKey(name))
    let world = World.empty(Seq(0))
    for (const [index, event] of events.entries()) {
      const [after, outcomes] = World.step(world, event, Seq(index + 1))
      world = after
      const who = names.get(event.user)
      switch (event._tag) {
        case "Arrived": {
          if (who !== undefined) {
            assert.deepStrictEqual(outcomes, [])
            break
          }
          let first = Name(event.address)
          for (let n = 2; taken(first); n++) first = Name(`${event.address}#${n}`)
          const came = { address: event.address, name: first }
          names.set(event.user, came)
          assert.deepStrictEqual(outcomes, [
            { _tag: "Enter", user: event.user, who: came },
            { _tag: "Tell", to: "everyone", output: { _tag: "Online", who: came } }
          ])
          break
        }
        case "Left":
          names.delete(event.user)
          assert.deepStrictEqual(
            outcomes,
            who === undefined
              ? []
              : [{ _tag: "Exit", user: event.user }, { _tag: "Tell", to: "everyone", output: { _tag: "Offline", who } }]
          )
          break
        case "Renamed": {
          const { name, user } = event
          if (who === undefined) assert.deepStrictEqual(outcomes, [])
          else if (taken(name, user)) {
            assert.deepStrictEqual(outcomes, [{ _tag: "Tell", to: user, output: { _tag: "NameTaken" } }])
          } else {
            names.set(user, { ...who, name })
            assert.deepStrictEqual(outcomes, [
              { _tag: "Named", user, who: { ...who, name } },
              { _tag: "Tell", to: user, output: { _tag: "Renamed", name } }
            ])
          }
          break
        }
        case "Said":
          assert.deepStrictEqual(
            outcomes,
            who === undefined ? [] : [{ _tag: "Tell", to: "everyone", output: { _tag: "Said", who, text: "hi" } }],
            "the world says who speaks"
          )
          if (who !== undefined) assert.strictEqual<number>(world.said, index + 1)
      }
      assert.deepStrictEqual(World.roster(world), [...names.values()])
      assert.strictEqual(World.size(world), names.size)
      assert.strictEqual(HashMap.size(world.holders), names.size, "every key has one holder, every user one key")
      for (const text of ["bob", "Bob", "eve", "张三", "127.0.0.1:4001", "127.0.0.1:4001#2"]) {
        const holder = [...names].find(([, { name }]) => nameKey(name) === nameKey(text))
        assert.strictEqual(Option.getOrUndefined(World.holder(world, text))?.user, holder?.[0])
      }
    }
  }, { fastCheck: { numRuns: 500 } })

  it.prop("is the same for all who fold the same events, however those are cut into records", [
    events,
    FastCheck.array(FastCheck.nat({ max: 60 }))
  ], ([events, places]) => {
    const whole = fold(events)
    const cuts = [0, ...places.filter((place) => place <= events.length).toSorted((a, b) => a - b), events.length]
    let world = World.empty(Seq(0))
    const outcomes = cuts.slice(1).flatMap((end, index) => {
      const from = cuts[index] ?? 0
      const [after, came] = World.apply(world, { seq: Seq(from + 1), events: events.slice(from, end) })
      world = after
      return came
    })
    assert.deepStrictEqual(outcomes, whole.outcomes)
    assert.deepStrictEqual(plainly(world), plainly(whole.world))
  })

  it.prop(
    "of a part of the log is what the whole log began with",
    [events, FastCheck.nat({ max: 60 })],
    ([events, end]) => {
      const part = fold(events.slice(0, end))
      const whole = fold(events)
      assert.deepStrictEqual(whole.outcomes.slice(0, part.outcomes.length), part.outcomes)
      const rest = World.apply(part.world, { seq: Seq(Math.min(end, events.length) + 1), events: events.slice(end) })
      assert.deepStrictEqual(plainly(rest[0]), plainly(whole.world))
    }
  )

  it.prop("changes nothing in a world that somebody else holds", [events], ([events]) => {
    const begin = fold(events.slice(0, 30)).world
    const before = plainly(begin)
    fold(events, begin)
    assert.deepStrictEqual(plainly(begin), before)
  })

  it.prop("has one winner where several interleave their claims, in any order", [
    FastCheck.shuffledSubarray([1, 2, 3, 4], { minLength: 2 }).chain((ids) =>
      FastCheck.tuple(FastCheck.constant(ids), name)
    )
  ], ([[ids, name]]) => {
    const arrivals = [1, 2, 3, 4].map((id) => ({
      _tag: "Arrived" as const,
      user: UserId(id),
      address: addressOf(UserId(id))
    }))
    const claims = ids.map((id) => ({ _tag: "Renamed" as const, user: UserId(id), name }))
    const { outcomes, world } = fold([...arrivals, ...claims])
    assert.strictEqual<number | undefined>(Option.getOrUndefined(World.holder(world, name))?.user, ids[0])
    const renamed = outcomes.filter((outcome) => outcome._tag === "Tell" && outcome.output._tag === "Renamed")
    assert.strictEqual(renamed.length, 1)
  })

  it("leaves nothing behind of those who left", () => {
    const users = [1, 2, 3].map((id) => UserId(id))
    const { world } = fold([
      ...users.map((user) => ({ _tag: "Arrived" as const, user, address: addressOf(user) })),
      ...users.map((user) => ({ _tag: "Left" as const, user }))
    ])
    assert.isTrue(Equal.equals(world.users, HashMap.empty()))
    assert.deepStrictEqual(plainly(world), { roster: [], holders: [], said: Seq(0) })
  })

  it("does not look a name up that is too long to be one", () => {
    assert.isTrue(Option.isNone(World.holder(World.empty(Seq(0)), "\u0301\u0323".repeat(100_000))))
  })
})
