import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Inbox } from "../../src/doors/Inbox.ts"

describe("Inbox", () => {
  const message = FastCheck.string({ maxLength: 20, unit: FastCheck.constantFrom("a", "你", "\n") })

  it.prop("gives all that was put, in order, whatever is left of it; each message ends a line", [
    FastCheck.array(FastCheck.oneof(message, FastCheck.integer({ min: 0, max: 30 })))
  ], ([steps]) => {
    const inbox = new Inbox()
    let put = ""
    let got = Buffer.alloc(0)
    for (const step of steps) {
      if (typeof step === "string") {
        inbox.put(Buffer.from(step))
        put += step.endsWith("\n") ? step : `${step}\n`
        continue
      }
      const wasEmpty = inbox.isEmpty
      const isEnough = inbox.give((bytes) => {
        const left = Math.min(step, bytes.length)
        got = Buffer.concat([got, bytes.subarray(0, bytes.length - left)])
        return left === 0 ? undefined : left
      })
      assert.strictEqual(isEnough, !wasEmpty && step > 0)
    }
    inbox.give((bytes) => {
      got = Buffer.concat([got, bytes])
      return 0
    })
    assert.strictEqual(got.toString(), put)
    assert.isTrue(inbox.isEmpty)
  })
})
