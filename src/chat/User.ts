/** A user who is online: what its session and the broadcaster share. */
import type { Address } from "../domain/Address.ts"
import type { UserId, Who } from "../domain/Event.ts"
import type { EndReason } from "../domain/Reasons.ts"
import type { Room } from "../domain/Room.ts"
import type { Form } from "../wire/Form.ts"
import type { Ignores } from "./Ignores.ts"
import type { UserChannel } from "./UserChannel.ts"

export interface User {
  readonly id: UserId
  /** Where it comes from. For limits and the log; others see `address`. */
  readonly peer: Address
  /** What others see of that. */
  readonly address: Address
  readonly channel: UserChannel
  /** What others call it, from its arrival on. Written by the broadcaster only, as the fold says. */
  who: Who | undefined
  /** How it is told. Written by the broadcaster only, at the place where it changes. */
  form: Form
  /** With whom it reads. Written by the broadcaster only, as the fold says. */
  circle: Circle | undefined
  /** Of whom it is told nothing. Written by the broadcaster only. */
  ignores: Ignores | undefined
  /** When the last line came, in ms of the monotonic clock. Written by the user's session, and by the sweeper. */
  heardAt: number
  /** Told that a kick is near, and silent since. */
  warned: boolean
  /** Ends the visit from outside. The first reason stands; does not wait. */
  readonly end: (reason: EndReason) => void
}

/** Those who read the same bytes: everybody in one room who is told in one form. */
export interface Circle {
  readonly room: Room
  readonly form: Form
  readonly users: Set<User>
}

/** Somebody who is answered. `id` is what a program gave to the question. */
export interface Asker {
  readonly user: User
  readonly id: string | number | undefined
}
