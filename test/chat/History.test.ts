/**
 * Old lines and live ones, held against what a witness heard from the beginning: whoever comes, or asks, gets exactly the
 * lines before its place, and then all others.
 */
import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, FastCheck } from "effect"
import { Broadcaster } from "../../src/chat/Broadcaster.ts"
import * as History from "../../src/chat/History.ts"
import { behind } from "../../src/chat/Turn.ts"
import { lobby } from "../../src/domain/Room.ts"
import type { World } from "../../src/domain/World.ts"
import { MessageLog } from "../../src/log/MessageLog.ts"
import { chat } from "../support/chat.ts"
import { within } from "../support/client.ts"
import { engineOf, engines } from "../support/engines.ts"
import { FakeOutlet, type FakeUser, makeUser, timed } from "../support/fakes.ts"

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

const act = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.constant("say" as const) },
  { weight: 1, arbitrary: FastCheck.constant("turn" as const) },
  { weight: 1, arbitrary: FastCheck.constant("timed" as const) },
  { weight: 2, arbitrary: FastCheck.constantFrom(1, 3, 20, 1000) }
)
const plan = FastCheck.record({
  replay: FastCheck.constantFrom(0, 1, 5, 1000),
  acts: FastCheck.array(act, { maxLength: 12 }),
  // Some push back at every write.
  isSlow: FastCheck.boolean()
})

class SlowOutlet extends FakeOutlet {
  override write(parts: ReadonlyArray<Uint8Array>): boolean {
    super.write(parts)
    return false
  }

  override get writable() {
    return turn
  }
}

const said = (user: FakeUser, text: string) =>
  ({ _tag: "Said", user: user.id, who: user.first, room: lobby, text }) as const

const withoutTime = (line: string) => line.replace(/^\d\d:\d\d:\d\d /, "")
const old = /^\*\*\* \d\d-\d\d \d\d:\d\d:\d\d (.*)$/
const isSaid = (line: string) => !/(?:已上线|下线)$/.test(line)

/** Checks what one user read against the order that the witness heard. */
const check = (order: ReadonlyArray<string>, user: FakeUser, replay: number, asks: ReadonlyArray<number>) => {
  const front = `[${user.first.address}]${user.first.name}:`
  let place = order.indexOf(`${front}已上线`)
  const lines = Array.dropRight(user.outlet.lines, 1)
  const before = (count: number) => order.slice(0, place).filter(isSaid).slice(-count)
  const readsOld = (expected: ReadonlyArray<string>) => {
    for (const line of expected) assert.strictEqual(old.exec(lines.shift() ?? "")?.[1], line)
  }
  assert.strictEqual(lines.shift(), order[place++], "its own arrival first")
  readsOld(replay === 0 ? [] : before(replay))
  const left = [...asks]
  while (lines.length > 0) {
    if (old.test(lines[0]!) || withoutTime(lines[0]!) === "*** 还没有消息") {
      const count = left.shift()
      assert.isDefined(count, "nothing comes unasked")
      const expected = before(count)
      if (expected.length === 0) assert.strictEqual(withoutTime(lines.shift()!), "*** 还没有消息")
      readsOld(expected)
    } else {
      assert.strictEqual(withoutTime(lines.shift()!), order[place++], "live lines, none twice and none missing")
    }
  }
  assert.strictEqual(place, order.length)
  assert.deepStrictEqual(left, [], "every question was answered")
}

for (const { layer, name } of engines) {
  const broadcaster = chat({ engine: engineOf(layer) })

  describe(`History in ${name}`, () => {
    it.scopedLive.prop("is exactly what was said before the place of whoever comes or asks", [
      FastCheck.array(plan, { minLength: 1, maxLength: 6 })
    ], ([plans]) =>
      Effect.gen(function*() {
        const { arrive, close, happen, reform, stream } = yield* Broadcaster
        const log = yield* MessageLog
        const witness = yield* makeUser(0)
        yield* arrive(witness, false, 0)
        const visits = yield* Effect.forEach(plans, ({ acts, isSlow, replay }, index) =>
          Effect.gen(function*() {
            const user = yield* makeUser(index + 1, isSlow ? { outlet: new SlowOutlet() } : {})
            const asks: Array<number> = []
            yield* happen(said(witness, `before ${index}`))
            yield* arrive(user, false, replay)
            for (const [number, act] of acts.entries()) {
              if (act === "turn") yield* turn
              else if (act === "timed") yield* reform(user, timed)
              else if (act === "say") yield* happen(said(user, `${index} ${number}`))
              else {
                asks.push(act)
                const last = (world: World) => History.last(log, lobby, behind(world), act)
                yield* stream({ user, id: undefined }, last, () => 0)
              }
            }
            return { user, replay, asks }
          }), { concurrency: "unbounded" })
        yield* close({ _tag: "ShuttingDown" })
        yield* within(
          "all to be read",
          Effect.forEach(visits, ({ user }) =>
            Effect.repeat(turn, {
              until: () => user.outlet.lines.some((line) => line.endsWith("服务器即将关闭"))
            }))
        )
        const order = Array.dropRight(witness.outlet.lines, 1)
        for (const { asks, replay, user } of visits) check(order, user, replay, asks)
      }).pipe(Effect.provide(broadcaster)), { timeout: 120_000, fastCheck: { numRuns: 60 } })
  })
}
