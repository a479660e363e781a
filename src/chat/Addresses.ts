/** What others see of the address of a user, as `--addresses` has it. Knows nobody who is online. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { randomBytes } from "node:crypto"
import { type Address, networkOf, originOf } from "../domain/Address.ts"
import { hide, keyBytes, keyOfDay } from "../domain/HiddenAddress.ts"
import { RegistryFailed } from "../log/Registry.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Records } from "./Records.ts"

export class Addresses extends Context.Tag("tellnet/Addresses")<Addresses, {
  /** What others see of somebody who comes now from this address, for all of its visit. Hidden, it is another one each day. */
  readonly shown: (peer: Address) => Address
  /** As what lines that were said from there since then, in ms since 1970, are known; the day of an arrival may be the one before. */
  readonly since: (ip: string, from: number) => ReadonlyArray<string>
  /** What may be kept of the network that it comes from: the same at any time. */
  readonly kept: (peer: Address) => string
}>() {
  static readonly layer = Layer.effect(Addresses, Effect.suspend(() => make))
}

const day = 86_400_000
const mostDays = 1000

const make = Effect.gen(function*() {
  const { addresses } = yield* ServerConfig
  if (addresses === "shown") return Addresses.of({ shown: (peer) => peer, kept: originOf, since: (ip) => [ip] })
  const clock = yield* Effect.clock
  // Where several nodes elect, the registry may be away for a moment.
  const key = yield* Effect.retry(findKey, { times: 4, schedule: Schedule.spaced("1 second") })
  return Addresses.of({
    shown: (peer) => hide(keyOfDay(key, clock.unsafeCurrentTimeMillis()), originOf(peer)),
    kept: (peer) => hide(key, originOf(peer)),
    since: (ip, from) => {
      const now = clock.unsafeCurrentTimeMillis()
      const days = Math.min(mostDays, Math.ceil((now - from) / day) + 1)
      return [ip, ...Array.from({ length: days + 1 }, (_, n) => hide(keyOfDay(key, now - n * day), networkOf(ip)))]
    }
  })
})

// All nodes have the same, and so has the server after a restart.
const ofChat = "chat"

const findKey = Effect.gen(function*() {
  const { addressKeys } = yield* Records
  const known = yield* addressKeys.get(ofChat)
  if (Option.isSome(known)) return known.value.value
  // If another node is first, that one's is taken.
  yield* addressKeys.update(ofChat, Option.getOrElse(() => randomBytes(keyBytes)))
  return yield* Effect.flatMap(
    addressKeys.get(ofChat),
    Option.match({
      onNone: () => new RegistryFailed({ why: "it did not keep the key of hidden addresses" }),
      onSome: ({ value }) => Effect.succeed(value)
    })
  )
})
