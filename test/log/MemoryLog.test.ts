import { assert, describe, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { address } from "../../src/domain/Address.ts"
import { type Line, Seq, UserId } from "../../src/domain/Event.ts"
import { Name } from "../../src/domain/Name.ts"
import { lobby } from "../../src/domain/Room.ts"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import { MessageLog } from "../../src/log/MessageLog.ts"
import { Waiting, waitingBytes } from "../../src/log/SqliteKeeper.ts"
import { follower } from "../support/follower.ts"

const who = { address: address("127.0.0.1", 4000), name: Name("bob") }
const line = (seq: number, size: number): Line => ({
  seq: Seq(seq),
  at: 0,
  room: lobby.key,
  who,
  text: "x".repeat(size)
})

describe("MemoryLog", () => {
  it.effect("remembers the last ten thousand lines, and not much more", () =>
    Effect.gen(function*() {
      const log = yield* MessageLog
      log.follow(follower())
      const count = 3 * MemoryLog.rememberedLines
      for (const texts of Array.chunksOf(Array.makeBy(count, String), 700)) {
        yield* log.append(
          texts.map((text) => ({ _tag: "Said" as const, user: UserId(1), who, room: lobby, text }))
        )
      }
      const end = Seq(count + 1)
      const [first] = yield* log.read(lobby.key, Seq(0), end)
      const remembered = count - Number(first?.text)
      assert.isAtLeast(remembered, MemoryLog.rememberedLines)
      assert.isAtMost(remembered, 1.2 * MemoryLog.rememberedLines)
      assert.strictEqual<number>(yield* log.startOf(lobby.key, end, 5), count - 4)
      assert.strictEqual<number>(yield* log.erased(lobby.key), count - remembered)
    }).pipe(Effect.provide(MemoryLog.layer)))
})

describe("Lines that wait for the file", () => {
  it("are at most so many bytes: then the oldest are given up, and counted", () => {
    const waiting = new Waiting()
    for (let seq = 1; seq <= 40_000; seq++) {
      waiting.add(line(seq, 1000))
      waiting.giveUp()
    }
    const [first] = waiting.first(1)
    assert.isAbove(waiting.lost, 0)
    assert.strictEqual<number | undefined>(first?.seq, waiting.lost + 1)
    assert.strictEqual(waiting.size + waiting.lost, 40_000)
    const bytes = waiting.size * (256 + 2000)
    assert.isAtMost(bytes, waitingBytes)
    assert.isAtLeast(bytes, waitingBytes - 1_100_000)
    // Room that was made is there again.
    waiting.removeFirst(waiting.size)
    for (let seq = 1; seq <= 7000; seq++) waiting.add(line(seq, 1000))
    const { lost } = waiting
    waiting.giveUp()
    assert.strictEqual(waiting.lost, lost)
  })
})
