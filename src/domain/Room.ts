/** Where people talk: one room at a time. */
import * as Option from "effect/Option"
import { allowedName, type NameKey, nameKey } from "./Name.ts"

/** Rooms are compared by their keys, and called as whoever came first has called them. */
export interface Room {
  readonly key: NameKey
  readonly name: string
}

/** Where everybody arrives. It is always there. */
export const lobby: Room = { key: nameKey("lobby"), name: "lobby" }

/** The room that is called so: by the rule for names, but reserved ones are allowed, and a leading `#` is dropped. */
export const chooseRoom = (text: string): Option.Option<Room> =>
  Option.map(allowedName(text.replace(/^[#＃]/, "")), (name) => ({ key: nameKey(name), name }))
