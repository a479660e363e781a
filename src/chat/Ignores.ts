/** Of whom one user is told nothing. Plain data, never changed: another one takes its place. */
import type { Address } from "../domain/Address.ts"
import type { UserId, Who } from "../domain/Event.ts"
import { type NameKey, nameKey } from "../domain/Name.ts"

/** So many may be ignored by one user. */
export const maxIgnored = 100

/** Somebody who is ignored: the connection, whatever it is called, and the name, whoever holds it, if that has an owner. */
export interface Ignored {
  readonly name: string
  /** `undefined`: it was not here. */
  readonly connection: { readonly user: UserId; readonly address: Address } | undefined
  readonly owned: NameKey | undefined
}

export type Ignores = ReadonlyArray<Ignored>

/** Whether a line of this author is hidden. `user`: its connection, if that is known. */
export const hides = (ignores: Ignores | undefined, { address, name }: Who, user?: UserId): boolean =>
  ignores !== undefined &&
  ignores.some(({ connection, owned }) =>
    connection !== undefined && (user === undefined ? connection.address === address : connection.user === user) ||
    owned !== undefined && owned === nameKey(name)
  )
