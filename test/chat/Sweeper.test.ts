import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import { Pace } from "../../src/chat/Pace.ts"
import * as Session from "../../src/chat/Session.ts"
import * as Sweeper from "../../src/chat/Sweeper.ts"
import type { ServerConfig } from "../../src/ServerConfig.ts"
import { chat } from "../support/chat.ts"
import * as Peer from "../support/connection.ts"

const layer = (settings: Partial<typeof ServerConfig.Service>) => chat({ settings })

/** Lets real turns of the event loop pass, which the broadcaster waits for; the clock stands still. */
const settle = Effect.async<void>((resume) => {
  let turns = 5
  const turn = () => turns-- > 0 ? setImmediate(turn) : resume(Effect.void)
  turn()
})

/** Moves the clock by as much as it takes, second by second, as the sweeper and the broadcaster wait for it. */
const pass = (seconds: number) =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.zipRight(TestClock.adjust("1 second"), settle), {
    discard: true
  })

/**
 * A user who has heard of its arrival, in a server without sockets. Sessions are daemons: where the clock stands still
 * none could leave at the end of a test.
 */
const visit = Effect.gen(function*() {
  const run = yield* Session.make
  yield* Effect.forkScoped(Sweeper.run)
  const peer = yield* Peer.make
  const session = yield* Effect.forkDaemon(run(peer.connection, new Pace(0, 1), "plain"))
  yield* settle
  yield* TestClock.adjust("20 millis")
  assert.strictEqual(yield* peer.line, `${peer.front}已上线`)
  return { peer, run, session }
})

/** The clock of the test, with what it is ahead of its timers, in ms: set by somebody, or gone on while all else stood still. */
const unsteady = Effect.map(Effect.clock, (steady) => {
  const jumps = { wall: 0, monotonic: 0 }
  const clock = new Proxy(steady, {
    get: (target, key) => {
      if (key === "unsafeCurrentTimeMillis") return () => target.unsafeCurrentTimeMillis() + jumps.wall
      if (key === "unsafeCurrentTimeNanos") {
        return () => target.unsafeCurrentTimeNanos() + BigInt(jumps.monotonic * 1_000_000)
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === "function" ? value.bind(target) : value
    }
  })
  return { clock, jumps }
})

describe("Sweeper", { concurrent: true }, () => {
  for (
    const [limit, warnedAfter, left] of [["5 minutes", 240, 60], ["2 minutes", 60, 60], ["90 seconds", 45, 45]] as const
  ) {
    it.scoped(`warns ${left} s before it kicks, with an idle timeout of ${limit}`, () =>
      Effect.gen(function*() {
        const { peer, session } = yield* visit
        const line = yield* Effect.fork(peer.line)
        yield* pass(warnedAfter - 1)
        assert.isNull(line.unsafePoll())
        yield* pass(2)
        assert.strictEqual(yield* Fiber.join(line), `*** ${left} 秒内未发言将被踢出`)
        const kick = yield* Effect.fork(peer.line)
        yield* pass(left - 3)
        assert.isNull(kick.unsafePoll())
        yield* pass(3)
        assert.strictEqual(yield* Fiber.join(kick), "你被踢了")
        yield* Fiber.await(session)
        assert.strictEqual(peer.closed(), "finished")
      }).pipe(Effect.provide(layer({ idleTimeout: Duration.decode(limit) }))))
  }

  it.scoped("counts any line as activity, a blank one too, and warns anew after it", () =>
    Effect.gen(function*() {
      const { peer } = yield* visit
      yield* pass(50)
      yield* peer.type("\n")
      yield* settle
      const line = yield* Effect.fork(peer.line)
      yield* pass(58)
      assert.isNull(line.unsafePoll())
      yield* pass(4)
      assert.strictEqual(yield* Fiber.join(line), "*** 60 秒内未发言将被踢出")
      yield* peer.type("\n")
      yield* settle
      const again = yield* Effect.fork(peer.line)
      yield* pass(58)
      assert.isNull(again.unsafePoll())
      yield* pass(4)
      assert.strictEqual(yield* Fiber.join(again), "*** 60 秒内未发言将被踢出")
    }).pipe(Effect.provide(layer({ idleTimeout: Duration.minutes(2) }))))

  it.scoped("tells the rest of a kick, once, and frees the name", () =>
    Effect.gen(function*() {
      const { peer, run } = yield* visit
      yield* peer.type("rename|ann\n")
      yield* settle
      assert.strictEqual(yield* peer.line, "您已经更新用户名:ann")
      yield* pass(5)
      const other = yield* Peer.make
      yield* Effect.forkDaemon(run(other.connection, new Pace(0, 1), "plain"))
      yield* settle
      yield* pass(56)
      assert.strictEqual(yield* other.line, `${other.front}已上线`)
      assert.strictEqual(yield* other.line, "*** 30 秒内未发言将被踢出")
      assert.strictEqual(yield* other.line, `${peer.front.replace(/][^:]*:\d+:/, "]ann:")}下线`)
      yield* other.type("rename|ann\n")
      yield* settle
      assert.strictEqual(yield* other.line, "您已经更新用户名:ann")
    }).pipe(Effect.provide(layer({ idleTimeout: Duration.minutes(1) }))))

  for (const jump of [-3_600_000, 3_600_000]) {
    it.scoped(`kicks by the time that has passed, though the clock is set ${jump < 0 ? "back" : "forward"} by an hour`, () =>
      Effect.gen(function*() {
        const { clock, jumps } = yield* unsteady
        yield* Effect.gen(function*() {
          const { peer, session } = yield* visit
          yield* pass(50)
          jumps.wall = jump
          yield* peer.type("still here\n")
          yield* settle
          assert.strictEqual(yield* peer.line, `${peer.front}still here`)
          yield* pass(58)
          assert.isUndefined(peer.closed())
          yield* pass(4)
          assert.strictEqual(yield* peer.line, "*** 60 秒内未发言将被踢出")
          yield* pass(60)
          yield* Fiber.await(session)
          assert.strictEqual(yield* peer.line, "你被踢了")
        }).pipe(Effect.provide(layer({ idleTimeout: Duration.minutes(2) })), Effect.withClock(clock))
      }))
  }

  it.scoped("moves all deadlines by the time for which the process stood still", () =>
    Effect.gen(function*() {
      const { clock, jumps } = yield* unsteady
      yield* Effect.gen(function*() {
        const { peer, session } = yield* visit
        yield* pass(100)
        assert.strictEqual(yield* peer.line, "*** 60 秒内未发言将被踢出")
        jumps.wall = jumps.monotonic = 600_000
        yield* pass(15)
        assert.isUndefined(peer.closed())
        yield* pass(10)
        yield* Fiber.await(session)
        assert.strictEqual(yield* peer.line, "你被踢了")
      }).pipe(Effect.provide(layer({ idleTimeout: Duration.minutes(2) })), Effect.withClock(clock))
    }))

  it.scoped("never kicks with an idle timeout of 0", () =>
    Effect.gen(function*() {
      const { peer } = yield* visit
      yield* TestClock.adjust("10 minutes")
      yield* peer.type("still here\n")
      yield* settle
      assert.strictEqual(yield* peer.line, `${peer.front}still here`)
    }).pipe(Effect.provide(layer({ idleTimeout: Duration.zero }))))

  it.scoped("cuts a user off whose outlet takes nothing for the stall timeout, and no other", () =>
    Effect.gen(function*() {
      const { peer, run, session } = yield* visit
      const other = yield* Peer.make
      yield* Effect.forkDaemon(run(other.connection, new Pace(0, 1), "plain"))
      yield* settle
      yield* pass(1)
      assert.strictEqual(yield* other.line, `${other.front}已上线`)
      yield* peer.block(true)
      yield* other.type("one\ntwo\n")
      yield* settle
      yield* pass(29)
      assert.isUndefined(peer.closed())
      yield* pass(4)
      yield* Fiber.await(session)
      assert.strictEqual(peer.closed(), "destroyed")
      for (const line of ["one", "two"]) assert.strictEqual(yield* other.line, `${other.front}${line}`)
      yield* pass(1)
      assert.strictEqual(yield* other.line, `${peer.front}下线`)
    }).pipe(Effect.provide(layer({ idleTimeout: Duration.zero, stallTimeout: Duration.seconds(30) }))))

  it.scoped("logs once who reads too slowly, however long lines are skipped, and again when it begins anew", () => {
    const logged: Array<string> = []
    return Effect.gen(function*() {
      const { peer, run } = yield* visit
      const other = yield* Peer.make
      yield* Effect.forkDaemon(run(other.connection, new Pace(0, 1), "plain"))
      yield* settle
      yield* peer.block(true)
      const talk = (seconds: number) =>
        Effect.repeatN(Effect.zipRight(Effect.zipRight(other.type("words\n".repeat(20)), settle), pass(1)), seconds - 1)
      yield* talk(5)
      assert.deepStrictEqual(logged, [
        `a user reads too slowly: lines are skipped, peer ${peer.front.slice(1, peer.front.indexOf("]"))}`
      ])
      yield* pass(2)
      yield* talk(2)
      assert.strictEqual(logged.length, 2)
    }).pipe(
      Effect.provide(layer({ idleTimeout: Duration.zero, backlog: 4160, maxLine: 16, rate: 0 })),
      Effect.provide(Logger.add(Logger.make(({ annotations, logLevel, message }) => {
        if (logLevel._tag !== "Warning") return
        const fields = Array.from(annotations, ([key, value]) => `, ${key} ${String(value)}`)
        logged.push(`${String(message)}${fields.join("")}`)
      })))
    )
  })
})
