/** Who pays for what: lines by their bytes, an address for all its connections, a new name for five lines. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { arrive } from "./support/client.ts"
import { start } from "./support/server.ts"

const at = (localAddress: string) => ({ localAddress })

/** `ann` has sent more than she may, `bob` waits for nothing: what he says afterwards comes before the rest of hers. */
const overtakes = (
  settings: Parameters<typeof start>[0],
  lines: ReadonlyArray<string>,
  passing: number
) =>
  Effect.gen(function*() {
    const port = yield* start(settings)
    const bob = yield* arrive(port, at("127.0.0.2"))
    const ann = yield* arrive(port)
    yield* bob.sees(`${ann.front}已上线`)
    yield* ann.send(lines.map((line) => `${line}\n`).join(""))
    for (const line of lines.slice(0, passing)) yield* bob.sees(`${ann.front}${line}`)
    yield* bob.send("meanwhile\n")
    yield* bob.sees(`${bob.front}meanwhile`)
    for (const line of lines.slice(passing)) yield* bob.sees(`${ann.front}${line}`)
  })

const long = (number: number) => `${number} `.padEnd(1000, "x")

describe("What is sent", () => {
  it.scopedLive("is paid for by each line", () => overtakes({ rate: 1, burst: 3 }, ["one", "two", "three", "four"], 3))

  it.scopedLive("is paid for by each 256 bytes that were begun, after it has passed", () =>
    // Four lines each, so the second passes with the last of five, and the third waits.
    overtakes({ rate: 4, burst: 5 }, [long(1), long(2), long(3)], 2))

  it.scopedLive("is paid for by bytes, not by characters", () =>
    overtakes({ rate: 3, burst: 2 }, ["长".repeat(200), "长", "长", "长"], 1))

  it.scopedLive("is paid for by all connections of an address together, and by no other", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, burst: 3, ratePerIp: 1 })
      const bob = yield* arrive(port, at("127.0.0.2"))
      const ann = yield* arrive(port)
      const eve = yield* arrive(port)
      yield* bob.sees(`${ann.front}已上线`, `${eve.front}已上线`)
      yield* ann.send("one\ntwo\n")
      yield* bob.sees(`${ann.front}one`, `${ann.front}two`)
      yield* eve.send("three\nfour\n")
      yield* bob.sees(`${eve.front}three`)
      yield* bob.send("meanwhile\n")
      yield* bob.sees(`${bob.front}meanwhile`, `${eve.front}four`)
    }))

  it.scopedLive("is not paid for by those who stay when its sender has gone", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, burst: 1, ratePerIp: 1 })
      const ann = yield* arrive(port)
      yield* ann.send("one\ntwo\n")
      yield* ann.sees(`${ann.front}one`, `${ann.front}two`)
      // Each of these waits, and would cost the address 16 seconds.
      for (const _ of [1, 2]) {
        const eve = yield* arrive(port)
        yield* ann.sees(`${eve.front}已上线`)
        yield* eve.send(`${long(1).repeat(4)}\n`)
        yield* Effect.sleep("100 millis")
        yield* eve.reset
        yield* ann.sees(`${eve.front}下线`)
      }
      yield* ann.send("still here\n")
      // A client of these tests waits for 20 seconds.
      yield* ann.sees(`${ann.front}still here`)
    }))

  it.scopedLive("costs five lines, if it is a new name", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 2, burst: 5 })
      const bob = yield* arrive(port, at("127.0.0.2"))
      const ann = yield* arrive(port)
      yield* bob.sees(`${ann.front}已上线`)
      yield* ann.send("rename|ann\nfirst\n")
      yield* bob.send("meanwhile\n")
      yield* bob.sees(`${bob.front}meanwhile`, `${ann.front.replace(/\].*/, "]ann:")}first`)
    }))
})
