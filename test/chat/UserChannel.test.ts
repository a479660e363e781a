import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, FastCheck, Fiber } from "effect"
import { type Delivery, entryBytes, share } from "../../src/chat/Delivery.ts"
import * as UserChannel from "../../src/chat/UserChannel.ts"
import { FakeOutlet, ownReply, plain, skipped, stats, timed } from "../support/fakes.ts"

const makeChannel = (outlet: FakeOutlet, backlog: number) =>
  UserChannel.make({ outlet, backlog, form: plain, skipped, stats })

/** A delivery of these lines. */
const delivery = (lines: ReadonlyArray<string>, kind: Delivery["kind"] = "shared"): Delivery => {
  const reply = ownReply({ bytes: Buffer.from(lines.map((line) => `${line}\n`).join("")), lines: lines.length })
  return kind === "own" ? reply : { ...reply, kind, promised: false }
}

/** Delivers as the broadcaster does, each on its own; true where the channel asks to be drained. */
const deliver = (channel: UserChannel.UserChannel, ...deliveries: ReadonlyArray<Delivery>): boolean => {
  for (const { promised } of deliveries) if (promised) channel.promise()
  return channel.deliver(share(deliveries))
}

const size = FastCheck.oneof(FastCheck.integer({ min: 1, max: 300 }), FastCheck.integer({ min: 10_000, max: 70_000 }))
type Step =
  | { readonly step: "deliver"; readonly sizes: ReadonlyArray<number>; readonly own: boolean }
  | { readonly step: "admit"; readonly writes: number }

const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  {
    weight: 4,
    arbitrary: FastCheck.record({
      step: FastCheck.constant("deliver" as const),
      sizes: FastCheck.array(size, { minLength: 1, maxLength: 3 }),
      own: FastCheck.boolean()
    })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({
      step: FastCheck.constant("admit" as const),
      writes: FastCheck.integer({ min: 1, max: 4 })
    })
  }
)

/** Runs the steps against an outlet that pushes back from the first write on, and lets it take all in the end. */
const run = (backlog: number, steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const outlet = new FakeOutlet(1)
    const channel = yield* makeChannel(outlet, backlog)
    const sent: Array<{ readonly lines: ReadonlyArray<string>; readonly own: boolean }> = []
    const drains: Array<Fiber.Fiber<void>> = []
    let serial = 0
    for (const step of steps) {
      if (step.step === "admit") {
        outlet.admit(step.writes)
        yield* Effect.raceFirst(outlet.full, channel.drained())
        continue
      }
      const lines = step.sizes.map((size) => `${serial++}:`.padEnd(size, "x"))
      sent.push({ lines, own: step.own })
      if (deliver(channel, delivery(lines, step.own ? "own" : "shared"))) {
        drains.push(yield* Effect.fork(channel.drain()))
      }
    }
    outlet.admit(Infinity)
    yield* Fiber.joinAll(drains)
    yield* channel.drained()
    return { sent, received: outlet.lines }
  })

/** How many lines a notice says were skipped; 0 if it is none. */
const gapOf = (line: string | undefined): number => Number(/^\*\*\* (\d+) skipped$/.exec(line ?? "")?.[1] ?? 0)

describe("UserChannel", () => {
  it.effect.prop("loses nothing, and keeps the order, while what waits is within the backlog", [
    FastCheck.array(step, { maxLength: 40 })
  ], ([steps]) =>
    Effect.gen(function*() {
      const { received, sent } = yield* run(Infinity, steps)
      assert.deepStrictEqual(received, sent.flatMap(({ lines }) => lines))
    }), { timeout: 30_000 })

  it.effect.prop("tells at the place of each gap exactly how many lines it skipped", [
    FastCheck.integer({ min: 100, max: 200_000 }),
    FastCheck.array(step, { maxLength: 40 })
  ], ([backlog, steps]) =>
    Effect.gen(function*() {
      const { received, sent } = yield* run(backlog, steps)
      let at = 0
      let gap = 0
      for (const { lines, own } of sent) {
        if (gap === 0) {
          gap = gapOf(received[at])
          if (gap > 0) at++
        }
        if (gap === 0) {
          assert.deepStrictEqual(received.slice(at, at + lines.length), lines)
          at += lines.length
        } else {
          assert.isFalse(own, "an own reply is never skipped")
          gap -= lines.length
          assert.isAtLeast(gap, 0, "a delivery is skipped as a whole")
        }
      }
      assert.strictEqual(gap, 0)
      assert.strictEqual(at, received.length)
    }), { timeout: 30_000 })

  it.effect.prop("holds no more of other people's lines than the backlog", [
    FastCheck.integer({ min: 500, max: 20_000 }),
    FastCheck.array(FastCheck.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 })
  ], ([backlog, sizes]) =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, backlog)
      deliver(channel, delivery(["first"]))
      let room = backlog
      let expected = 0
      for (const size of sizes) {
        deliver(channel, delivery(["x".repeat(size)]))
        const cost = size + 1 + entryBytes.shared
        room -= cost > room ? room : cost
        if (room > 0) expected++
      }
      outlet.admit(Infinity)
      yield* channel.drain()
      const kept = outlet.lines.filter((line) => line.startsWith("x"))
      const bytes = Buffer.byteLength(kept.map((line) => `${line}\n`).join(""))
      assert.isAtMost(bytes, backlog)
      assert.isAtLeast(kept.length, expected)
    }), { timeout: 30_000 })

  it.effect.prop("lets private lines take a quarter, and skips them first: no public line is missing because of them", [
    FastCheck.array(
      FastCheck.record({ isPrivate: FastCheck.boolean(), size: FastCheck.integer({ min: 5, max: 3000 }) }),
      { maxLength: 200 }
    ),
    FastCheck.array(FastCheck.nat({ max: 199 }), { maxLength: 5 })
  ], ([sent, pauses]) =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      // All that is public just fits into three quarters, with a notice for each gap.
      const publicBytes = sent.reduce(
        (sum, { isPrivate, size }) => sum + (isPrivate ? 0 : size + 1 + entryBytes.shared),
        0
      )
      const backlog = Math.ceil((publicBytes + 2 * (pauses.length + 1) * (entryBytes.own + 20)) * 4 / 3)
      const channel = yield* makeChannel(outlet, backlog)
      deliver(channel, delivery(["first"]))
      const drain = yield* Effect.fork(channel.drain())
      for (const [number, { isPrivate, size }] of sent.entries()) {
        // A part of it is taken meanwhile.
        if (pauses.includes(number)) {
          outlet.admit(1)
          yield* Effect.raceFirst(outlet.full, channel.drained())
        }
        const line = `${number}${isPrivate ? "p" : "s"}`.padEnd(size, "x")
        if (deliver(channel, delivery([line], isPrivate ? "private" : "shared"))) yield* Effect.fork(channel.drain())
      }
      outlet.admit(Infinity)
      yield* Fiber.join(drain)
      yield* channel.drained()
      const numbers = (kind: string) =>
        outlet.lines.flatMap((line) => new RegExp(`^(\\d+)${kind}`).exec(line)?.[1] ?? []).map(Number)
      const of = (isPrivate: boolean) => sent.flatMap((one, number) => one.isPrivate === isPrivate ? [number] : [])
      assert.deepStrictEqual(numbers("s"), of(false), "every public line, in order")
      const kept = numbers("p")
      assert.deepStrictEqual(kept, kept.toSorted((a, b) => a - b))
      const told = outlet.lines.reduce((sum, line) => sum + gapOf(line), 0)
      assert.strictEqual(told, of(true).length - kept.length, "as many as are missing")
      if (pauses.length === 0) {
        const cost = kept.reduce((sum, number) => sum + sent[number]!.size + 1 + entryBytes.private, 0)
        assert.isAtMost(cost, backlog / 4)
      }
    }), { timeout: 30_000 })

  it.effect("tells of private lines that were skipped before the next one that is not", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 4 * (entryBytes.private + 10))
      deliver(channel, delivery(["first"]))
      deliver(channel, delivery(["one"], "private"), delivery(["two"], "private"), delivery(["public"]))
      deliver(channel, delivery(["three"], "private"), delivery(["answer"], "own"))
      outlet.admit(1)
      yield* Effect.raceFirst(channel.drain(), outlet.full)
      deliver(channel, delivery(["four"], "private"))
      outlet.admit(Infinity)
      yield* channel.drain()
      assert.deepStrictEqual(outlet.lines, ["first", "one", "public", "answer", "*** 2 skipped", "four"])
    }))

  it.effect("writes at once, and needs no drain, while the outlet takes everything", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet()
      const channel = yield* makeChannel(outlet, 100)
      assert.isFalse(deliver(channel, delivery(["one"]), delivery(["two"], "own")))
      assert.isFalse(channel.isDraining)
      assert.deepStrictEqual(outlet.lines, ["one", "two"])
      assert.strictEqual(outlet.writes, 1)
    }))

  it.effect("asks for a drain once, and writes nothing while the outlet pushes back", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 100)
      assert.isTrue(deliver(channel, delivery(["one"])))
      assert.isTrue(channel.isDraining)
      assert.isFalse(deliver(channel, delivery(["two"])))
      assert.deepStrictEqual(outlet.lines, ["one"])
    }))

  it.effect("asks for another drain when the outlet pushes back again", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 100)
      deliver(channel, delivery(["one"]))
      outlet.admit(1)
      yield* channel.drain()
      assert.isFalse(channel.isDraining)
      assert.isTrue(deliver(channel, delivery(["two"])))
    }))

  it.effect("passes what just fits the backlog, and skips what does not", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 2 * entryBytes.shared + 10)
      deliver(channel, delivery(["first"]))
      deliver(channel, delivery(["1234"]), delivery(["5678"]))
      deliver(channel, delivery(["a", "b"]), delivery(["c"]))
      outlet.admit(Infinity)
      yield* channel.drain()
      assert.deepStrictEqual(outlet.lines, ["first", "1234", "5678", "*** 3 skipped"])
    }))

  it.effect("counts what it was given and what it skipped, and bytes when they go out", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const stats = { linesDelivered: 0, linesSkipped: 0, bytesOut: 0 }
      const channel = yield* UserChannel.make({
        outlet,
        backlog: 2 * entryBytes.shared + 10,
        form: plain,
        skipped,
        stats
      })
      deliver(channel, delivery(["first"]))
      deliver(channel, delivery(["1234"]), delivery(["5678"]), delivery(["a", "b"]), delivery(["c"]))
      assert.deepStrictEqual(stats, { linesDelivered: 3, linesSkipped: 3, bytesOut: 6 })
      assert.deepStrictEqual([channel.backlog, channel.skippedLines], [2 * entryBytes.shared + 10, 3])
      outlet.admit(Infinity)
      yield* channel.drain()
      assert.deepStrictEqual(stats, { linesDelivered: 3, linesSkipped: 3, bytesOut: outlet.text.length })
      assert.deepStrictEqual([channel.backlog, channel.skippedLines], [0, 3])
    }))

  it.effect("goes on skipping until it is empty: one gap, not one with each delivery", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, entryBytes.shared + 10)
      deliver(channel, delivery(["first"]))
      deliver(channel, delivery(["much too long"]), delivery(["a"]), delivery(["b"]))
      outlet.admit(Infinity)
      yield* channel.drain()
      deliver(channel, delivery(["next"]))
      assert.deepStrictEqual(outlet.lines, ["first", "*** 3 skipped", "next"])
    }))

  it.effect("puts an own reply behind the notice of what was skipped before it", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, entryBytes.shared + 10)
      deliver(channel, delivery(["first"]))
      deliver(
        channel,
        delivery(["much too long"]),
        delivery(["reply, longer than the backlog"], "own"),
        delivery(["d"])
      )
      outlet.admit(Infinity)
      yield* channel.drain()
      assert.deepStrictEqual(outlet.lines, [
        "first",
        "*** 1 skipped",
        "reply, longer than the backlog",
        "*** 1 skipped"
      ])
    }))

  it.effect("has room until the replies that wait, or are on their way, fill the backlog", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 8000)
      deliver(channel, delivery(["first"]))
      const [half, other] = [delivery(["x".repeat(3500)], "own"), delivery(["x".repeat(3500)], "own")]
      channel.promise()
      assert.isTrue(channel.hasRoom)
      channel.promise()
      assert.isFalse(channel.hasRoom, "4096 bytes are kept for each")
      channel.deliver(share([half, other]))
      assert.isFalse(channel.hasRoom)
      outlet.admit(1)
      yield* Effect.raceFirst(channel.drain(), outlet.full)
      assert.isTrue(channel.hasRoom)
    }))

  it.effect("counts a reply that the outlet took at once as waiting no more", () =>
    Effect.gen(function*() {
      const channel = yield* makeChannel(new FakeOutlet(), entryBytes.own + 10)
      for (const _ of Array.range(1, 5)) deliver(channel, delivery(["12345678"], "own"))
      assert.isTrue(channel.hasRoom)
      yield* channel.room()
    }))

  it.effect("lets wait for room until the outlet has taken enough", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, entryBytes.own + 10)
      deliver(channel, delivery(["first"]))
      deliver(channel, delivery(["123456789"], "own"))
      const drain = yield* Effect.fork(channel.drain())
      const seen = yield* Effect.fork(Effect.map(channel.room(), () => outlet.lines))
      outlet.admit(Infinity)
      assert.deepStrictEqual(yield* Fiber.join(seen), ["first", "123456789"])
      yield* Fiber.join(drain)
    }))

  it.effect("is drained only when all was taken and the outlet pushes back no more", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, entryBytes.shared + 100)
      yield* channel.drained()
      deliver(channel, delivery(["one"]))
      deliver(channel, delivery(["two"]))
      const drained = yield* Effect.fork(channel.drained())
      yield* Effect.fork(channel.drain())
      outlet.admit(1)
      yield* outlet.full
      assert.deepStrictEqual(outlet.lines, ["one", "two"])
      assert.isTrue(channel.isDraining)
      outlet.admit(1)
      yield* Fiber.join(drained)
      assert.isFalse(channel.isDraining)
    }))

  it.effect("feeds a slow outlet piece by piece, so that what it takes shows as progress", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 1_000_000)
      deliver(channel, delivery(["first"]))
      const large = Array.makeBy(5000, () => "x".repeat(99))
      deliver(channel, delivery(large))
      assert.strictEqual(channel.progress, 0)
      outlet.admit(1)
      yield* Effect.raceFirst(channel.drain(), outlet.full)
      assert.isAbove(channel.progress, 0)
      assert.isBelow(outlet.text.length, 100 * large.length)
    }))

  it.effect("ends each piece with a line, also where one is longer than a piece", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 1_000_000)
      deliver(channel, delivery(["first"]))
      const lines = [30_000, 1, 50_000, 65_534, 65_535, 65_536, 200_000, 7].map((size) => "你".repeat(size / 3))
      deliver(channel, delivery(lines.slice(0, 2)), delivery(lines.slice(2)))
      const drained = yield* Effect.fork(channel.drain())
      for (let writes = 1; channel.isDraining; writes++) {
        assert.match(outlet.text, /\n$/)
        outlet.admit(1)
        yield* Effect.raceFirst(outlet.full, channel.drained())
        assert.isBelow(writes, 20)
      }
      yield* Fiber.join(drained)
      assert.deepStrictEqual(outlet.lines, ["first", ...lines])
    }))

  const source = (...pages: ReadonlyArray<string>): Delivery => {
    const left = [...pages]
    const next = Effect.sync(() => left.shift()).pipe(
      Effect.delay("1 millis"),
      Effect.map((page) => page === undefined ? undefined : Buffer.from(page))
    )
    return { ...delivery([], "own"), promised: false, source: next }
  }

  it.live("gives what is made as it goes in its place, whole, and what came meanwhile behind it", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet()
      const channel = yield* makeChannel(outlet, 1_000_000)
      const large = "x".repeat(200_000)
      assert.isTrue(deliver(channel, delivery(["one"]), source("a\nb\n", `${large}\n`), delivery(["two"])))
      const drain = yield* Effect.fork(channel.drain())
      assert.isFalse(deliver(channel, delivery(["three"])))
      assert.isTrue(deliver(channel, source()) === false && channel.isDraining)
      yield* Fiber.join(drain)
      assert.deepStrictEqual(outlet.lines, ["one", "a", "b", large, "two", "three"])
      assert.isFalse(channel.isDraining)
      assert.strictEqual(channel.backlog, 0)
    }))

  it.live("is not stalled while it waits for what is made, only while its outlet pushes back", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* makeChannel(outlet, 1_000_000)
      const gate = yield* Effect.makeLatch()
      deliver(channel, { ...source(), source: Effect.as(gate.await, undefined) })
      const drain = yield* Effect.fork(channel.drain())
      yield* Effect.repeat(Effect.yieldNow(), { until: () => !channel.isStalled })
      assert.isTrue(channel.isDraining)
      yield* gate.open
      yield* Fiber.join(drain)
      deliver(channel, delivery(["one"]))
      assert.isTrue(channel.isStalled)
    }))

  it.effect("is stalled while what has made its lines waits until they are taken", () =>
    Effect.gen(function*() {
      const taken = yield* Effect.makeLatch()
      const outlet = {
        write: () => true,
        writable: Effect.void,
        taken: Effect.as(taken.await, true)
      }
      const channel = yield* UserChannel.make({ outlet, backlog: Infinity, form: plain, skipped, stats })
      deliver(channel, { ...source(), source: Effect.as(channel.allTaken, undefined) })
      const { progress } = channel
      const drain = yield* Effect.fork(channel.drain())
      yield* Effect.repeat(Effect.yieldNow(), { until: () => channel.progress > progress })
      assert.isTrue(channel.isStalled)
      yield* taken.open
      yield* Fiber.join(drain)
      assert.isFalse(channel.isDraining)
    }))

  it.effect("tells of a gap in the form in which the lines were told that are missing", () =>
    Effect.gen(function*() {
      const outlet = new FakeOutlet(1)
      const channel = yield* UserChannel.make({
        outlet,
        backlog: 1000,
        form: plain,
        skipped: (lines, form) => `${form === plain ? "plain" : "timed"} ${lines}\n`,
        stats
      })
      assert.isTrue(deliver(channel, delivery(["first"])))
      // All in one turn: it is told in the other form from behind the gap on.
      const change = { ...delivery([], "own"), promised: false, form: timed }
      deliver(channel, delivery(["x".repeat(1000)]), change, delivery(["y".repeat(1000)]), delivery(["own"], "own"))
      outlet.admit(Infinity)
      yield* channel.drain()
      assert.deepStrictEqual(outlet.lines, ["first", "plain 1", "timed 1", "own"])
    }))
})
