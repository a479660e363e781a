/** Carries the plan out, blow by blow; some come while another lasts. */
import { Clock, Console, Effect, Fiber } from "effect"
import type { ServerFailed } from "../ServerProcess.ts"
import type { NodesTally } from "./Laws.ts"
import type { NatsProcess } from "./NatsProcess.ts"
import type { Node } from "./Node.ts"
import * as Plan from "./Plan.ts"

interface Targets {
  readonly nodes: ReadonlyArray<Node>
  readonly nats: NatsProcess
  readonly tally: NodesTally
  readonly calm: Calm
}

/** How long nothing was broken. */
export interface Calm {
  readonly ms: () => number
  readonly broken: () => void
  readonly mended: () => void
}

export const makeCalm = (): Calm => {
  let broken = 0
  let since = performance.now()
  let before = 0
  const ms = () => broken === 0 ? before + performance.now() - since : before
  return {
    ms,
    broken: () => {
      before = ms()
      broken++
    },
    mended: () => {
      if (--broken === 0) since = performance.now()
    }
  }
}

const strike = ({ kind, lasts, node: number }: Plan.Blow, { nats, nodes, tally }: Targets) =>
  Effect.gen(function*() {
    const node = yield* Effect.orDie(Effect.fromNullable(nodes[number - 1]))
    const wait = Effect.sleep(`${lasts} seconds`)
    switch (kind) {
      case "node killed":
        tally.count("killed")
        yield* node.kill
        yield* wait
        return yield* node.start
      case "node frozen":
        tally.count("frozen")
        yield* node.signal("SIGSTOP")
        yield* wait
        return yield* node.signal("SIGCONT")
      case "all nodes killed":
        tally.count("massacres")
        yield* Effect.forEach(nodes, ({ kill }) => kill, { discard: true })
        yield* wait
        return yield* Effect.forEach(nodes, ({ start }) => start, { concurrency: "unbounded", discard: true })
      case "black hole":
        tally.count("holes")
        yield* node.proxy.hole(true)
        yield* wait
        return yield* node.proxy.hole(false)
      case "reset":
        tally.count("resets")
        return yield* node.proxy.reset
      case "NATS killed":
        tally.count("natsKilled")
        yield* nats.signal("SIGKILL")
        yield* nats.ended
        yield* wait
        return yield* nats.start
      case "NATS frozen":
        tally.count("natsFrozen")
        yield* nats.signal("SIGSTOP")
        yield* wait
        return yield* nats.signal("SIGCONT")
    }
  })

/** Takes so many seconds in all. */
export const run = (plan: ReadonlyArray<Plan.Blow>, seconds: number, targets: Targets) =>
  Effect.gen(function*() {
    const begun = yield* Clock.currentTimeMillis
    const now = Effect.map(Clock.currentTimeMillis, (at) => Math.round((at - begun) / 1000))
    const going: Array<Fiber.RuntimeFiber<void, ServerFailed>> = []
    for (const blow of plan) {
      // Nodes that start take their time.
      if ((yield* now) >= seconds) break
      if (!blow.during) yield* Fiber.joinAll(going.splice(0))
      yield* Effect.sleep(`${blow.after} seconds`)
      yield* Console.log(`${yield* now} s: ${Plan.words(blow)}`)
      targets.calm.broken()
      going.push(yield* Effect.fork(Effect.ensuring(strike(blow, targets), Effect.sync(targets.calm.mended))))
    }
    yield* Fiber.joinAll(going)
    yield* Effect.sleep(Math.max(0, seconds - (yield* now)) * 1000)
  })
