/** Whatever becomes of those who read the log, the server serves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { type Child, port, server } from "../support/child.ts"
import { arrive, within } from "../support/client.ts"

/** Comes and goes so often; each visit is two lines of the log. */
const visits = (port: number, count: number) =>
  within(
    "all visits",
    Effect.forEach(
      Array.from({ length: count }),
      () =>
        Effect.async<void>((resume) => {
          const socket = Net.connect(port, "127.0.0.1")
          socket.on("data", () => socket.end("/quit\n")).on("error", () => {}).on("close", () => resume(Effect.void))
        }),
      { concurrency: 50, discard: true }
    )
  )

const serves = (tellnet: Child, listening: number) =>
  Effect.gen(function*() {
    const ann = yield* arrive(listening)
    yield* ann.send("hello\n")
    yield* ann.sees(`${ann.front}hello`)
    yield* ann.send("/quit\n")
    yield* Effect.zipRight(ann.ended, ann.end)
    yield* tellnet.signal("SIGTERM")
    assert.strictEqual((yield* tellnet.over).code, 0)
  })

describe("The log", { concurrent: true }, () => {
  for (const format of ["pretty", "json"]) {
    it.scopedLive(`may lose its reader: the server goes on, and ends in order (${format})`, () =>
      Effect.gen(function*() {
        const tellnet = yield* server("--log-level", "debug", "--log-format", format)
        const listening = yield* port(tellnet)
        tellnet.process.stdout.destroy()
        tellnet.process.stderr.destroy()
        yield* visits(listening, 20)
        yield* serves(tellnet, listening)
      }))
  }

  it.scopedLive("may be read by nobody: the server does not wait, drops what is too much, and says so later", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--log-level", "debug", "--log-format", "json", "--max-connections-per-ip", "1000")
      const listening = yield* port(tellnet)
      tellnet.process.stdout.pause()
      yield* visits(listening, 4000)
      tellnet.process.stdout.resume()
      yield* Effect.forEach(Array.from({ length: 20 }), () => visits(listening, 1))
      yield* tellnet.prints(/^\(\d+ lines of the log were dropped here: nobody read them\)$/m)
      yield* serves(tellnet, listening)
    }))
})
