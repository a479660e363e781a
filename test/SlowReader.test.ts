import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { arrive, type Client, connect } from "./support/client.ts"
import { start } from "./support/server.ts"

const text = "x".repeat(4000)

/** Says `count` numbered lines of 4 kB, 50 at a time, and waits for them to come back, so that it keeps up itself. */
const say = (client: Client, count: number) =>
  Effect.gen(function*() {
    for (let next = 0; next < count; next += 50) {
      yield* client.send(Array.from({ length: 50 }, (_, i) => `${next + i} ${text}\n`).join(""))
      for (let i = 0; i < 50; i++) assert.strictEqual(yield* client.line, `${client.front}${next + i} ${text}`)
    }
  })

describe("A user who reads slowly", () => {
  it.scopedLive("is told exactly how many lines are missing, where they are missing, while nobody else misses any", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, backlog: 65_536 })
      const slow = yield* connect(port, { paused: true })
      const talker = yield* arrive(port)
      const healthy = yield* arrive(port)
      yield* talker.sees(`${healthy.front}已上线`)
      const count = 2500
      yield* say(talker, count)
      for (let i = 0; i < count; i++) assert.strictEqual(yield* healthy.line, `${talker.front}${i} ${text}`)
      yield* slow.read
      yield* slow.sees(`${slow.front}已上线`, `${talker.front}已上线`, `${healthy.front}已上线`)
      let next = 0
      let skipped = 0
      while (next < count) {
        const line = yield* slow.line
        const notice = /^\*\*\* 接收过慢，已跳过 (\d+) 行$/.exec(line)
        if (notice === null) assert.strictEqual(line, `${talker.front}${next++} ${text}`)
        else {
          skipped += Number(notice[1])
          next += Number(notice[1])
        }
      }
      assert.isAbove(skipped, 0)
      yield* talker.send("all is well\n")
      yield* slow.sees(`${talker.front}all is well`)
    }))

  it.scopedLive("gets all its own answers, and is not read while they find no room", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, backlog: 65_536 })
      const slow = yield* connect(port, { paused: true })
      const asked = 40_000
      yield* slow.send(`to|nobody|${"x".repeat(1000)}\n`.repeat(asked))
      const other = yield* arrive(port)
      yield* other.send("still served\n")
      yield* other.sees(`${other.front}still served`)
      // It asked for more than the kernel and its backlog hold: part of its questions is still its own.
      assert.isAbove(slow.socket.writableLength, 0)
      yield* slow.send("that was all\n")
      yield* slow.read
      let answers = 0
      for (let over = false; !over;) {
        const lines = yield* slow.lines
        answers += lines.filter((line) => line === "该用户名不存在").length
        over = lines.includes(`${slow.front}that was all`)
      }
      assert.strictEqual(answers, asked)
    }))

  it.scopedLive("is disconnected when its socket takes nothing for the stall timeout, and the rest is told", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, backlog: 65_536, stallTimeout: Duration.seconds(2) })
      const stalled = yield* connect(port, { paused: true })
      const talker = yield* arrive(port)
      yield* say(talker, 2500)
      yield* talker.sees(`${stalled.front}下线`)
      yield* talker.send("who\n")
      yield* talker.sees(`${talker.front}在线...`)
    }))
})

describe("A user who sends without end", () => {
  it.scopedLive("is slowed down, loses nothing, and keeps nobody waiting", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 100, burst: 10 })
      const flooder = yield* arrive(port)
      const other = yield* arrive(port)
      yield* flooder.sees(`${other.front}已上线`)
      const page = 300
      yield* flooder.send(Array.from({ length: page }, (_, i) => `line ${i}\n`).join(""))
      yield* other.send("hello\n")
      const seen: Array<string> = []
      while (seen.length < page + 1) seen.push(yield* other.line)
      assert.isBelow(seen.indexOf(`${other.front}hello`), page / 2)
      assert.deepStrictEqual(
        seen.filter((line) => line.startsWith(flooder.front)),
        Array.from({ length: page }, (_, i) => `${flooder.front}line ${i}`)
      )
    }))

  it.scopedLive("pays for a line without end as for many lines", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 20, burst: 10 })
      const flooder = yield* connect(port)
      yield* flooder.sees(`${flooder.front}已上线`)
      yield* flooder.send(Buffer.alloc(32_000_000, "x"))
      yield* flooder.sees("*** 消息过长（上限 4096 字节），未发送")
      const other = yield* arrive(port)
      yield* other.send("hello\n")
      yield* other.sees(`${other.front}hello`)
      // Most of it is still with the sender, whose socket has been given all: TCP holds it back.
      assert.isAbove(flooder.socket.writableLength, 16_000_000)
    }))
})

describe("A newcomer over a cap", () => {
  const refused = (overrides: Parameters<typeof start>[0], notice: string) =>
    Effect.gen(function*() {
      const port = yield* start(overrides)
      const ann = yield* arrive(port)
      const bob = yield* arrive(port)
      yield* ann.sees(`${bob.front}已上线`)
      const eve = yield* connect(port)
      yield* eve.send("let me in\n")
      yield* eve.sees(notice)
      yield* eve.ended
      yield* ann.send("who\n")
      yield* ann.sees(`${ann.front}在线...`, `${bob.front}在线...`)
      yield* bob.reset
      yield* ann.sees(`${bob.front}下线`)
      const again = yield* connect(port)
      yield* again.sees(`${again.front}已上线`)
      yield* ann.sees(`${again.front}已上线`)
    })

  it.scopedLive("reads that the server is full, and is never online", () =>
    refused({ maxConnections: 2 }, "*** 服务器已满，请稍后再试"))

  it.scopedLive("reads that its address has too many connections, and is never online", () =>
    refused({ maxConnectionsPerIp: 2 }, "*** 同一地址连接过多"))

  it.scopedLive("is refused without a word when many others are just being refused", () =>
    Effect.gen(function*() {
      const port = yield* start({ maxConnections: 1 })
      const ann = yield* arrive(port)
      const crowd = yield* Effect.forEach(Array.from({ length: 150 }), () => connect(port), {
        concurrency: "unbounded"
      })
      const words = yield* Effect.forEach(
        crowd,
        (client) => Effect.raceFirst(Effect.asSome(client.line), Effect.as(client.ended, Option.none<string>())),
        { concurrency: "unbounded" }
      )
      const told = words.filter(Option.isSome)
      assert.isTrue(told.every(({ value }) => value === "*** 服务器已满，请稍后再试"))
      assert.isAtLeast(told.length, 1)
      yield* ann.send("alone\n")
      yield* ann.sees(`${ann.front}alone`)
    }))
})
