/** How far an owner has read in each room: the latest places, and no more of them than a few. */
import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, FastCheck, Layer } from "effect"
import { LastSeen } from "../../src/chat/LastSeen.ts"
import { Records } from "../../src/chat/Records.ts"
import * as UserChannel from "../../src/chat/UserChannel.ts"
import { Seq } from "../../src/domain/Event.ts"
import { nameKey } from "../../src/domain/Name.ts"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import { FakeOutlet, plain, skipped, stats } from "../support/fakes.ts"

const ann = nameKey("Ann")
const roomOf = (n: number) => nameKey(`room ${n}`)
const fewRooms = 100

/** The rooms with the latest places. */
const latest = (places: ReadonlyMap<string, Seq>) =>
  new Map(Array.fromIterable(places).toSorted(([, one], [, other]) => other - one).slice(0, fewRooms))

/** Through so many rooms in a row, twice through some of them. */
const walk = FastCheck.tuple(FastCheck.nat({ max: 50 }), FastCheck.nat({ max: 150 }), FastCheck.nat({ max: 50 }))
  .map(([first, count, more]) =>
    Array.appendAll(Array.makeBy(count, (n) => first + n), Array.makeBy(more, (n) => first + 2 * n))
  )

describe("LastSeen", () => {
  it.effect.prop(
    "keeps the latest places, of a hundred rooms, however many somebody walks through in however many visits",
    [FastCheck.array(walk, { minLength: 1, maxLength: 4 })],
    ([visits]) =>
      Effect.gen(function*() {
        const lastSeen = yield* LastSeen
        const { seen } = yield* Records
        const all = new Map<string, Seq>()
        let seq = 0
        for (const rooms of visits) {
          const channel = yield* UserChannel.make({
            outlet: new FakeOutlet(),
            backlog: 1000,
            form: plain,
            skipped,
            stats
          })
          const before = yield* lastSeen.begin(ann, channel)
          for (const [room, place] of latest(all)) assert.strictEqual(before.get(nameKey(room)), place)
          for (const room of rooms) {
            all.set(roomOf(room), Seq(++seq))
            yield* lastSeen.mark(ann, channel, roomOf(room), Seq(seq))
            assert.isAtMost(Array.fromIterable(channel.seen ?? []).length, fewRooms)
          }
          yield* lastSeen.end(ann, channel)
        }
        const [kept] = yield* seen.list()
        assert.deepStrictEqual<unknown>(kept?.value ?? {}, Object.fromEntries(latest(all)))
      }).pipe(Effect.provide(LastSeen.layer.pipe(Layer.provideMerge(Records.layer), Layer.provide(MemoryLog.layer)))),
    { fastCheck: { numRuns: 10 } }
  )
})
