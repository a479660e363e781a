/**
 * The fold of the log, held against a plain model: names have one holder, owners get theirs, users are in one room, whatever
 * comes in whatever order; and all who fold the same events have the same world.
 */
import { assert, describe, it } from "@effect/vitest"
import { Either, Equal, FastCheck, HashMap, HashSet, Option } from "effect"
import { Address, address } from "../../src/domain/Address.ts"
import { alone, type Event, Nonce, Seq, UserId, type Who } from "../../src/domain/Event.ts"
import * as Fold from "../../src/domain/Fold.ts"
import { chooseName, Name, nameKey } from "../../src/domain/Name.ts"
import * as Places from "../../src/domain/Places.ts"
import { lobby, type Room } from "../../src/domain/Room.ts"
import * as World from "../../src/domain/World.ts"

// Few names, of which several are one.
const name = FastCheck.constantFrom("Bob", "bob", "Ｂｏｂ", "Eve", "EVE", "张三").map((text) =>
  Either.getOrThrow(chooseName(text))
)
const roomCalled = (name: string): Room => ({ key: nameKey(name), name })
const room = FastCheck.constantFrom("lobby", "dev", "Dev", "garden").map(roomCalled)
const user = FastCheck.nat({ max: 4 }).map((id) => UserId(id))
const nonce = FastCheck.constantFrom("nonce-one", "nonce-two").map((text) => Nonce(text))
// Two of them come from one address.
const addressOf = (id: UserId) => address("127.0.0.1", 4000 + Math.max(1, id))

const saidBy = (user: UserId, name: Name, nonce: Nonce | null): Event => {
  const said = { _tag: "Said", user, who: { address: addressOf(user), name }, room: lobby, text: "hi" } as const
  return nonce === null ? said : { ...said, nonce }
}

const event: FastCheck.Arbitrary<Event> = FastCheck.oneof(
  { weight: 3, arbitrary: user.map((user) => ({ _tag: "Arrived" as const, user, address: addressOf(user) })) },
  { weight: 1, arbitrary: user.map((user) => ({ _tag: "Left" as const, user, reason: "quit" as const })) },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Renamed" as const),
      user,
      name,
      as: FastCheck.constantFrom("guest" as const, "owner" as const, "new owner" as const)
    })
  },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Moved" as const), user, room }) },
  { weight: 1, arbitrary: name.map((name) => ({ _tag: "Disowned" as const, key: nameKey(name) })) },
  {
    weight: 2,
    arbitrary: FastCheck.tuple(user, name, FastCheck.option(nonce)).map(([user, name, nonce]) =>
      saidBy(user, name, nonce)
    )
  }
)
const events = FastCheck.array(event, { maxLength: 60 })

const at = (seq: number) => 1000 * seq

/** All outcomes of these events, and the world behind them, event by event. */
const fold = (events: ReadonlyArray<Event>, begin = World.empty(Seq(0))) => {
  let world = begin
  const outcomes = events.flatMap((event, index) => {
    const [after, came] = Fold.step(world, event, Seq(index + 1), at(0))
    world = after
    return came
  })
  return { world, outcomes }
}

/** A world as plain data. */
const plainly = (world: World.World) => ({
  rooms: Array.from(HashMap.values(world.rooms), (place) => [place.room.name, World.roster(world, place)] as const)
    .toSorted(([one], [other]) => one < other ? -1 : 1),
  holders: Array.from(world.holders).toSorted(([one], [other]) => one < other ? -1 : 1),
  owned: Array.from(world.owned).toSorted(),
  said: world.said,
  nonces: Array.from(world.nonces.known).toSorted(([one], [other]) => one < other ? -1 : 1)
})

interface Visitor {
  who: Who
  room: Room
  readonly since: number
}

/** What the fold should come to, as somebody would write it who has no need to share it. */
class Model {
  readonly users = new Map<UserId, Visitor>()
  readonly owned = new Set<string>()
  readonly nonces = new Map<Nonce, number>()
  said = 0

  holder(name: string): UserId | undefined {
    return [...this.users].find(([, { who }]) => nameKey(who.name) === nameKey(name))?.[0]
  }

  /** Does what the event asks for; says in a few words what came of it. */
  take(event: Event, seq: number): ReadonlyArray<string> {
    if (event._tag === "Disowned") {
      this.owned.delete(event.key)
      return []
    }
    // What operators decide has laws of its own: see Rules.test.ts.
    if (event._tag === "NodeGone" || event._tag === "Erased" || event._tag === "Ruled") return []
    const visitor = this.users.get(event.user)
    if (event._tag === "Arrived") {
      if (visitor !== undefined) return []
      let name = event.address as string
      for (let n = 2; this.holder(name) !== undefined; n++) name = `${event.address}#${n}`
      this.users.set(event.user, { who: { address: event.address, name: Name(name) }, room: lobby, since: seq })
      return [`Enter ${event.user} lobby`, `Tell LOBBY Online ${name}`]
    }
    if (visitor === undefined) return []
    switch (event._tag) {
      case "Left":
        return this.leave(event.user, visitor, event.reason)
      case "Renamed":
        return this.rename(event.user, visitor, event.name, event.as)
      case "Moved": {
        const { room: from } = visitor
        if (event.room.key === from.key) return [`Refuse AlreadyThere ${from.name}`]
        const others = [...this.users.values()].find((other) => other !== visitor && other.room.key === event.room.key)
        const to = others?.room ?? (event.room.key === lobby.key ? lobby : event.room)
        visitor.room = to
        const { name } = visitor.who
        return [
          `Tell ${to.key} Came ${name} to ${to.name}`,
          `Move ${event.user} ${to.name}`,
          `Inform ${event.user} Came ${name} to ${to.name}`,
          `Tell ${from.key} Went ${name} to ${to.name}`
        ]
      }
      case "Said": {
        const known = event.nonce && this.nonces.get(event.nonce)
        if (known !== undefined) return [`Known ${known}`]
        if (event.nonce !== undefined) this.nonces.set(event.nonce, seq)
        this.said = seq
        return [`Tell ${visitor.room.key} Said ${visitor.who.name} ${event.text}`]
      }
      case "Removed":
      case "Announced":
      case "Told":
        return []
    }
  }

  private leave(user: UserId, { room, who }: Visitor, reason: string): ReadonlyArray<string> {
    this.users.delete(user)
    return [`Exit ${user} ${reason}`, `Tell ${room.key} Offline ${who.name} ${reason}`]
  }

  private rename(user: UserId, visitor: Visitor, name: Name, as: string): ReadonlyArray<string> {
    const key = nameKey(name)
    const holder = this.holder(name)
    if (as === "guest" && holder !== user && this.owned.has(key)) return [`Refuse NameOwned ${name}`]
    if (as !== "owner" && holder !== undefined && holder !== user) return ["Refuse NameTaken"]
    const ghost = holder === undefined || holder === user ? undefined : this.users.get(holder)
    const gone = ghost === undefined || holder === undefined
      ? []
      : [`Inform ${holder} TakenOver`, ...this.leave(holder, ghost, "taken-over")]
    visitor.who = { ...visitor.who, name }
    if (as !== "guest") this.owned.add(key)
    return [
      ...gone,
      `Named ${user} ${name}`,
      `Inform ${user} Renamed ${name}`,
      `Tell ${visitor.room.key} NowCalled ${name}`,
      ...as === "new owner" ? [`Inform ${user} Owned ${name}`] : []
    ]
  }
}

/** An outcome in the words of the model. */
const inWords = (outcome: Fold.Outcome): string => {
  const output = (told: Extract<Fold.Outcome, { readonly output: unknown }>["output"]): string => {
    switch (told._tag) {
      case "Online":
        return `Online ${told.who.name}`
      case "Offline":
        return `Offline ${told.who.name} ${told.reason}`
      case "Came":
        return `Came ${told.who.name} to ${told.room.name}`
      case "Went":
        return `Went ${told.who.name} to ${told.to.name}`
      case "Said":
        return `Said ${told.who.name} ${told.text}`
      case "NowCalled":
      case "Renamed":
      case "Owned":
      case "NameOwned":
        return `${told._tag} ${told.name}`
      case "AlreadyThere":
        return `AlreadyThere ${told.room.name}`
      default:
        return told._tag
    }
  }
  switch (outcome._tag) {
    case "Enter":
    case "Move":
      return `${outcome._tag} ${outcome.user} ${outcome.room.name}`
    case "Named":
      return `Named ${outcome.user} ${outcome.who.name}`
    case "Exit":
      return `Exit ${outcome.user} ${outcome.reason}`
    case "Tell":
      return `Tell ${outcome.room} ${output(outcome.output)}`
    case "Inform":
      return `Inform ${outcome.user} ${output(outcome.output)}`
    case "Refuse":
      return `Refuse ${output(outcome.output)}`
    case "Known":
      return `Known ${outcome.seq}`
    case "Announce":
    case "Enforce":
      return outcome._tag
  }
}

describe("World", () => {
  it.prop("does what a plain model does", [events], ([events]) => {
    const model = new Model()
    let world = World.empty(Seq(0))
    for (const [index, event] of events.entries()) {
      const [after, outcomes] = Fold.step(world, event, Seq(index + 1), at(0))
      world = after
      assert.deepStrictEqual(outcomes.map(inWords), model.take(event, index + 1), JSON.stringify(event))
      assert.strictEqual(World.size(world), model.users.size)
      assert.strictEqual(HashMap.size(world.holders), model.users.size, "every key has one holder, every user one key")
      assert.strictEqual<number>(world.said, model.said)
      assert.sameMembers(Array.from(world.owned), [...model.owned])
      // Each room with somebody in it exists, and the lobby; each has its users in order of arrival.
      const rooms = new Map([[lobby.name, new Array<UserId>()]])
      for (const [user, { room }] of [...model.users].toSorted(([, one], [, other]) => one.since - other.since)) {
        rooms.set(room.name, [...rooms.get(room.name) ?? [], user])
      }
      assert.deepStrictEqual(
        new Map(
          Array.from(HashMap.values(world.rooms), (place) => [
            place.room.name,
            World.roster(world, place).map(({ user }) => user)
          ])
        ),
        rooms
      )
      for (const text of ["bob", "Bob", "eve", "张三", "127.0.0.1:4001", "127.0.0.1:4001#2"]) {
        assert.strictEqual(Option.getOrUndefined(World.holder(world, text))?.user, model.holder(text))
      }
    }
  }, { fastCheck: { numRuns: 1000 } })

  it.prop("is the same for all who fold the same events, however those are cut into records", [
    events,
    FastCheck.array(FastCheck.nat({ max: 60 }))
  ], ([events, places]) => {
    const whole = fold(events)
    const cuts = [0, ...places.filter((place) => place <= events.length).toSorted((a, b) => a - b), events.length]
    let world = World.empty(Seq(0))
    const outcomes = cuts.slice(1).flatMap((end, index) => {
      const from = cuts[index] ?? 0
      const [after, came] = Fold.apply(world, {
        seq: Seq(from + 1),
        at: at(0),
        node: alone,
        number: 0,
        events: events.slice(from, end)
      })
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
      const rest = Fold.apply(part.world, {
        seq: Seq(Math.min(end, events.length) + 1),
        at: at(0),
        node: alone,
        number: 0,
        events: events.slice(end)
      })
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
    const claims = ids.map((id) => ({
      _tag: "Renamed" as const,
      user: UserId(id),
      name,
      as: "guest" as const
    }))
    const { outcomes, world } = fold([...arrivals, ...claims])
    assert.strictEqual<number | undefined>(Option.getOrUndefined(World.holder(world, name))?.user, ids[0])
    const renamed = outcomes.filter((outcome) => outcome._tag === "Inform" && outcome.output._tag === "Renamed")
    assert.strictEqual(renamed.length, 1)
  })

  it("has what waited said by whoever its author is now, and where it is now", () => {
    const stale = saidBy(UserId(1), Name("Bob"), null)
    const { world } = fold([
      { _tag: "Arrived", user: UserId(1), address: addressOf(UserId(1)) },
      { _tag: "Renamed", user: UserId(1), name: Name("Eve"), as: "guest" },
      { _tag: "Moved", user: UserId(1), room: roomCalled("garden") }
    ])
    const who = { address: addressOf(UserId(1)), name: Name("Eve") }
    const said: Event = { _tag: "Said", user: UserId(1), who, room: roomCalled("garden"), text: "hi" }
    assert.deepStrictEqual(World.asNow(world, stale), said)
    assert.strictEqual(World.asNow(World.empty(Seq(0)), stale), stale)
  })

  it("leaves nothing behind of those who left", () => {
    const users = [1, 2, 3].map((id) => UserId(id))
    const { world } = fold([
      ...users.map((user) => ({ _tag: "Arrived" as const, user, address: addressOf(user) })),
      ...users.map((user) => ({ _tag: "Left" as const, user, reason: "quit" as const }))
    ])
    assert.isTrue(Equal.equals(world.users, HashMap.empty()))
    assert.deepStrictEqual(plainly(world), plainly(World.empty(Seq(0))))
  })

  it("does not look a name up that is too long to be one", () => {
    assert.isTrue(Option.isNone(World.holder(World.empty(Seq(0)), "\u0301\u0323".repeat(100_000))))
  })

  const arrived = (id: number, ip = "127.0.0.1"): Event => ({
    _tag: "Arrived",
    user: UserId(id),
    address: address(ip, 4000 + id)
  })
  const moved = (id: number, name: string): Event => ({ _tag: "Moved", user: UserId(id), room: roomCalled(name) })

  it("has so many rooms of one network, and any number of people in them", () => {
    const count = Places.maxRoomsOfNetwork
    const users = Array.from({ length: count + 2 }, (_, id) => id)
    const full = fold([
      ...users.map((id) => arrived(id)),
      arrived(100, "10.0.0.1"),
      ...users.slice(0, count).map((id) => moved(id, `room${id}`))
    ])
    const refusal = (event: Event) => Fold.step(full.world, event, Seq(1000), at(0))[1].map(inWords)
    assert.deepStrictEqual(refusal(moved(count, "one-more")), ["Refuse TooManyRooms"])
    assert.deepStrictEqual(refusal(moved(count, "ROOM3"))[1], `Move ${count} room3`)
    assert.deepStrictEqual(refusal(moved(100, "one-more"))[1], "Move 100 one-more")
    // A room that everybody has left makes room for another.
    const { world } = fold([moved(0, "lobby")], full.world)
    assert.deepStrictEqual(Fold.step(world, moved(count, "one-more"), Seq(1000), at(0))[1].length, 4)
  })

  const hidden = Address("~abcdefgh")
  const hiddenly = (id: number): Event => ({ _tag: "Arrived", user: UserId(id), address: hidden })
  const nameOf = (world: World.World, id: number) => HashMap.unsafeGet(world.users, UserId(id)).who.name

  it("gives those who are hidden behind one address a name each, that nobody else has, and takes the first that is free", () => {
    const count = 5000
    const ids = Array.from({ length: count }, (_, id) => id)
    const { world } = fold(ids.map(hiddenly))
    assert.deepStrictEqual<ReadonlyArray<string>>(
      ids.map((id) => nameOf(world, id)),
      ids.map((id) => id === 0 ? hidden : `${hidden}#${id + 1}`)
    )
    const gone = (id: number): Event => ({ _tag: "Left", user: UserId(id), reason: "quit" })
    const { world: next } = fold([gone(0), gone(7), gone(count - 1), hiddenly(count), hiddenly(count + 1)], world)
    assert.strictEqual<string>(nameOf(next, count), hidden)
    assert.strictEqual(HashMap.size(next.holders), count - 1)
  })

  it("takes a hidden address for a network", () => {
    const users = Array.from({ length: Places.maxRoomsOfNetwork + 1 }, (_, id) => id)
    const { outcomes } = fold(users.flatMap((id) => [hiddenly(id), moved(id, `room${id}`)]))
    assert.deepStrictEqual(inWords(outcomes.at(-1)!), "Refuse TooManyRooms")
    assert.strictEqual(outcomes.map(inWords).filter((words) => words === "Refuse TooManyRooms").length, 1)
  })

  it("lets whoever is hidden, and was thought dead, come back by the name that it chose only", () => {
    const { world } = fold([hiddenly(1), hiddenly(2), {
      _tag: "Renamed",
      user: UserId(1),
      name: Name("Bob"),
      as: "guest"
    }])
    const back = World.returnOf(world, alone).map(({ _tag }) => _tag)
    assert.deepStrictEqual(back, ["Arrived", "Renamed", "Arrived"])
  })

  it("has so many rooms in all", () => {
    const users = Array.from({ length: Places.maxRooms + 1 }, (_, id) => id)
    const { outcomes } = fold(users.flatMap((id) => [arrived(id, `10.0.${id >> 8}.${id & 255}`), moved(id, `r${id}`)]))
    assert.strictEqual(outcomes.map(inWords).filter((words) => words === "Refuse TooManyRooms").length, 1)
  })

  it("begins with the names that have owners, and with the nonces that are known", () => {
    const known = { nonce: Nonce("nonce-one"), seq: Seq(3), at: at(0), origin: "127.0.0.1" }
    const begin = World.empty(Seq(9), [nameKey("Bob")], [known])
    assert.isTrue(HashSet.has(begin.owned, nameKey("BOB")))
    const who = { address: address("127.0.0.1", 4001), name: Name("x") }
    const { outcomes } = fold([
      arrived(1),
      { _tag: "Renamed", user: UserId(1), name: Name("bob"), as: "guest" },
      { _tag: "Said", user: UserId(1), who, room: lobby, text: "hi", nonce: known.nonce }
    ], begin)
    assert.deepStrictEqual(outcomes.map(inWords).slice(2), ["Refuse NameOwned bob", "Known 3"])
  })

  it("remembers a private nonce only if its reader is here, or it is kept", () => {
    const who = { address: address("127.0.0.1", 4001), name: Name("x") }
    const told = (to: string | undefined): Event => ({
      _tag: "Told",
      user: UserId(1),
      who,
      nonce: Nonce("nonce-one"),
      to: to === undefined ? undefined : nameKey(to)
    })
    const known = (...events: ReadonlyArray<Event>) => fold([arrived(1), ...events]).outcomes.slice(2).map(inWords)
    assert.deepStrictEqual(known(told("bob"), told("bob")), [])
    assert.deepStrictEqual(known(told("127.0.0.1:4001"), told("bob"), told("127.0.0.1:4001")), ["Known 2"])
    assert.deepStrictEqual(known(told(undefined), told(undefined)), ["Known 2"])
  })
})
