/** A small store of values by key, beside the log. Whoever changes a value must know which one it changes. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** A value, and which one it is. A version never comes again for its key. */
export interface Held {
  readonly key: string
  readonly value: string
  readonly version: number
}

/** The store cannot be read or written now. Nothing was changed. */
export class RegistryFailed extends Data.TaggedError("RegistryFailed")<{ readonly why: string }> {
  override get message() {
    return `the registry failed: ${this.why}`
  }
}

export class Registry extends Context.Tag("tellnet/Registry")<Registry, {
  /** So many values a list may have without others waiting for it. */
  readonly pageSize: number
  readonly get: (key: string) => Effect.Effect<Held | undefined, RegistryFailed>
  /**
   * Puts a value in the place of the one with the version `before`; `undefined` for a key that has none. `false`: somebody
   * else was first, and nothing was changed.
   */
  readonly put: (key: string, value: string, before: number | undefined) => Effect.Effect<boolean, RegistryFailed>
  /** Takes away the value with this version. `false`: it is another one by now, or gone. */
  readonly remove: (key: string, before: number) => Effect.Effect<boolean, RegistryFailed>
  /** The values whose keys begin so, at most `limit`, by key (in order of code points); those behind a key, if it is given. */
  readonly list: (prefix: string, limit: number, after?: string) => Effect.Effect<ReadonlyArray<Held>, RegistryFailed>
}>() {}
