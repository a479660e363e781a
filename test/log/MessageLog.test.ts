/** The laws of the log, for each engine: one order, kept before it is given, read as it was appended. */
import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, FastCheck } from "effect"
import { address, originOf } from "../../src/domain/Address.ts"
import { type Event, type Line, Nonce, Seq, type Stored, UserId } from "../../src/domain/Event.ts"
import { Name, nameKey } from "../../src/domain/Name.ts"
import { lobby, type Room } from "../../src/domain/Room.ts"
import { terminalSafe } from "../../src/domain/Text.ts"
import { MessageLog, pageLines } from "../../src/log/MessageLog.ts"
import { text } from "../support/arbitraries.ts"
import { engineOf, engines } from "../support/engines.ts"
import { follower, keptOf } from "../support/follower.ts"

const garden: Room = { key: nameKey("garden"), name: "garden" }
const who = { address: address("::1", 4000), name: Name("张三") }
const said = (text: string, room: Room = lobby): Extract<Event, { readonly _tag: "Said" }> => ({
  _tag: "Said",
  user: UserId(1),
  who,
  room,
  text
})
const others: ReadonlyArray<Event> = [
  { _tag: "Arrived", user: UserId(1), address: who.address },
  { _tag: "Left", user: UserId(1), reason: "quit" },
  { _tag: "Renamed", user: UserId(1), name: Name("x"), as: "guest" }
]

// Text as the session makes it: without controls, and without unpaired surrogates, which UTF-8 cannot hold.
const event = FastCheck.oneof(
  FastCheck.tuple(text, FastCheck.constantFrom(lobby, garden)).map(([text, room]) =>
    said(Buffer.from(terminalSafe(text)).toString(), room)
  ),
  FastCheck.constantFrom(...others)
)
const record = FastCheck.array(event, { minLength: 1, maxLength: 8 })

/** Appends, and gives what the follower got. */
const appendAll = (records: ReadonlyArray<ReadonlyArray<Event>>) =>
  Effect.gen(function*() {
    const log = yield* MessageLog
    const taken: Array<Stored> = []
    log.follow(follower((stored) => Effect.sync(() => void taken.push(stored)), () => assert.fail("it changed")))
    for (const events of records) yield* log.append(events)
    return taken
  })

/** All lines of a room from one place to another, page by page. */
const readAll = (room: Room, from: Seq, before: Seq) =>
  Effect.gen(function*() {
    const log = yield* MessageLog
    const lines: Array<Line> = []
    let place = from
    while (true) {
      const page = yield* log.read(room.key, place, before)
      assert.isAtMost(page.length, pageLines)
      const last = page.at(-1)
      if (last === undefined) return lines
      lines.push(...page)
      place = Seq(last.seq + 1)
    }
  })

const end = Seq(Number.MAX_SAFE_INTEGER)

for (const { isDurable, layer, name } of engines) {
  describe(`MessageLog in ${name}`, () => {
    it.scopedLive.prop("gives each record once, in order and without a gap, and reads what was appended", [
      FastCheck.array(record, { maxLength: 12 }),
      FastCheck.nat({ max: 40 })
    ], ([records, count]) =>
      Effect.gen(function*() {
        const start = yield* Effect.map(MessageLog, ({ start }) => start.seq)
        const taken = yield* appendAll(records)
        assert.deepStrictEqual(taken.map(({ events }) => events), records)
        let next = start + 1
        let at = 0
        for (const stored of taken) {
          assert.strictEqual<number>(stored.seq, next)
          assert.isAtLeast(stored.at, at)
          next += stored.events.length
          at = stored.at
        }
        const log = yield* MessageLog
        for (const room of [lobby, garden]) {
          const lines = taken.flatMap((record) => keptOf(record).lines).filter((line) => line.room === room.key)
          assert.deepStrictEqual(yield* readAll(room, Seq(0), end), lines)
          // From any place to any other, and the last so many of them.
          const [from, before] = [Seq(start + count), Seq(start + 2 * count)]
          const between = lines.filter(({ seq }) => seq >= from && seq < before)
          assert.deepStrictEqual(yield* readAll(room, from, before), between)
          assert.strictEqual(yield* log.count(room.key, from, before, count), Math.min(between.length, count))
          const last = lines.filter(({ seq }) => seq < before).slice(-count - 1)
          assert.strictEqual(yield* log.startOf(room.key, before, count + 1), last[0]?.seq ?? before)
        }
      }).pipe(Effect.provide(engineOf(layer))), { timeout: 60_000, fastCheck: { numRuns: 40 } })

    it.scopedLive("reads in pages that are bounded in bytes, and always gets on", () =>
      Effect.gen(function*() {
        const texts = Array.makeBy(250, (n) => `${n} ${"长".repeat(n % 3 === 0 ? 20_000 : 10)}`)
        yield* appendAll([texts.map((text) => said(text)), [said("x".repeat(1_000_000))]])
        const log = yield* MessageLog
        const first = yield* log.read(lobby.key, Seq(0), end)
        assert.isBelow(first.length, 20)
        const lines = yield* readAll(lobby, Seq(0), end)
        assert.deepStrictEqual(lines.map(({ text }) => text), [...texts, "x".repeat(1_000_000)])
      }).pipe(Effect.provide(engineOf(layer))))

    it.scopedLive("has what it gave already in store when it gives it", () =>
      Effect.gen(function*() {
        const log = yield* MessageLog
        const seen: Array<ReadonlyArray<Line>> = []
        log.follow(follower((stored) =>
          Effect.map(Effect.orDie(log.read(lobby.key, stored.seq, end)), (lines) => void seen.push(lines))
        ))
        for (const text of ["one", "two"]) {
          yield* log.append([said(text)])
        }
        assert.deepStrictEqual(
          seen.map((lines) =>
            lines.map(({ text }) => text)
          ),
          [["one"], ["two"]]
        )
      }).pipe(Effect.provide(engineOf(layer))))

    it.scopedLive("never gives a number again after a restart, and has what it had if it is durable", () =>
      Effect.gen(function*() {
        const store = yield* layer
        let last = 0
        const texts: Array<string> = []
        for (let run = 0; run < 4; run++) {
          yield* Effect.gen(function*() {
            const { start } = yield* MessageLog
            if (isDurable) assert.isAtLeast(start.seq, last)
            const kept = yield* readAll(lobby, Seq(0), end)
            assert.deepStrictEqual(kept.map(({ text }) => text), isDurable ? texts : [])
            const taken = yield* appendAll([[said(`${run} one`), ...others], [said(`${run} two`)], others])
            texts.push(`${run} one`, `${run} two`)
            last = (taken.at(-1)?.seq ?? 0) + others.length - 1
          }).pipe(Effect.provide(store))
        }
      }))

    it.scopedLive("says up to where lines are gone, which is nowhere in a log that has all", () =>
      Effect.gen(function*() {
        const log = yield* MessageLog
        yield* appendAll([[said("one")]])
        assert.strictEqual<number>(yield* log.erased(lobby.key), 0)
      }).pipe(Effect.provide(engineOf(layer))))

    it.scopedLive("keeps what is in one record twice under one nonce once, and knows nonces for ten minutes of its time", () =>
      Effect.gen(function*() {
        const store = yield* layer
        const [one, two] = [Nonce("one-of-the-nonces"), Nonce("two-of-the-nonces")]
        const told: Event = { _tag: "Told", user: UserId(1), who, nonce: two, to: undefined }
        yield* appendAll([[{ ...said("once"), nonce: one }, { ...said("once"), nonce: one }, told], [said("more")]])
          .pipe(
            Effect.provide(store),
            Effect.scoped
          )
        yield* Effect.gen(function*() {
          const { id, start } = yield* MessageLog
          assert.isAbove(id().length, 3)
          const origin = originOf(who.address)
          const nonces = "nonces" in start ? start.nonces : []
          const known = nonces.map(({ nonce, origin, seq }) => ({ nonce, seq, origin }))
          assert.deepStrictEqual<unknown>(
            known,
            isDurable ? [{ nonce: one, seq: 1, origin }, { nonce: two, seq: 3, origin }] : []
          )
          const lines = yield* readAll(lobby, Seq(0), end)
          assert.deepStrictEqual(lines.map(({ text }) => text), isDurable ? ["once", "more"] : [])
        }).pipe(Effect.provide(store))
      }))

    it.scopedLive("is another log each time it is new, and the same for as long as it goes on", () =>
      Effect.gen(function*() {
        const id = Effect.map(MessageLog, ({ id }) => id())
        const [store, other] = [yield* layer, yield* layer]
        const first = yield* Effect.provide(id, store)
        assert.strictEqual((yield* Effect.provide(id, store)) === first, isDurable)
        assert.notStrictEqual(yield* Effect.provide(id, other), first)
      }))
  })
}
