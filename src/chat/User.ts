/** A user who is online. */
import type { Address, EndReason } from "../domain/Domain.ts"
import type { Name } from "../domain/Name.ts"
import type { UserChannel } from "./UserChannel.ts"

export interface User {
  /** The order of arrival. */
  readonly id: number
  readonly address: Address
  /** Written by `OnlineMap` only. */
  name: Name
  readonly channel: UserChannel
  /** When the last line came, in ms of the monotonic clock. Written by the user's session, and by the sweeper. */
  heardAt: number
  /** Told that a kick is near, and silent since. */
  warned: boolean
  /** Ends the visit from outside. The first reason stands; does not wait. */
  readonly end: (reason: EndReason) => void
}
