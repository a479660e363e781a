import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { Broadcaster } from "../../src/chat/Broadcaster.ts"
import { Pace } from "../../src/chat/Pace.ts"
import * as Session from "../../src/chat/Session.ts"
import { chat } from "../support/chat.ts"
import { within } from "../support/client.ts"
import * as Peer from "../support/connection.ts"

/** A bug: whoever asks for old lines finds it. */
const boom = Layer.map(
  Broadcaster.layer,
  (context) =>
    Context.make(Broadcaster, {
      ...Context.get(context, Broadcaster),
      stream: () => Effect.dieMessage("boom was found")
    })
)

const services = (rate: number) =>
  chat({
    broadcaster: boom,
    settings: { rate, burst: 10, backlog: 65_536, stallTimeout: Duration.seconds(1) }
  })

/** The user who is called so. */
const called = (name: string) =>
  Effect.map(Broadcaster, ({ users }) => Array.from(users).find(({ who }) => who?.name === name))

const line = (peer: Peer.Peer) => within("a line", peer.line)

/** Reads until a line that ends so, and gives all that came before it. */
const until = (peer: Peer.Peer, end: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.flatMap(
    line(peer),
    (next) => next.endsWith(end) ? Effect.succeed([]) : Effect.map(until(peer, end), (rest) => [next, ...rest])
  )

/** Bob, who watches, and Ann, who is called `ann`. */
const scene = Effect.gen(function*() {
  const run = yield* Session.make
  const bob = yield* Peer.make
  yield* Effect.forkScoped(run(bob.connection, new Pace(0, 1), "plain"))
  yield* until(bob, "已上线")
  const ann = yield* Peer.make
  const visit = yield* Effect.forkDaemon(run(ann.connection, new Pace(0, 1), "plain"))
  yield* ann.type("rename|ann\n")
  yield* until(ann, "您已经更新用户名:ann")
  yield* until(bob, "已上线")
  return { ann, bob, visit }
})
type Scene = Effect.Effect.Success<typeof scene>

/** Bob says something and sees it; what he saw before is given. */
const echo = ({ bob }: Scene, text: string) => Effect.zipRight(bob.type(`${text}\n`), until(bob, `:${text}`))

/** What Ann's session may be waiting for, and how it comes to that. */
const waits: ReadonlyArray<readonly [forWhat: string, rate: number, (scene: Scene) => Effect.Effect<unknown>]> = [
  ["for a line", 0, () => Effect.void],
  ["for the rest of a line", 0, ({ ann }) => ann.type("half a li")],
  // Nine more lines are let through at once, and then one every 20 s.
  ["for its turn", 0.05, (scene) => Effect.zipRight(scene.ann.type("x\n".repeat(20)), until(scene.bob, ":x"))],
  ["for room for an answer", 0, (scene) =>
    Effect.gen(function*() {
      yield* scene.ann.block(true)
      yield* scene.ann.type(`${"/help\n".repeat(200)}never said\n`)
      assert.deepStrictEqual(yield* echo(scene, "she is stuck"), [])
    })]
]

/** How a visit may be ended from outside, and how its connection is closed then. */
const ends: ReadonlyArray<readonly [how: string, (scene: Scene) => Effect.Effect<unknown, never, Broadcaster>]> = [
  ["a reset", ({ ann }) => ann.lose],
  ["a shutdown", ({ visit }) => Fiber.interruptFork(visit)],
  [
    "a kick",
    () => Effect.map(called("ann"), (ann) => ann?.end("idle"))
  ],
  ["two kicks and a reset", ({ ann }) =>
    Effect.gen(function*() {
      const user = yield* called("ann")
      user?.end("idle")
      user?.end("stalled")
      yield* ann.lose
    })]
]

/** She is gone: 下线 came once, the name is free, nobody else is listed, the connection is closed. */
const isGone = (scene: Scene) =>
  Effect.gen(function*() {
    const { ann, bob, visit } = scene
    const before = yield* until(bob, "ann:下线")
    assert.notInclude(before, `${ann.front}never said`)
    assert.deepStrictEqual(yield* echo(scene, "gone"), [])
    yield* bob.type("who\nrename|ann\n")
    assert.match(yield* line(bob), /在线\.\.\.$/)
    assert.strictEqual(yield* line(bob), "您已经更新用户名:ann")
    yield* within("the end of the visit", Fiber.await(visit))
    assert.isDefined(ann.closed())
  })

describe("Session", () => {
  for (const [forWhat, rate, wait] of waits) {
    for (const [how, end] of ends) {
      it.live(`leaves once and wholly on ${how} while it waits ${forWhat}`, () =>
        Effect.gen(function*() {
          const all = yield* scene
          yield* wait(all)
          yield* end(all)
          yield* isGone(all)
        }).pipe(Effect.scoped, Effect.provide(services(rate))))
    }
  }

  it.live("carries out what it was stuck with when the client reads again, and then leaves at the end of input", () =>
    Effect.gen(function*() {
      const all = yield* scene
      yield* all.ann.block(true)
      yield* all.ann.type(`${"/help\n".repeat(200)}said at last\n`)
      yield* all.ann.end
      assert.deepStrictEqual(yield* echo(all, "she is stuck"), [])
      yield* all.ann.block(false)
      yield* until(all.bob, "]ann:said at last")
      yield* isGone(all)
      assert.strictEqual(all.ann.closed(), "finished")
      const seen = yield* until(all.ann, "]ann:said at last")
      assert.strictEqual(seen.filter((text) => text.startsWith("***   who")).length, 200)
    }).pipe(Effect.scoped, Effect.provide(services(0))))

  it.live("writes out all that is owed to a client that ended its input and reads slowly, however long that takes", () =>
    Effect.gen(function*() {
      const all = yield* scene
      yield* all.ann.block(true)
      yield* all.ann.type(`${"/help\n".repeat(300)}`)
      yield* all.ann.end
      yield* all.ann.trickle("400 millis")
      yield* isGone(all)
      assert.strictEqual(all.ann.closed(), "finished")
    }).pipe(Effect.scoped, Effect.provide(services(0))))

  it.live("does not wait for ever for a client that ends its input and never reads", () =>
    Effect.gen(function*() {
      const all = yield* scene
      yield* all.ann.block(true)
      yield* all.ann.type("/help\n")
      yield* all.ann.end
      yield* isGone(all)
      assert.strictEqual(all.ann.closed(), "destroyed")
    }).pipe(Effect.scoped, Effect.provide(services(0))))

  it.live("logs a bug in a command with its cause, and ends that session only", () => {
    const logged: Array<string> = []
    const log = Logger.make(({ cause, logLevel, message }) => {
      logged.push(`${logLevel.label} ${String(message)} ${cause.toString()}`)
    })
    return Effect.gen(function*() {
      const all = yield* scene
      yield* all.ann.type("before\n/history\nnever said\n")
      yield* until(all.bob, "]ann:before")
      yield* isGone(all)
      assert.strictEqual(all.ann.closed(), "finished")
      assert.strictEqual(logged.length, 1)
      assert.match(logged[0] ?? "", /^ERROR .*boom was found/s)
    }).pipe(Effect.scoped, Effect.provide(services(0)), Effect.provide(Logger.replace(Logger.defaultLogger, log)))
  })

  it.live("lets nobody arrive who was lost before", () =>
    Effect.gen(function*() {
      const all = yield* scene
      const run = yield* Session.make
      const late = yield* Peer.make
      const visit = yield* Effect.forkDaemon(
        run({ ...late.connection, onLost: (callback) => callback() }, new Pace(0, 1), "plain")
      )
      yield* within("the end of the visit", Fiber.await(visit))
      assert.deepStrictEqual(yield* echo(all, "nobody came"), [])
      yield* Fiber.interrupt(all.visit)
    }).pipe(Effect.scoped, Effect.provide(services(0))))

  it.live("tells a program of lines that are missing before its hello in a plain line, and behind it in JSON", () =>
    Effect.gen(function*() {
      const all = yield* scene
      const flood = Effect.forEach(
        Array.from({ length: 20 }, (_, n) => `${n} ${"x".repeat(4000)}`),
        (text) => echo(all, text),
        { discard: true }
      )
      yield* all.ann.block(true)
      yield* flood
      yield* all.ann.type("/json\n")
      yield* within(
        "another form",
        Effect.repeat(Effect.zipRight(Effect.sleep("1 millis"), called("ann")), {
          until: (ann) => ann?.form.replays === false
        })
      )
      yield* flood
      yield* all.ann.block(false)
      const told: Array<string> = []
      while (!told.some((text) => text.includes("\"skipped\""))) told.push(yield* line(all.ann))
      const first = told.findIndex((text) => text.startsWith("{"))
      assert.match(told[first]!, /"kind":"hello"/)
      assert.match(told[first - 1]!, /^\*\*\* 接收过慢，已跳过 \d+ 行$/)
    }).pipe(Effect.scoped, Effect.provide(services(0))))
})
