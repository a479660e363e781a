import { assert, describe, it } from "@effect/vitest"
import { Array, Deferred, Effect, FastCheck, Fiber, Layer, Logger, LogLevel, TestClock } from "effect"
import { Broadcaster, channelBytes } from "../../src/chat/Broadcaster.ts"
import { entryBytes } from "../../src/chat/Delivery.ts"
import type { EndReason } from "../../src/domain/Domain.ts"
import { Stats } from "../../src/ops/Stats.ts"
import { FakeOutlet, type FakeUser, makeUser } from "../support/fakes.ts"
import { config } from "../support/server.ts"

const layer = Layer.provide(Broadcaster.layer, [config(), Stats.layer])

/** Lets the event loop go round, so that whatever is ready to happen does. */
const turns = Effect.repeatN(Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))), 9)

const reply = (user: FakeUser, text: string) =>
  Effect.flatMap(Broadcaster, (broadcaster) => broadcaster.reply(user, { bytes: Buffer.from(`${text}\n`), lines: 1 }))

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
      const broadcaster = yield* Broadcaster
      const witness = yield* makeUser(0)
      yield* broadcaster.arrive(witness, "witness arrives\n")
      const visits = yield* Effect.forEach(plans, ({ acts, leaves }, index) =>
        Effect.gen(function*() {
          const id = index + 1
          const user = yield* makeUser(id)
          const did = [`${id} arrives`]
          yield* broadcaster.arrive(user, `${id} arrives\n`)
          for (const [number, act] of acts.entries()) {
            const line = `${id} ${act} ${number}`
            if (act === "pause") {
              yield* turns
              continue
            }
            did.push(line)
            yield* act === "say" ? broadcaster.say(`${line}\n`) : reply(user, line)
          }
          if (leaves) {
            yield* broadcaster.leave(user, `${id} leaves\n`)
            assert.includeMembers([...user.outlet.lines], did, "all before was handed over when `leave` ended")
          }
          return { id, user, did, leaves }
        }), { concurrency: "unbounded" })
      yield* broadcaster.close("closed\n")
      const order = witness.outlet.lines
      assert.strictEqual(new Set(order).size, order.length, "nothing is said twice")
      assert.sameMembers([...order], [
        "witness arrives",
        ...visits.flatMap(({ did, id, leaves }) => [
          ...did.filter((line) => !line.includes("reply")),
          ...(leaves ? [`${id} leaves`] : [])
        ]),
        "closed"
      ])
      for (const { did, id, leaves, user } of visits) {
        const { lines } = user.outlet
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
      const broadcaster = yield* Broadcaster
      const [one, other] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* broadcaster.arrive(one, "one\n")
      yield* broadcaster.arrive(other, "other\n")
      const speeches = Array.makeBy(
        3,
        (speaker) => Array.makeBy(3000, (number) => `${speaker} says ${number}`.padEnd(200, "!"))
      )
      yield* Effect.forEach(
        speeches,
        (lines) => Effect.forEach(lines, (line) => broadcaster.say(`${line}\n`), { discard: true }),
        { concurrency: "unbounded" }
      )
      yield* broadcaster.close("closed\n")
      for (const [speaker, lines] of speeches.entries()) {
        assert.deepStrictEqual(one.outlet.lines.filter((line) => line.startsWith(`${speaker} says`)), lines)
      }
      assert.deepStrictEqual(other.outlet.lines, one.outlet.lines.slice(1))
    }).pipe(Effect.provide(layer)))

  it.scoped("tells of arrivals that come alone, after a while and together", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const users = yield* Effect.forEach(Array.range(0, 9), (id) => makeUser(id))
      for (const user of users) {
        yield* broadcaster.arrive(user, `${user.id} arrives\n`)
        yield* turns
      }
      assert.deepStrictEqual(users.flatMap(({ outlet }) => outlet.lines), [], "the clock stands still")
      yield* TestClock.adjust("20 millis")
      yield* Effect.forEach(users, ({ outlet }) => outlet.heard("9 arrives"))
      const order = users.map(({ id }) => `${id} arrives`)
      for (const { id, outlet } of users) {
        assert.deepStrictEqual(outlet.lines, order.slice(id))
        assert.strictEqual(outlet.writes, 1)
      }
    }).pipe(Effect.provide(layer)))

  it.scoped("takes arrivals and departures along with any words, without delay", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve, zoe] = yield* Effect.all([makeUser(0), makeUser(1), makeUser(2)])
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(eve, "eve arrives\n")
      yield* broadcaster.say("hi\n")
      yield* eve.outlet.heard("hi")
      const left = yield* Effect.fork(broadcaster.leave(eve, "eve leaves\n"))
      yield* broadcaster.arrive(zoe, "zoe arrives\n")
      yield* turns
      yield* broadcaster.tell(bob, "psst\n")
      yield* bob.outlet.heard("psst")
      yield* Fiber.join(left)
      assert.sameMembers([...bob.outlet.lines], [
        "bob arrives",
        "eve arrives",
        "hi",
        "eve leaves",
        "zoe arrives",
        "psst"
      ])
      assert.deepStrictEqual(eve.outlet.lines.slice(0, 2), ["eve arrives", "hi"])
      assert.notInclude(eve.outlet.lines, "eve leaves")
    }).pipe(Effect.provide(layer)))

  it.scopedLive("tells a private line to nobody else, and in its place", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(eve, "eve arrives\n")
      yield* broadcaster.say("one\n")
      yield* broadcaster.tell(bob, "psst\n")
      yield* broadcaster.say("two\n")
      yield* broadcaster.close("closed\n")
      assert.deepStrictEqual(bob.outlet.lines, ["bob arrives", "eve arrives", "one", "psst", "two", "closed"])
      assert.deepStrictEqual(eve.outlet.lines, ["eve arrives", "one", "two", "closed"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("lets nobody hear anything before it arrives, after it left, and after the close", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* broadcaster.say("too early\n")
      yield* broadcaster.tell(bob, "too early\n")
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(eve, "eve arrives\n")
      yield* broadcaster.leave(eve, "eve leaves\n")
      yield* broadcaster.tell(eve, "too late\n")
      yield* reply(eve, "too late")
      yield* broadcaster.close("closed\n")
      yield* broadcaster.say("too late\n")
      yield* broadcaster.tell(bob, "too late\n")
      yield* reply(bob, "too late")
      yield* broadcaster.leave(bob, "bob leaves\n")
      assert.deepStrictEqual(bob.outlet.lines, ["bob arrives", "eve arrives", "eve leaves", "closed"])
      assert.deepStrictEqual(eve.outlet.lines, ["eve arrives"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("tells of one departure once, however often it is announced", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(eve, "eve arrives\n")
      yield* Effect.all(Array.replicate(broadcaster.leave(eve, "eve leaves\n"), 2), { concurrency: "unbounded" })
      yield* broadcaster.close("closed\n")
      assert.deepStrictEqual(bob.outlet.lines, ["bob arrives", "eve arrives", "eve leaves", "closed"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("lets one who does not read wait for nobody, and tells it later what it missed", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const bob = yield* makeUser(0)
      const stalled = yield* makeUser(1, { outlet: new FakeOutlet(1), backlog: 99 * (1001 + entryBytes.shared) })
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(stalled, "stalled arrives\n")
      yield* stalled.outlet.full
      const lines = Array.makeBy(300, (number) => `${number}:`.padEnd(1000, "x"))
      for (const line of lines) {
        yield* broadcaster.say(`${line}\n`)
        yield* bob.outlet.heard(line)
      }
      assert.deepStrictEqual(stalled.outlet.lines, ["stalled arrives"])
      stalled.outlet.admit(Infinity)
      yield* stalled.channel.drained()
      // 99 lines of 1001 bytes are what its backlog holds.
      assert.deepStrictEqual(stalled.outlet.lines, ["stalled arrives", ...lines.slice(0, 99), "*** 201 skipped"])
      yield* broadcaster.say("next\n")
      yield* stalled.outlet.heard("next")
    }).pipe(Effect.provide(layer)))

  it.scopedLive("ends the visit of a user whose outlet is broken, and of nobody else", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
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
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(user, "user arrives\n")
      assert.strictEqual(yield* Deferred.await(ended), "defect")
      yield* broadcaster.leave(user, "user leaves\n")
      yield* broadcaster.close("closed\n")
      assert.deepStrictEqual(bob.outlet.lines, ["bob arrives", "user arrives", "user leaves", "closed"])
    }).pipe(Effect.provide(layer), Logger.withMinimumLogLevel(LogLevel.None)))

  it.scopedLive("makes the same answer once a turn, for all who ask, with what is true then", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const users = yield* Effect.forEach(Array.range(0, 9), (id) => makeUser(id))
      let made = 0
      const answer = Effect.sync(() => ({ bytes: Buffer.from(`answer ${++made}\n`), lines: 1 }))
      yield* Effect.forEach(users, (user) => broadcaster.arrive(user, `${user.id} arrives\n`))
      yield* Effect.forEach(users, (user) => broadcaster.ask(user, answer), { concurrency: "unbounded" })
      yield* broadcaster.close("closed\n")
      const order = users.map(({ id }) => `${id} arrives`)
      for (const { id, outlet } of users) {
        assert.deepStrictEqual(outlet.lines, [...order.slice(id), "answer 1", "closed"])
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
      yield* broadcaster.arrive(user, "user arrives\n")
      yield* broadcaster.ask(user, Effect.dieMessage("a bug"))
      yield* broadcaster.say("one\n")
      assert.strictEqual(yield* Deferred.await(ended), "defect")
      yield* broadcaster.close("closed\n")
      assert.deepStrictEqual(user.outlet.lines, ["user arrives", "one", "closed"])
    }).pipe(Effect.provide(layer), Logger.withMinimumLogLevel(LogLevel.None)))

  it.scopedLive("waits for nothing once its fiber is dead, and still tells everyone the last line", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* broadcaster.arrive(bob, "bob arrives\n")
      yield* broadcaster.arrive(eve, "eve arrives\n")
      yield* broadcaster.say("hi\n")
      yield* eve.outlet.heard("hi")
      const leaving = yield* Effect.fork(broadcaster.leave(eve, "eve leaves\n"))
      yield* Fiber.interrupt(broadcaster.fiber)
      yield* Fiber.join(leaving)
      for (let line = 0; line < 20; line++) yield* broadcaster.say("x".repeat(100_000))
      yield* broadcaster.leave(eve, "eve leaves\n")
      yield* broadcaster.close("closed\n")
      assert.deepStrictEqual(bob.outlet.lines, ["bob arrives", "eve arrives", "hi", "closed"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("tells nothing to one who has a name already, but no place in the order, and says so", () =>
    Effect.gen(function*() {
      const broadcaster = yield* Broadcaster
      const [bob, eve] = yield* Effect.all([makeUser(0), makeUser(1)])
      yield* broadcaster.arrive(bob, "bob arrives\n")
      // More than the channel holds, so eve has to wait for her place.
      for (let line = 0; line < 3; line++) yield* Effect.fork(broadcaster.say(`${"x".repeat(channelBytes / 2)}\n`))
      yield* Effect.yieldNow()
      const arriving = yield* Effect.fork(broadcaster.arrive(eve, "eve arrives\n"))
      yield* Effect.yieldNow()
      assert.isFalse(yield* broadcaster.tell(eve, "too early\n"))
      yield* Fiber.join(arriving)
      assert.isTrue(yield* broadcaster.tell(eve, "psst\n"))
      yield* broadcaster.close("closed\n")
      assert.deepStrictEqual(eve.outlet.lines, ["eve arrives", "psst", "closed"])
    }).pipe(Effect.provide(layer)))
})
