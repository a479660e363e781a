/** Private messages for owners of names who are not here, until they come. Knows nobody who is online. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { randomUUID } from "node:crypto"
import type { Nonce } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import type { NameKey } from "../domain/Name.ts"
import type { RegistryFailed } from "../log/Registry.ts"
import { day, Quota } from "./Quota.ts"
import { type Kept, type Message, Records } from "./Records.ts"

/** So many are kept for one name, and of these so many from one network. */
export const messagesOfName = 100
export const messagesOfSender = 10

/** So many one network may leave in a day. */
export const messagesOfDay = 50

/** So many bytes all boxes may take, and for so long, in ms, a message is kept. */
export const mailboxBytes = 64 * 1_048_576
export const messageLife = 30 * day

// What a message takes beside its text: address, name, key.
const messageBytes = 256
const sizeOf = ({ text }: Message) => messageBytes + Buffer.byteLength(text)

export class Mailbox extends Context.Tag("tellnet/Mailbox")<Mailbox, {
  /** Keeps a message; with a nonce once. Gives the key that it is kept under, or why it is not. */
  readonly keep: (
    name: NameKey,
    message: Message,
    nonce: Nonce | undefined
  ) => Effect.Effect<{ readonly key: string } | "full" | "busy", RegistryFailed>
  /** What is kept for a name, oldest first. */
  readonly list: (name: NameKey) => Effect.Effect<ReadonlyArray<Kept<Message>>, RegistryFailed>
  /** Deletes messages that were handed over. */
  readonly remove: (keys: ReadonlyArray<string>) => Effect.Effect<void, RegistryFailed>
  /** Deletes all that is kept for a name. */
  readonly clear: (name: NameKey) => Effect.Effect<void, RegistryFailed>
}>() {
  static readonly layer = Layer.effect(Mailbox, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { messages } = yield* Records
  const clock = yield* Effect.clock
  const one = yield* Effect.makeSemaphore(1)
  const ofDay = new Quota(messagesOfDay, day)
  let bytes = 0
  for (const { value } of yield* messages.list()) bytes += sizeOf(value)

  const removeAll = (kept: ReadonlyArray<Kept<Message>>) =>
    Effect.forEach(kept, ({ key, value }) =>
      Effect.map(messages.remove(key), () => {
        bytes -= sizeOf(value)
      }), { discard: true })

  const list = (name: NameKey) =>
    Effect.gen(function*() {
      const all = yield* messages.list(`${name}/`)
      const isOld = ({ value }: Kept<Message>) => clock.unsafeCurrentTimeMillis() - value.at > messageLife
      yield* removeAll(all.filter(isOld))
      return all.filter((kept) => !isOld(kept)).toSorted((one, other) => one.version - other.version)
    })

  const keep = (name: NameKey, message: Message, nonce: Nonce | undefined) =>
    Effect.gen(function*() {
      const key = `${name}/${nonce ?? randomUUID()}`
      const { origin } = message
      const box = yield* list(name)
      if (box.some((kept) => kept.key === key)) return { key }
      const now = monotonic(clock)
      if (!ofDay.isOpen(origin, now)) return "busy" as const
      const isFull = box.length >= messagesOfName || bytes + sizeOf(message) > mailboxBytes ||
        box.filter(({ value }) => value.origin === origin).length >= messagesOfSender
      if (isFull) return "full" as const
      yield* messages.create(key, message)
      bytes += sizeOf(message)
      ofDay.take(origin, now)
      return { key }
    })

  return Mailbox.of({
    keep: (name, message, nonce) => one.withPermits(1)(keep(name, message, nonce)),
    list: (name) => one.withPermits(1)(list(name)),
    remove: (keys) =>
      one.withPermits(1)(
        Effect.forEach(keys, (key) => Effect.flatMap(messages.get(key), (kept) => removeAll(Option.toArray(kept))), {
          discard: true
        })
      ),
    clear: (name) => one.withPermits(1)(Effect.flatMap(list(name), removeAll))
  })
})
