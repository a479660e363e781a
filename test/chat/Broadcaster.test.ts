import { assert, describe, it } from "@effect/vitest"
import { Array, Context, Deferred, Effect, FastCheck, Fiber, Layer, Logger, LogLevel, Option, TestClock } from "effect"
import { Broadcaster } from "../../src/chat/Broadcaster.ts"
import { entryBytes } from "../../src/chat/Delivery.ts"
import type { Answer } from "../../src/chat/Entry.ts"
import * as Lists from "../../src/chat/Lists.ts"
import { nameKey } from "../../src/domain/Name.ts"
import type { EndReason } from "../../src/domain/Reasons.ts"
import { lobby } from "../../src/domain/Room.ts"
import * as World from "../../src/domain/World.ts"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import { MessageLog } from "../../src/log/MessageLog.ts"
import type { Registry } from "../../src/log/Registry.ts"
import { chat } from "../support/chat.ts"
import { within } from "../support/client.ts"
import { FakeOutlet, type FakeUser, makeUser, plain, timed } from "../support/fakes.ts"

const layer = chat()

/** Lets the event loop go round, so that whatever is ready to happen does. */
const turns = Effect.repeatN(Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))), 9)

const arrive = (user: FakeUser) => Effect.flatMap(Broadcaster, (broadcaster) => broadcaster.arrive(user, false, 0))
const leave = ({ id }: FakeUser) =>
  Effect.flatMap(Broadcaster, (broadcaster) => broadcaster.carry({ _tag: "Left", user: id, reason: "quit" }))
const say = ({ first, id }: FakeUser, text: string) =>
  Effect.flatMap(
    Broadcaster,
    (broadcaster) => broadcaster.happen({ _tag: "Said", user: id, who: first, room: lobby, text })
  )
const reply = (user: FakeUser, text: string) =>
  Effect.flatMap(Broadcaster, (broadcaster) => broadcaster.inform(user, Buffer.from(`${text}\n`)))
const tell = (from: FakeUser, to: FakeUser, text: string) =>
  Effect.flatMap(
    Broadcaster,
    (broadcaster) =>
      broadcaster.ask({ user: from, id: undefined }, () => ({
        private: { to: to.id, output: { _tag: "Private", from: from.first, to: to.first.name, text } }
      }))
  )
const close = Effect.flatMap(Broadcaster, (broadcaster) => broadcaster.close({ _tag: "ShuttingDown" }))

/** A log that takes one event in each record, and never ends to take it. */
const stuck = Layer.effectContext(Effect.map(
  Effect.context<MessageLog | Registry>(),
  (context) =>
    Context.add(context, MessageLog, {
      ...Context.get(context, MessageLog),
      recordBytes: 1,
      append: () => Effect.never
    })
)).pipe(Layer.provide(MemoryLog.layer))

/** What a user has heard: `0 arrives` for the arrival of user 0, the text of what was said, and so on. */
const heard = ({ outlet }: FakeUser) => outlet.lines.map(plainly)
const plainly = (line: string) =>
  line
    .replace(/^\[.*\]127\.0\.0\.1:400(\d\d):已上线$/, (_, id) => `${Number(id)} arrives`)
    .replace(/^\[.*\]127\.0\.0\.1:400(\d\d):下线$/, (_, id) => `${Number(id)} leaves`)
    .replace(/^\[.*\]127\.0\.0\.1:400\d\d:/, "")
    .replace(/^127\.0\.0\.1:400\d\d对您说:/, "")
    .replace("*** 服务器即将关闭", "closed")
/** Waits until a user hears this text of another. */
const hears = ({ outlet }: FakeUser, { first }: FakeUser, text: string) =>
  outlet.heard(`[${first.address}]${first.name}:${text}`)

/** What a visit does between its arrival and its end. */
const plan = FastCheck.record({
  acts: FastCheck.array(FastCheck.constantFrom("say" as const, "reply" as const, "pause" as const), { maxLength: 12 }),
  leaves: FastCheck.boolean()
})

describe("Broadcaster", () => {
  it.scopedLive.prop("has one order for all: each hears it whole from its own arrival until it leaves", [
    FastCheck.array(plan, { minLength: 1, maxLength: 6 })
  ], ([plans]) =>
    Effect.gen(function*() {
      const witness = yield* makeUser(0)
      yield* arrive(witness)
      const visits = yield* Effect.forEach(plans, ({ acts, leaves }, index) =>
        Effect.gen(function*() {
          const id = index + 1
          const user = yield* makeUser(id)
          const did = [`${id} arrives`]
          yield* arrive(user)
          for (const [number, act] of acts.entries()) {
            const line = `${id} ${act} ${number}`
            if (act === "pause") {
              yield* turns
              continue
            }
            did.push(line)
            yield* act === "say" ? say(user, line) : reply(user, line)
          }
          if (leaves) {
            yield* leave(user)
            assert.includeMembers([...heard(user)], did, "all before was handed over when `leave` ended")
          }
          return { id, user, did, leaves }
        }), { concurrency: "unbounded" })
      yield* close
      const order = heard(witness)
      assert.strictEqual(new Set(order).size, order.length, "nothing is said twice")
      assert.sameMembers([...order], [
        "0 arrives",
        ...visits.flatMap(({ did, id, leaves }) => [
          ...did.filter((line) => !line.includes("reply")),
          ...(leaves ? [`${id} leaves`] : [])
        ]),
        "closed"
      ])
      for (const { did, id, leaves, user } of visits) {
        const lines = heard(user)
        const from = order.indexOf(`${id} arrives`)
        const to = leaves ? order.indexOf(`${id} leaves`) : order.length
        assert.deepStrictEqual(lines.filter((line) => !line.includes("reply")), order.slice(from, to))
        // Replies stand among its own lines as it asked for them, and nobody else gets them.
        assert.deepStrictEqual(lines.filter((line) => did.includes(line)), did)
        assert.sameMembers(lines.filter((line) => line.includes("reply")), did.filter((line) => line.includes("reply")))
      }
    }).pipe(Effect.provide(layer)), { timeout: 30_000 })

  it.scopedLive("loses nothing, and keeps the order of each speaker, when more is said than the channel holds", () =>
    Effect.gen(function*() {
      const [one, other] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* arrive(one)
      yield* arrive(other)
      const speeches = Array.makeBy(
        3,
        (speaker) => Array.makeBy(3000, (number) => `${speaker} says ${number}`.padEnd(200, "!"))
      )
      yield* Effect.forEach(
        speeches,
        (lines) => Effect.forEach(lines, (line) => say(one, line), { discard: true }),
        { concurrency: "unbounded" }
      )
      yield* close
      for (const [speaker, lines] of speeches.entries()) {
        assert.deepStrictEqual(heard(one).filter((line) => line.startsWith(`${speaker} says`)), lines)
      }
      assert.deepStrictEqual(heard(other), heard(one).slice(1))
    }).pipe(Effect.provide(layer)))

  it.scoped("tells of arrivals that come alone, after a while and together", () =>
    Effect.gen(function*() {
      const users = yield* Effect.forEach(Array.range(0, 9), (id) => makeUser(id))
      for (const user of users) {
        yield* arrive(user)
        yield* turns
      }
      assert.deepStrictEqual(users.flatMap(({ outlet }) => outlet.lines), [], "the clock stands still")
      yield* TestClock.adjust("20 millis")
      yield* Effect.forEach(users, (user) => hears(user, users[9]!, "已上线"))
      const order = users.map(({ id }) => `${id} arrives`)
      for (const user of users) {
        assert.deepStrictEqual(heard(user), order.slice(user.id))
        assert.strictEqual(user.outlet.writes, 1)
      }
    }).pipe(Effect.provide(layer)))

  it.scoped("takes arrivals and departures along with any words, without delay", () =>
    Effect.gen(function*() {
      const [bob, eve, zoe] = yield* Effect.all([makeUser(0), makeUser(1), makeUser(2)])
      yield* arrive(bob)
      yield* arrive(eve)
      yield* say(bob, "hi")
      yield* hears(eve, bob, "hi")
      const left = yield* Effect.fork(leave(eve))
      yield* arrive(zoe)
      yield* turns
      yield* tell(bob, bob, "psst")
      yield* bob.outlet.heard(`${bob.first.name}对您说:psst`)
      yield* Fiber.join(left)
      assert.sameMembers([...heard(bob)], [
        "0 arrives",
        "1 arrives",
        "hi",
        "1 leaves",
        "2 arrives",
        "psst"
      ])
      assert.deepStrictEqual(heard(eve).slice(0, 2), ["1 arrives", "hi"])
      assert.notInclude(heard(eve), "1 leaves")
    }).pipe(Effect.provide(layer)))

  it.scopedLive("tells a private line to nobody else, and in its place", () =>
    Effect.gen(function*() {
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* arrive(bob)
      yield* arrive(eve)
      yield* say(bob, "one")
      yield* tell(bob, bob, "psst")
      yield* say(bob, "two")
      yield* close
      assert.deepStrictEqual(heard(bob), ["0 arrives", "1 arrives", "one", "psst", "two", "closed"])
      assert.deepStrictEqual(heard(eve), ["1 arrives", "one", "two", "closed"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("lets nobody hear anything before it arrives, after it left, and after the close", () =>
    Effect.gen(function*() {
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* say(bob, "too early")
      yield* tell(bob, bob, "too early")
      yield* arrive(bob)
      yield* arrive(eve)
      yield* leave(eve)
      yield* tell(bob, eve, "too late")
      yield* reply(eve, "too late")
      yield* close
      yield* say(bob, "too late")
      yield* tell(bob, bob, "too late")
      yield* reply(bob, "too late")
      yield* leave(bob)
      assert.deepStrictEqual(heard(bob), ["0 arrives", "1 arrives", "1 leaves", "closed"])
      assert.deepStrictEqual(heard(eve), ["1 arrives"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("tells of one departure once, however often it is announced", () =>
    Effect.gen(function*() {
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* arrive(bob)
      yield* arrive(eve)
      yield* Effect.all(Array.replicate(leave(eve), 2), { concurrency: "unbounded" })
      yield* close
      assert.deepStrictEqual(heard(bob), ["0 arrives", "1 arrives", "1 leaves", "closed"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("lets one who does not read wait for nobody, and tells it later what it missed", () =>
    Effect.gen(function*() {
      const bob = yield* makeUser(0)
      const stalled = yield* makeUser(1, { outlet: new FakeOutlet(1), backlog: 99 * (1001 + entryBytes.shared) })
      yield* arrive(bob)
      yield* arrive(stalled)
      yield* stalled.outlet.full
      const front = `[${bob.address}]${bob.address}:`
      const lines = Array.makeBy(300, (number) => `${number}:`.padEnd(1000 - front.length, "x"))
      for (const line of lines) {
        yield* say(bob, line)
        yield* hears(bob, bob, line)
      }
      assert.deepStrictEqual(heard(stalled), ["1 arrives"])
      stalled.outlet.admit(Infinity)
      yield* stalled.channel.drained()
      // 99 lines of 1001 bytes are what its backlog holds.
      assert.deepStrictEqual(heard(stalled), ["1 arrives", ...lines.slice(0, 99), "*** 201 skipped"])
      yield* say(bob, "next")
      yield* hears(stalled, bob, "next")
    }).pipe(Effect.provide(layer)))

  it.scopedLive("writes once to each in one turn, though somebody changes its form between all words", () =>
    Effect.gen(function*() {
      const { reform } = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* arrive(bob)
      yield* arrive(eve)
      yield* say(bob, "first")
      yield* hears(eve, bob, "first")
      const before = eve.outlet.writes
      for (let n = 0; n < 100; n++) {
        yield* say(bob, `${n}`)
        yield* reform(bob, n % 2 === 0 ? timed : plain)
      }
      yield* close
      assert.strictEqual(heard(eve).length, 1 + 1 + 100 + 1)
      assert.isAtMost(eve.outlet.writes - before, 3)
      assert.isAtMost(bob.outlet.writes, 6)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("ends the visit of a user whose outlet is broken, and of nobody else", () =>
    Effect.gen(function*() {
      class BrokenOutlet extends FakeOutlet {
        override write(): boolean {
          throw new Error("broken outlet")
        }
      }
      const bob = yield* makeUser(0)
      const ended = yield* Deferred.make<EndReason>()
      const user = {
        ...yield* makeUser(1, { outlet: new BrokenOutlet() }),
        end: (reason: EndReason) => Deferred.unsafeDone(ended, Effect.succeed(reason))
      }
      yield* arrive(bob)
      yield* arrive(user)
      assert.strictEqual(yield* Deferred.await(ended), "defect")
      yield* leave(user)
      yield* close
      assert.deepStrictEqual(heard(bob), ["0 arrives", "1 arrives", "1 leaves", "closed"])
    }).pipe(Effect.provide(layer), Logger.withMinimumLogLevel(LogLevel.None)))

  it.scopedLive("answers all who wait in one turn from one world, behind all that happened in it", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const users = yield* Effect.forEach(Array.range(0, 9), (id) => makeUser(id))
      const worlds = new Set<unknown>()
      const answer = (world: World.World): Answer => {
        worlds.add(world)
        return {
          reply: {
            _tag: "Users",
            room: lobby,
            users: Option.match(World.place(world, lobby.key), {
              onNone: () => [],
              onSome: (place) => World.roster(world, place)
            })
          }
        }
      }
      yield* Effect.forEach(users, (user) => arrive(user))
      yield* Effect.forEach(
        users,
        (user) =>
          Effect.zipLeft(broadcaster.askAndWait({ user, id: undefined }, answer), say(user, `${user.id} knows`), {
            concurrent: true
          }),
        { concurrency: "unbounded" }
      )
      yield* close
      assert.strictEqual(worlds.size, 1)
      for (const user of users) {
        const lines = heard(user)
        assert.strictEqual(lines.indexOf("在线..."), lines.indexOf("9 knows") + 1)
        assert.strictEqual(lines.filter((line) => line === "在线...").length, users.length)
      }
    }).pipe(Effect.provide(layer)))

  it.scoped("tells of a list that has not changed at the time at which it is asked for", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const user = yield* makeUser(0)
      yield* arrive(user)
      yield* broadcaster.reform(user, timed)
      for (const list of [(world: World.World) => Lists.users(world, lobby), Lists.rooms]) {
        for (const _ of [1, 2]) {
          yield* broadcaster.askAndWait({ user, id: undefined }, list)
          yield* TestClock.adjust("5 seconds")
        }
        const [first, second] = user.outlet.lines.slice(-2).map((line) => line.slice(0, 8))
        assert.notStrictEqual(first, second)
      }
    }).pipe(Effect.provide(layer)))

  it.scopedLive("ends the visit of whoever asks what cannot be answered, and goes on", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const ended = yield* Deferred.make<EndReason>()
      const user = {
        ...yield* makeUser(0),
        end: (reason: EndReason) => Deferred.unsafeDone(ended, Effect.succeed(reason))
      }
      yield* arrive(user)
      yield* broadcaster.ask({ user, id: undefined }, () => {
        throw new Error("a bug")
      })
      yield* say(user, "one")
      assert.strictEqual(yield* Deferred.await(ended), "defect")
      yield* close
      assert.deepStrictEqual(heard(user), ["0 arrives", "one", "closed"])
    }).pipe(Effect.provide(layer), Logger.withMinimumLogLevel(LogLevel.None)))

  it.scopedLive("waits for nothing once its fiber is dead, and still tells everyone the last line", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* arrive(bob)
      yield* arrive(eve)
      yield* say(bob, "hi")
      yield* hears(eve, bob, "hi")
      const leaving = yield* Effect.fork(leave(eve))
      yield* Fiber.interrupt(broadcaster.fiber)
      yield* Fiber.join(leaving)
      for (let line = 0; line < 20; line++) yield* say(bob, "x".repeat(100_000))
      yield* leave(eve)
      yield* close
      assert.deepStrictEqual(heard(bob), ["0 arrives", "1 arrives", "hi", "closed"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("leaves nobody waiting who was in a record to come, where it ends within a turn", () =>
    Effect.gen(function*() {
      const { carry, fiber } = yield* Broadcaster
      const waiting = yield* Effect.forEach(
        ["one", "two", "three"],
        (name) => Effect.fork(carry({ _tag: "Disowned", key: nameKey(name) }))
      )
      yield* turns
      yield* Fiber.interrupt(fiber)
      yield* within("the end of all", Fiber.joinAll(waiting))
    }).pipe(Effect.provide(chat({ engine: stuck }))))
})
