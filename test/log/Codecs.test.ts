/** What nodes write for each other comes back as it was; and what strangers write does no harm. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as HashMap from "effect/HashMap"
import { address } from "../../src/domain/Address.ts"
import { type Event, NodeId, Nonce, Seq, UserId } from "../../src/domain/Event.ts"
import * as Fold from "../../src/domain/Fold.ts"
import { Name, nameKey } from "../../src/domain/Name.ts"
import type { Change, Rules } from "../../src/domain/Rules.ts"
import { terminalSafe } from "../../src/domain/Text.ts"
import * as World from "../../src/domain/World.ts"
import * as Codec from "../../src/log/RecordCodec.ts"
import * as Requests from "../../src/log/Requests.ts"
import * as Snapshot from "../../src/log/Snapshot.ts"
import { chosenName, text } from "../support/arbitraries.ts"
import { reasons } from "../support/outputs.ts"

const { array, constant, constantFrom, integer, jsonValue, letrec, oneof, option, record, stringMatching, uint8Array } =
  FastCheck

const anyAddress = record({
  ip: oneof(FastCheck.ipV4(), FastCheck.ipV6(), constant("fe80:1234:5678:9abc:def0:1234:5678:9abc%fifteen-letters")),
  port: integer({ min: 1, max: 65_535 })
}).map(({ ip, port }) => address(ip, port))
const name = oneof(chosenName, anyAddress, anyAddress.map((text) => `${text}#1000000`)).map((text) => Name(text))
const room = chosenName.map((name) => ({ key: nameKey(name), name }))
const who = record({ address: anyAddress, name })
const user = integer({ min: 0, max: Codec.usersOfNode - 1 }).map((n) => UserId(n))
const node = stringMatching(/^[0-9a-f]{16}$/).map((text) => NodeId(text))
const nonce = stringMatching(/^[A-Za-z0-9_-]{16,64}$/).map((text) => Nonce(text))
// The key of anything that a client may ask for.
const key = oneof(chosenName, FastCheck.string({ unit: "binary", maxLength: 256 }), constant("\ufdfa".repeat(256)))
  .map((text) => nameKey(text))
// As sessions let it in.
const said = text.map((text) => terminalSafe(text))
const reason = constantFrom(...reasons).filter((reason) => reason !== "node-gone")

const seq = FastCheck.nat().map((n) => Seq(n))
const shortReason = said.map((text) => text.slice(0, Codec.longestReason))
const whom = oneof(
  key.map((key) => ({ _tag: "Name" as const, key })),
  oneof(FastCheck.ipV4(), FastCheck.ipV6()).map((network) => ({ _tag: "Network" as const, network }))
)
const kind = constantFrom("ban" as const, "mute" as const)
const rule = record({ whom, name, until: option(FastCheck.nat(), { nil: undefined }), reason: shortReason, by: name })
const change: FastCheck.Arbitrary<Change> = oneof(
  record({ _tag: constant("Set" as const), kind, rules: array(rule, { maxLength: 2 }) }),
  record({ _tag: constant("Lift" as const), kind, whom: array(whom, { maxLength: 3 }) }),
  record({ _tag: constant("Lock" as const), isLocked: FastCheck.boolean() })
)

const event: FastCheck.Arbitrary<Event> = oneof(
  record({ _tag: constant("Said" as const), user, who, room, text: said }),
  record({ _tag: constant("Said" as const), user, who, room, text: said, nonce }),
  record({ _tag: constant("Arrived" as const), user, address: anyAddress }),
  record({ _tag: constant("Left" as const), user, reason }),
  record({
    _tag: constant("Renamed" as const),
    user,
    name,
    as: constantFrom("owner" as const, "new owner" as const, "guest" as const, "returning" as const)
  }),
  record({ _tag: constant("Moved" as const), user, room }),
  record({ _tag: constant("Disowned" as const), key }),
  record({ _tag: constant("NodeGone" as const), node }),
  record({ _tag: constant("Ruled" as const), change, visit: option(seq, { nil: undefined }) }),
  record({ _tag: constant("Removed" as const), user, visit: seq, reason: shortReason }),
  record({ _tag: constant("Announced" as const), user, text: said }),
  record({
    _tag: constant("Erased" as const),
    erasure: record({ whose: array(oneof(name, FastCheck.ipV4()), { maxLength: 3 }), from: FastCheck.nat() })
  }),
  record({ _tag: constant("Told" as const), user, who, nonce, to: option(key, { nil: undefined }) })
)
const anyRecord = record({ node, number: FastCheck.nat(), events: array(event) })
const place = FastCheck.nat().map(Seq)
const request: FastCheck.Arbitrary<Requests.Request> = oneof(
  constant({ _tag: "Here" as const }),
  record({ _tag: constant("World" as const), token: node, part: FastCheck.nat() }),
  record({ _tag: constant("Lines" as const), before: place }),
  record({ _tag: constant("Letter" as const), node, by: user, from: who, to: user, name, text: said }),
  record({ _tag: constant("Peer" as const), user })
)
const reply: FastCheck.Arbitrary<Requests.Reply> = oneof(
  record({ _tag: constant("Answer" as const), is: FastCheck.boolean() }),
  record({ _tag: constant("Peer" as const), address: option(anyAddress, { nil: undefined }) }),
  record({ _tag: constant("Part" as const), token: node, parts: integer({ min: 1, max: 5000 }), text }),
  record({
    _tag: constant("Lines" as const),
    log: node,
    known: place,
    erased: place,
    lines: array(record({ seq: place, at: FastCheck.nat(), room: key, who, text: said }), { maxLength: 100 })
  })
)
const numbers = (node: NodeId, number: number) =>
  UserId(number + Codec.usersOfNode * (1 + Number.parseInt(node.slice(0, 4) || "0", 16)))
/** What comes of some events is a world that can be. */
const taken = array(record({ node, events: array(event, { maxLength: 12 }) })).map((records) => {
  let world = World.empty(Seq(0))
  records.forEach(({ events, node }, index) => {
    const own = events.map((event) => "user" in event ? { ...event, user: numbers(node, event.user % 4) } : event)
    const arrivals = own.flatMap((event): ReadonlyArray<Event> =>
      "who" in event ? [{ _tag: "Arrived", user: event.user, address: event.who.address }, event] : [event]
    )
    const stored = { seq: Codec.seqAt(index + 1), at: index, node, number: index + 1, events: arrivals }
    world = Fold.apply(world, stored)[0]
  })
  return { log: "a", place: records.length, world }
})

const nasty = "\r\n\u001b[2J\u009b\u202e\u2066\u2028\u2029\u0085\u061c\u200e\u007f\u0000"
/** JSON with other values in it, here and there. */
const { hostile } = letrec((tie) => ({
  hostile: oneof(
    { depthSize: "small" },
    constantFrom<unknown>(-1, 0.5, 1e308, null, "", nasty, nasty.repeat(1000), {}, [], "__proto__", true, 2 ** 53),
    text,
    array(tie("hostile"), { maxLength: 3 }),
    jsonValue()
  )
}))
const changed = (bytes: Uint8Array): FastCheck.Arbitrary<string> =>
  record({ nth: FastCheck.nat(), other: hostile, isKept: FastCheck.boolean() }).map(({ isKept, nth, other }) => {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    let count = 0
    const size = () => {
      let size = 0
      JSON.stringify(value, (_key, each: unknown) => (size++, each))
      return size
    }
    const chosen = nth % size()
    return JSON.stringify(value, (_key, each: unknown) => {
      if (count++ !== chosen) return each
      return typeof each === "string" && isKept ? `${each}${nasty}` : other
    })
  })
const deep = constantFrom("[", "{\"a\":", "{\"events\":[", "{\"text\":[").map((text) =>
  Buffer.from(text.repeat(40_000))
)
const flipped = (bytes: Uint8Array) =>
  array(record({ at: FastCheck.nat(), byte: FastCheck.nat({ max: 255 }) }), { minLength: 1, maxLength: 8 }).map(
    (flips) => {
      const copy = Buffer.from(bytes)
      for (const { at, byte } of flips) copy[at % copy.length] = byte
      return copy
    }
  )
/** Bytes of a stranger who has seen what these look like. */
const strange = (valid: FastCheck.Arbitrary<Uint8Array>): FastCheck.Arbitrary<Uint8Array> =>
  oneof(
    uint8Array({ maxLength: 200 }),
    deep,
    hostile.map((value) => Buffer.from(JSON.stringify(value) ?? "")),
    valid.chain(flipped),
    valid.chain(changed).map((text) => Buffer.from(text))
  )

/** All texts in it that are shown to people are safe to show. */
const assertSafe = (value: unknown): void => {
  JSON.stringify(value, (key, each: unknown) => {
    if (typeof each === "string" && !["key", "to"].includes(key)) assert.strictEqual(each, terminalSafe(each), key)
    return each
  })
}
const bytes = (text: string) => Buffer.from(text)
// A number for a run that failed is printed by FastCheck.
const runs = { fastCheck: { numRuns: 500 } }

describe("Codecs", () => {
  it.prop("a record comes back as it was", [anyRecord], ([record]) => {
    const back = Codec.decode(Codec.encode(record))
    assert.deepStrictEqual(withoutUndefined(back), withoutUndefined({ v: 1, ...record }))
  }, runs)

  it.prop("what a node asks and answers comes back as it was", [request, reply], ([request, reply]) => {
    assert.deepStrictEqual(Requests.request.decode(Requests.request.encode(request)), request)
    assert.deepStrictEqual(Requests.reply.decode(Requests.reply.encode(reply)), reply)
  }, runs)

  it.prop("a world comes back as it was", [taken], ([taken]) => {
    const back = Snapshot.decode(Snapshot.encode(taken), (node, number) => numbers(node, number))
    assert.isDefined(back)
    const partsOf = (world: World.World) => {
      const { nodes, rules, ...parts } = World.partsOf(world)
      return {
        ...parts,
        rules: rulesOf(rules),
        owned: parts.owned.toSorted(),
        rooms: parts.rooms.toSorted(byName),
        nodes: nodesOf(nodes)
      }
    }
    assert.deepStrictEqual(partsOf(back.world), partsOf(taken.world))
  }, { fastCheck: { numRuns: 200 } })

  it.prop(
    "strange bytes are no record, or one that is safe to show",
    [strange(anyRecord.map(Codec.encode))],
    ([body]) => {
      const record = Codec.decode(body)
      assertSafe(record?.events)
      if (record !== undefined) assert.isDefined(Codec.decode(Codec.encode(record)))
    },
    runs
  )

  it.prop(
    "strange bytes are no request and no reply, or such as are safe",
    [strange(request.map(Requests.request.encode)), strange(reply.map(Requests.reply.encode))],
    ([asked, answered]) => {
      const request = Requests.request.decode(asked)
      if (request?._tag === "Letter") assertSafe(request)
      const reply = Requests.reply.decode(answered)
      if (reply?._tag === "Part") assert.isAtMost(reply.text.length, Requests.partUnits)
    },
    runs
  )

  it.prop("strange bytes are no world, or one that is safe to show and to live in", [
    strange(taken.map((taken) => bytes(Snapshot.encode(taken)))),
    array(event)
  ], ([body, events]) => {
    const back = Snapshot.decode(Buffer.from(body).toString(), numbers)
    if (back === undefined) return
    const { rooms, users } = World.partsOf(back.world)
    assertSafe([users.map(({ who }) => who), rooms.map(({ room }) => room.name)])
    for (const { at } of users) new Date(at).toISOString()
    // Everyone can be listed, say something, go elsewhere and go.
    let world = back.world
    const deeds: ReadonlyArray<Event> = users.flatMap(({ user, who }): ReadonlyArray<Event> => [
      { _tag: "Said", user, who, room: { key: nameKey("lobby"), name: "lobby" }, text: "hi" },
      { _tag: "Moved", user, room: { key: nameKey("elsewhere"), name: "elsewhere" } }
    ])
    const leaving = users.map(({ user }): Event => ({ _tag: "Left", user, reason: "quit" }))
    for (const event of [...events, ...deeds, ...leaving]) {
      for (const place of HashMap.values(world.rooms)) World.roster(world, place)
      world = Fold.step(world, event, Seq(Number.MAX_SAFE_INTEGER - 1), 0)[0]
    }
    for (const place of HashMap.values(world.rooms)) World.roster(world, place)
  }, { fastCheck: { numRuns: 300 } })

  it("a world of a node that knows no rules has none", () => {
    const { world } = Snapshot.decode(
      JSON.stringify({
        v: 1,
        log: "a",
        place: 1,
        said: 1,
        users: [],
        rooms: [],
        owned: [],
        nonces: [],
        last: [],
        gone: []
      }),
      numbers
    ) ?? assert.fail("no world")
    assert.deepStrictEqual(rulesOf(world.rules), { bans: [], mutes: [], isLocked: false })
  })

  it("a world in which somebody is twice is none", () => {
    const one = { node: "a", number: 1, address: "1.2.3.4:5", name: "ann", room: "LOBBY", since: 1, at: 0 }
    const world = (...users: ReadonlyArray<object>) =>
      JSON.stringify(
        { v: 1, log: "a", place: 1, said: 1, users, rooms: [], owned: [], nonces: [], last: [], gone: [] }
      )
    const other = { ...one, number: 2, name: "bob", since: 2 }
    assert.isDefined(Snapshot.decode(world(one, other), numbers))
    for (const same of [{ number: 1 }, { name: "Ann" }, { since: 1 }]) {
      assert.isUndefined(Snapshot.decode(world(one, { ...other, ...same }), numbers))
    }
    for (const at of [-1, 0.5, 1e16]) assert.isUndefined(Snapshot.decode(world({ ...one, at }), numbers))
  })

  it("what is too large is nothing", () => {
    const text = (length: number) =>
      bytes(JSON.stringify({ _tag: "Part", token: "a", parts: 1, text: "x".repeat(length) }))
    assert.isDefined(Requests.reply.decode(text(Requests.partUnits)))
    assert.isUndefined(Requests.reply.decode(text(Requests.partUnits + 1)))
    assert.isUndefined(Requests.request.decode(Buffer.alloc(2 * Codec.recordBytes + 1, 32)))
    const record = (spaces: number) => bytes(`${" ".repeat(spaces)}{"v":1,"node":"a","number":1,"events":[]}`)
    assert.isDefined(Codec.decode(record(2 * Codec.recordBytes - 41)))
    assert.isUndefined(Codec.decode(record(2 * Codec.recordBytes)))
    const many = Array.from({ length: 4097 }, () => ({ _tag: "Disowned" as const, key: nameKey("a") }))
    assert.isUndefined(Codec.decode(Codec.encode({ node: NodeId("a"), number: 1, events: many })))
  })
})

const withoutUndefined = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const byName = (one: { readonly room: { readonly name: string } }, other: typeof one) =>
  one.room.name < other.room.name ? -1 : 1
const rulesOf = ({ bans, isLocked, mutes }: Rules) => ({
  bans: Array.from(bans).toSorted(byId),
  mutes: Array.from(mutes).toSorted(byId),
  isLocked
})
const byId = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) => one < other ? -1 : 1
const nodesOf = ({ gone, last }: World.World["nodes"]) => ({ gone, last: Array.from(last).toSorted() })
