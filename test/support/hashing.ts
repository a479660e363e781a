/**
 * Hashes of secrets at a thousandth of their cost, for tests that are about something else. What is right stays right, and what
 * is wrong wrong; but a hash that was made at one cost matches at no other.
 */
import * as Effect from "effect/Effect"
import Crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { afterAll, beforeAll } from "vitest"

const { scrypt } = Crypto

const cheap = new Proxy(scrypt, {
  apply: (scrypt, self, [secret, salt, bytes, cost, done]) =>
    Reflect.apply(scrypt, self, [secret, salt, bytes, { ...cost, N: 32 }, done])
})

const use = (made: typeof scrypt) => () => {
  Crypto.scrypt = made
  syncBuiltinESMExports()
}

/** For all tests of the suite, or of the file, that this is called in. */
export const cheaply = (): void => {
  beforeAll(use(cheap))
  afterAll(use(scrypt))
}

/** Hashes of which none ends before `free`: how many have begun. Until the end of the scope. */
export const held = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const state = { begun: 0, free: Effect.unsafeMakeLatch() }
      use(
        new Proxy(cheap, {
          apply: (cheap, self, [secret, salt, bytes, cost, done]) => {
            state.begun++
            return Reflect.apply(cheap, self, [
              secret,
              salt,
              bytes,
              cost,
              (...result: ReadonlyArray<unknown>) => Effect.runFork(Effect.map(state.free.await, () => done(...result)))
            ])
          }
        })
      )()
      return state
    }),
    ({ free }) => Effect.zipRight(free.open, Effect.sync(use(cheap)))
  ),
  (state) => ({ begun: () => state.begun, free: state.free.open })
)
