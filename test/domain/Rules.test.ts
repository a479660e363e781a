/** What operators decide, in the fold: it holds for those whom it is about, until its time is over, and for all alike. */
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, HashMap, Option } from "effect"
import { address } from "../../src/domain/Address.ts"
import * as Cidr from "../../src/domain/Cidr.ts"
import { type Event, Nonce, Seq, UserId } from "../../src/domain/Event.ts"
import * as Fold from "../../src/domain/Fold.ts"
import { chooseName, Name, nameKey } from "../../src/domain/Name.ts"
import * as Networks from "../../src/domain/Networks.ts"
import { lobby } from "../../src/domain/Room.ts"
import * as Rules from "../../src/domain/Rules.ts"
import * as World from "../../src/domain/World.ts"
import { bytesOf } from "../support/proxy.ts"

const { array, constant, constantFrom, integer, nat, oneof, option, record, tuple } = FastCheck

const nameOf = (text: string) => Either.getOrThrow(chooseName(text))
const network = constantFrom("10.0.0.1", "10.0.0.2")
const user = nat({ max: 3 }).map((n) => UserId(n))
/** Two and two come from one address. */
const addressOf = (id: UserId) => address(`10.0.0.${1 + (id & 1)}`, 4000 + id)
const name = constantFrom("Ann", "Bob").map(nameOf)
const whom: FastCheck.Arbitrary<Rules.Whom> = oneof(
  name.map((name) => ({ _tag: "Name" as const, key: nameKey(name) })),
  network.map((network) => ({ _tag: "Network" as const, network }))
)
const rule: FastCheck.Arbitrary<Rules.Rule> = record({
  whom,
  name: constant("x"),
  until: option(nat({ max: 60 }), { nil: undefined }),
  reason: constant(""),
  by: constant("op")
})
const kind = constantFrom("ban" as const, "mute" as const)
const change: FastCheck.Arbitrary<Rules.Change> = oneof(
  record({ _tag: constant("Set" as const), kind, rules: array(rule, { minLength: 1, maxLength: 2 }) }),
  record({ _tag: constant("Lift" as const), kind, whom: array(whom, { maxLength: 2 }) }),
  record({ _tag: constant("Lock" as const), isLocked: FastCheck.boolean() })
)
const event: FastCheck.Arbitrary<Event> = oneof(
  { weight: 3, arbitrary: user.map((user) => ({ _tag: "Arrived" as const, user, address: addressOf(user) })) },
  {
    weight: 3,
    arbitrary: record({
      _tag: constant("Renamed" as const),
      user,
      name,
      as: constantFrom("guest" as const, "owner" as const, "new owner" as const)
    })
  },
  {
    weight: 2,
    arbitrary: user.map((user) => ({
      _tag: "Said" as const,
      user,
      who: { address: addressOf(user), name: Name("x") },
      room: lobby,
      text: "hi",
      nonce: Nonce("a-nonce-that-is-used")
    }))
  },
  {
    weight: 1,
    arbitrary: user.map((user) => ({ _tag: "Moved" as const, user, room: { key: nameKey("tea"), name: "tea" } }))
  },
  { weight: 1, arbitrary: user.map((user) => ({ _tag: "Left" as const, user, reason: "quit" as const })) },
  { weight: 1, arbitrary: name.map((name) => ({ _tag: "Disowned" as const, key: nameKey(name) })) },
  { weight: 3, arbitrary: record({ _tag: constant("Ruled" as const), change, visit: constant(undefined) }) },
  {
    weight: 1,
    arbitrary: record({
      _tag: constant("Removed" as const),
      user,
      visit: integer({ min: 1, max: 40 }).map(Seq),
      reason: constant("go")
    })
  }
)
const events = array(event, { maxLength: 40 })

const fold = (events: ReadonlyArray<Event>) => {
  let world = World.empty(Seq(0))
  return events.map((event, index) => {
    const at = index + 1
    const before = world
    const [after, outcomes] = Fold.step(world, event, Seq(at), at)
    world = after
    return { event, before, after, outcomes, at }
  })
}

/** The rules as somebody would write them down: a list in which the later one about the same counts. */
class Book {
  private rules: Array<Rules.Rule & { readonly kind: Rules.Kind }> = []

  note(change: Rules.Change): void {
    if (change._tag === "Lock") return
    const about = change._tag === "Lift" ? change.whom : change.rules.map(({ whom }) => whom)
    const isSame = (one: Rules.Whom, other: Rules.Whom) => JSON.stringify(one) === JSON.stringify(other)
    this.rules = this.rules.filter(({ kind, whom }) => kind !== change.kind || !about.some((one) => isSame(one, whom)))
    if (change._tag !== "Set") return
    for (const rule of change.rules) {
      this.rules = this.rules.filter(({ kind, whom }) => kind !== change.kind || !isSame(whom, rule.whom))
      this.rules.push({ ...rule, kind: change.kind })
    }
  }

  forget(key: string): void {
    this.rules = this.rules.filter(({ whom }) => whom._tag !== "Name" || whom.key !== key)
  }

  holds(kind: Rules.Kind, about: string, at: number): boolean {
    return this.rules.some((rule) =>
      rule.kind === kind && (rule.whom._tag === "Name" ? rule.whom.key : rule.whom.network) === about
      && (rule.until === undefined || at < rule.until)
    )
  }
}

describe("Rules", () => {
  it.prop("hold in the fold as in a book that somebody keeps", [events], ([events]) => {
    const book = new Book()
    for (const { after, at, before, event, outcomes } of fold(events)) {
      if (event._tag === "Disowned") book.forget(event.key)
      const online = "user" in event ? Option.getOrUndefined(HashMap.get(before.users, event.user)) : undefined
      if (online !== undefined) {
        const { address, name } = online.who
        const isOwner = World.ownsItsName(before, online.user)
        const isMuted = book.holds("mute", isOwner ? nameKey(name) : address.replace(/:\d+$/, ""), at)
        assert.strictEqual(World.isMuted(before, online.user, at), isMuted)
        const refusals = new Set(
          outcomes.flatMap((outcome) => outcome._tag === "Refuse" ? [outcome.output._tag] : [])
        )
        if (event._tag === "Said" || event._tag === "Moved" || event._tag === "Renamed") {
          assert.strictEqual(refusals.has("Muted"), isMuted)
          // Nothing comes of what is refused: a nonce is not used by it either.
          if (isMuted) assert.deepStrictEqual([after, outcomes.length], [before, 1])
        }
        if (event._tag === "Renamed" && !isMuted) {
          const isBanned = event.as !== "guest" && book.holds("ban", nameKey(event.name), at)
          assert.strictEqual(refusals.has("Banned"), isBanned)
        }
        if (event._tag === "Removed") {
          const target = Array.from(HashMap.values(before.users)).find(({ since }) => since === event.visit)
          assert.strictEqual(refusals.has("NoSuchUser"), target === undefined)
          assert.strictEqual(HashMap.size(after.users), HashMap.size(before.users) - (target === undefined ? 0 : 1))
        }
      }
      if (event._tag === "Ruled") {
        book.note(event.change)
        const gone = outcomes.flatMap((outcome) => outcome._tag === "Exit" ? [outcome] : [])
        for (const { reason, user } of gone) {
          assert.strictEqual(reason, "banned")
          const who = HashMap.unsafeGet(before.users, user).who
          assert.isTrue(event.change._tag === "Set" && World.ownsItsName(before, user))
          assert.isTrue(
            event.change._tag === "Set" &&
              event.change.rules.some(({ whom }) => whom._tag === "Name" && whom.key === nameKey(who.name))
          )
        }
        assert.isTrue(outcomes.some(({ _tag }) => _tag === "Enforce"))
        if (event.change._tag === "Lock") assert.strictEqual(after.rules.isLocked, event.change.isLocked)
      }
      for (const ip of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
        assert.strictEqual(Rules.isBanned(after.rules, ip, at), book.holds("ban", ip, at), ip)
      }
    }
  }, { fastCheck: { numRuns: 500 } })

  it.prop("are the same for all who fold the same, and for whoever begins with what another one has", [
    events,
    nat({ max: 40 })
  ], ([events, cut]) => {
    const one = fold(events)
    const other = fold(events)
    const last = one.at(-1)
    if (last === undefined) return
    assert.deepStrictEqual(plainly(last.after.rules), plainly(other.at(-1)!.after.rules))
    // A prefix gives a prefix, whatever follows it.
    const prefix = fold(events.slice(0, cut))
    assert.deepStrictEqual(
      prefix.map(({ outcomes }) => outcomes.map(({ _tag }) => _tag)),
      one.slice(0, cut).map(({ outcomes }) => outcomes.map(({ _tag }) => _tag))
    )
    const begun = one[cut - 1]
    if (begun === undefined) return
    let world = World.fromParts(World.partsOf(begun.after))
    for (const { at, event } of one.slice(cut)) world = Fold.step(world, event, Seq(at), at)[0]
    assert.deepStrictEqual(plainly(world.rules), plainly(last.after.rules))
  }, { fastCheck: { numRuns: 200 } })

  it("are so many at most, and what has expired makes room", () => {
    const rule = (n: number, until?: number): Rules.Rule => ({
      whom: { _tag: "Network", network: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` },
      name: "x",
      until,
      reason: "",
      by: "op"
    })
    const many = Array.from({ length: Rules.mostRules + 5 }, (_, n) => rule(n, n === 0 ? 5 : undefined))
    const set = (rules: Rules.Rules, at: number, ...more: ReadonlyArray<Rules.Rule>) =>
      Rules.change(rules, { _tag: "Set", kind: "ban", rules: more }, at)
    const full = set(Rules.empty, 1, ...many)
    assert.strictEqual(HashMap.size(full.bans), Rules.mostRules)
    const last = rule(Rules.mostRules + 9)
    const known = rule(7, 9)
    assert.isFalse(Rules.hasRoom(full, "ban", [last], 4))
    assert.isTrue(Rules.hasRoom(full, "ban", [known], 4))
    assert.isTrue(Rules.hasRoom(full, "mute", [last, known], 4))
    // One of them is over then, and has been told to nobody.
    assert.isTrue(Rules.hasRoom(full, "ban", [last], 5))
    assert.isFalse(Rules.hasRoom(full, "ban", [last, rule(Rules.mostRules + 10)], 5))
    assert.isFalse(Rules.isBanned(set(full, 4, last), last.whom._tag === "Network" ? last.whom.network : "", 4))
    assert.isTrue(Rules.isBanned(set(full, 5, last), last.whom._tag === "Network" ? last.whom.network : "", 5))
  })

  it.prop("ban who is in a network, bit by bit", [
    oneof(tuple(FastCheck.ipV4(), nat({ max: 32 })), tuple(FastCheck.ipV6(), nat({ max: 128 }))),
    oneof(FastCheck.ipV4(), FastCheck.ipV6()),
    nat({ max: 127 })
  ], ([[ip, length], other, flip]) => {
    const read = Cidr.read(`${ip}/${length}`)
    if (Option.isNone(read)) {
      // An IPv4-mapped address is known as the IPv4 address that it is.
      assert.match(ip, /^(?:0*:)*:*:?ffff:|^::ffff:/i)
      return
    }
    const cidr = read.value
    const bits = (ip: string) => Array.from(bytesOf(ip), (byte) => byte.toString(2).padStart(8, "0")).join("")
    const bitsOf = bits(ip)
    const isIn = (ip: string) => bits(ip).length === bitsOf.length && bits(ip).startsWith(bitsOf.slice(0, length))
    assert.isTrue(Cidr.has(cidr, ip))
    assert.strictEqual(Cidr.around(other).includes(cidr), isIn(other))
    assert.include(Cidr.around(bitsOf.length === 32 ? ip : `${ip}%eth0`), cidr)
    assert.strictEqual(Cidr.has(cidr, other), isIn(other))
    // With another bit.
    const at = flip % bitsOf.length
    const flipped = bitsOf.slice(0, at) + (bitsOf[at] === "1" ? "0" : "1") + bitsOf.slice(at + 1)
    const near = flipped.length === 32
      ? flipped.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)).join(".")
      : flipped.match(/.{16}/g)!.map((group) => Number.parseInt(group, 2).toString(16)).join(":")
    assert.strictEqual(Cidr.has(cidr, near), at >= length)
    // However it is written, it is the same one.
    assert.deepStrictEqual(Cidr.read(cidr), Option.some(cidr))
    if (at >= length) assert.deepStrictEqual(Cidr.read(`${near}/${length}`), Option.some(cidr))
    assert.isTrue(Cidr.meets(cidr, Option.getOrThrow(Networks.read(ip))))
    assert.isTrue(Cidr.meets(Option.getOrThrow(Cidr.read(ip)), Option.getOrThrow(Networks.read(cidr))))
  }, { fastCheck: { numRuns: 500 } })

  it("know a network that is none, or too wide", () => {
    for (
      const text of [
        "",
        "x",
        "bob",
        "1.2.3",
        "1.2.3.4/33",
        "::1/129",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "1.2.3.4/",
        "1.2.3.4:5"
      ]
    ) {
      assert.isTrue(Option.isNone(Cidr.read(text)), text)
    }
    assert.isFalse(Cidr.has(Option.getOrThrow(Cidr.read("::/32")), "1.2.3.4"))
    const isTooWide = (text: string) => Cidr.isTooWide(Option.getOrThrow(Cidr.read(text)))
    assert.deepStrictEqual(["10.0.0.0/7", "10.0.0.0/8", "10.0.0.1", "2001::/31", "2001::/32", "::1"].map(isTooWide), [
      true,
      false,
      false,
      true,
      false,
      false
    ])
    assert.deepStrictEqual(["1.2.3.4", "2001:db8:0:1", "~abcdefgh"].map(Cidr.ofOrigin).map(Option.getOrNull), [
      "1.2.3.4",
      "2001:db8:0:1::/64",
      null
    ] as ReadonlyArray<unknown>)
  })
})

const plainly = ({ bans, isLocked, mutes }: Rules.Rules) => ({
  bans: Array.from(bans).toSorted(([one], [other]) => one < other ? -1 : 1),
  mutes: Array.from(mutes).toSorted(([one], [other]) => one < other ? -1 : 1),
  isLocked
})
