/**
 * What the chat keeps in the registry, and under which keys. What comes back is decoded like a stranger's: a value that is none
 * is as if it were not there.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Address } from "../domain/Address.ts"
import { keyBytes } from "../domain/HiddenAddress.ts"
import { Name, NameKey, nameKey } from "../domain/Name.ts"
import { terminalSafe } from "../domain/Text.ts"
import { type Held, Registry, type RegistryFailed } from "../log/Registry.ts"

// Whoever changes a value may find that somebody else was first, so often at most.
const tries = 5

/** A value, its key, and which version of it it is. */
export interface Kept<A> {
  readonly key: string
  readonly value: A
  readonly version: number
}

/** The values of one kind, by key. */
export class Store<A> {
  private readonly registry: typeof Registry.Service
  private readonly prefix: string
  private readonly encode: (value: A) => string
  private readonly decode: (text: string) => Option.Option<A>

  constructor(registry: typeof Registry.Service, kind: string, schema: Schema.Schema<A, string>) {
    this.registry = registry
    this.prefix = `${kind}/`
    this.encode = Schema.encodeSync(schema)
    this.decode = Schema.decodeOption(schema)
  }

  get(key: string): Effect.Effect<Option.Option<Kept<A>>, RegistryFailed> {
    return Effect.map(this.registry.get(this.prefix + key), (held) => this.keptOf(held))
  }

  /** `false`: there is one already. */
  create(key: string, value: A): Effect.Effect<boolean, RegistryFailed> {
    return this.registry.put(this.prefix + key, this.encode(value), undefined)
  }

  /** Puts what `change` makes of the value in its place. `false`: others were first, again and again. */
  update(key: string, change: (value: Option.Option<A>) => A): Effect.Effect<boolean, RegistryFailed> {
    const once = Effect.flatMap(this.registry.get(this.prefix + key), (held) => {
      const value = change(Option.map(this.keptOf(held), ({ value }) => value))
      return this.registry.put(this.prefix + key, this.encode(value), held?.version)
    })
    return Effect.repeat(once, { until: (done) => done, times: tries - 1 })
  }

  remove(key: string): Effect.Effect<void, RegistryFailed> {
    const once = Effect.flatMap(
      this.registry.get(this.prefix + key),
      (held) => held === undefined ? Effect.succeed(true) : this.registry.remove(held.key, held.version)
    )
    return Effect.asVoid(Effect.repeat(once, { until: (done) => done, times: tries - 1 }))
  }

  /** All whose keys begin so, by key; at most `limit`. */
  list(start = "", limit = Infinity): Effect.Effect<ReadonlyArray<Kept<A>>, RegistryFailed> {
    return Effect.gen(this, function*() {
      const { pageSize } = this.registry
      const all: Array<Kept<A>> = []
      let after = ""
      while (all.length < limit) {
        const page = yield* this.registry.list(this.prefix + start, Math.min(pageSize, limit - all.length), after)
        for (const held of page) all.push(...Option.toArray(this.keptOf(held)))
        const last = page.at(-1)
        if (last === undefined || page.length < pageSize) break
        after = last.key
      }
      return all
    })
  }

  private keptOf(held: Held | undefined): Option.Option<Kept<A>> {
    if (held === undefined) return Option.none()
    const key = held.key.slice(this.prefix.length)
    return Option.map(this.decode(held.value), (value) => ({ key, value, version: held.version }))
  }
}

const Who = Schema.Struct({
  address: Schema.String.pipe(Schema.fromBrand(Address)),
  name: Schema.String.pipe(Schema.fromBrand(Name))
})

const Owner = Schema.parseJson(Schema.Struct({
  /** As it was written when it became owned. */
  name: Schema.String,
  salt: Schema.String,
  hash: Schema.String,
  /** When its owner had it last, in ms since 1970. */
  usedAt: Schema.Number
}))

const Message = Schema.parseJson(Schema.Struct({
  from: Who,
  to: Schema.String,
  text: Schema.String,
  /** When it was written, in ms since 1970, and from which network, as `Addresses.kept` has it. */
  at: Schema.Number,
  origin: Schema.String
}))
export type Message = typeof Message.Type

/** A key under which addresses are hidden. */
const AddressKey = Schema.Uint8ArrayFromHex.pipe(Schema.filter(({ length }) => length === keyBytes))

/** How far the owner of a name has read in each room. */
const Seen = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Number }))

/** The names with owners that the owner of a name ignores: how they are written, and their keys. */
const Ignored = Schema.parseJson(Schema.Array(Schema.Struct({ name: Schema.String, key: Schema.String })))

const Rule = Schema.parseJson(Schema.Struct({
  whom: Schema.Union(
    Schema.TaggedStruct("Name", { key: Schema.String.pipe(Schema.fromBrand(NameKey)) }),
    Schema.TaggedStruct("Network", { network: Schema.String })
  ),
  name: Schema.String,
  until: Schema.UndefinedOr(Schema.Number.pipe(Schema.between(0, 8.64e15))),
  reason: Schema.String,
  by: Schema.String
}))

/** A name as its owner wrote it when it became owned; as it is given here, if it has no owner. */
export const asOwned = ({ owners }: typeof Records.Service, name: string): Effect.Effect<string, RegistryFailed> =>
  Effect.map(
    owners.get(nameKey(name)),
    (owner) => terminalSafe(Option.match(owner, { onNone: () => name, onSome: ({ value }) => value.name }))
  )

/** All kinds. Keys are keys of names; for messages with something of their own behind a `/`, which no name holds. */
export class Records extends Context.Tag("tellnet/Records")<Records, {
  readonly owners: Store<typeof Owner.Type>
  readonly messages: Store<Message>
  readonly seen: Store<typeof Seen.Type>
  readonly ignored: Store<typeof Ignored.Type>
  /** There is one at most. */
  readonly addressKeys: Store<Uint8Array>
  /** By what they are about: `Rules.idOf`. */
  readonly bans: Store<typeof Rule.Type>
  readonly mutes: Store<typeof Rule.Type>
}>() {
  static readonly layer = Layer.effect(
    Records,
    Effect.map(Registry, (registry) => ({
      owners: new Store(registry, "name", Owner),
      messages: new Store(registry, "mail", Message),
      seen: new Store(registry, "seen", Seen),
      ignored: new Store(registry, "ignore", Ignored),
      addressKeys: new Store(registry, "address-key", AddressKey),
      bans: new Store(registry, "ban", Rule),
      mutes: new Store(registry, "mute", Rule)
    }))
  )
}
