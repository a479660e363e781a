/** Where people talk. Everybody is in the lobby. */
import * as Brand from "effect/Brand"

export type Room = string & Brand.Brand<"Room">
const Room = Brand.nominal<Room>()

/** Where everybody arrives. */
export const lobby = Room("lobby")
