import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Door from "../../src/doors/Door.ts"
import { connect, within } from "../support/client.ts"
import { config } from "../support/server.ts"

describe("Door", () => {
  it.scopedLive("does not wait at its end for who came and was never served", () =>
    Effect.gen(function*() {
      const client = yield* within(
        "the end of the door",
        Effect.scoped(Effect.gen(function*() {
          const { port } = yield* Door.listen(0, "--port")
          const client = yield* connect(port)
          // A second one, so that the first has surely come in.
          const another = yield* connect(port)
          yield* another.reset
          return client
        }))
      )
      yield* client.ended
    }).pipe(Effect.provide(config())))
})
