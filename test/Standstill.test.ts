/** A process that stood still, as a suspended machine does: nobody was silent for that reason. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { port, server } from "./support/child.ts"
import { arrive } from "./support/client.ts"

describe("A server that stood still for longer than the idle timeout", () => {
  it.scopedLive("kicks nobody who spoke, nor anybody who would have had time left, but later those who say nothing", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--idle-timeout", "2s")
      const listening = yield* port(tellnet)
      const silent = yield* arrive(listening)
      const ann = yield* arrive(listening)
      const bob = yield* arrive(listening)
      yield* tellnet.signal("SIGSTOP")
      yield* Effect.sleep("3 seconds")
      yield* ann.send("hello\n")
      yield* tellnet.signal("SIGCONT")
      yield* silent.sees(`${ann.front}已上线`, `${bob.front}已上线`, `${ann.front}hello`)
      yield* silent.sees("*** 1 秒内未发言将被踢出", "你被踢了")
      yield* ann.sees(`${bob.front}已上线`, `${ann.front}hello`)
      assert.include([`${silent.front}下线`, `${bob.front}下线`, "*** 1 秒内未发言将被踢出"], yield* ann.line)
    }))
})
