import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { bundle } from "./support/bundle.ts"
import { start } from "./support/child.ts"
import { describeNats } from "./support/natsServer.ts"

// Within half a minute this seed kills NATS and a node, and freezes another one for longer than the lease.
const plan = ["--nodes", "3", "--minutes", "0.5", "--seed", "145", "--clients", "16"]

describeNats("The soak of several nodes", () => {
  it.scopedLive("finds no fault in half a minute", () =>
    Effect.gen(function*() {
      const soak = yield* start(process.execPath, ["--import", "tsx", "test/soak/main.ts", "--entry", bundle, ...plan])
      const closed = once(soak.process, "close")
      // It ends what it has started.
      yield* Effect.addFinalizer(() =>
        Effect.zipRight(
          soak.signal("SIGTERM"),
          Effect.ignore(Effect.timeout(Effect.promise(() => closed), "10 seconds"))
        )
      )
      yield* Effect.timeout(Effect.promise(() => closed), "150 seconds")
      const { code, stderr, stdout } = yield* soak.over
      assert.strictEqual(code, 0, `${stdout}${stderr}`)
      assert.match(stdout, /\nPASSED\n/)
    }), 160_000)
})
