/** The rooms that exist, and who is in them: a part of the fold, pure. Knows no name of anybody. */
import * as HashMap from "effect/HashMap"
import * as Order from "effect/Order"
import * as SortedMap from "effect/SortedMap"
import type { Seq, UserId } from "./Event.ts"
import type { NameKey } from "./Name.ts"
import { lobby, type Room } from "./Room.ts"

/** So many rooms exist at a time, and so many of them were made from one network. The lobby does not count. */
export const maxRooms = 1000
export const maxRoomsOfNetwork = 20

/** A room, for as long as somebody is in it. */
export interface Place {
  readonly room: Room
  /** Who is in it, in order of arrival: a `HashMap` has no order. */
  readonly users: SortedMap.SortedMap<Seq, UserId>
  /** The network of whoever made it; `undefined` for the lobby. */
  readonly maker: string | undefined
}

export type Places = HashMap.HashMap<NameKey, Place>

const placeOf = (room: Room, maker: string | undefined): Place => ({
  room,
  users: SortedMap.empty<Seq, UserId>(Order.number),
  maker
})

/** The lobby alone. */
export const empty: Places = HashMap.make([lobby.key, placeOf(lobby, undefined)])

/** Whether no room can be made from this network now. */
export const isFull = (places: Places, maker: string): boolean => {
  // The lobby is one of them.
  if (HashMap.size(places) > maxRooms) return true
  let own = 0
  for (const place of HashMap.values(places)) if (place.maker === maker) own++
  return own >= maxRoomsOfNetwork
}

/** With this room, if it did not exist. */
export const make = (places: Places, room: Room, maker: string): Places =>
  HashMap.has(places, room.key) ? places : HashMap.set(places, room.key, placeOf(room, maker))

/** `since`: when the user came to the server. */
export const enter = (places: Places, key: NameKey, since: Seq, user: UserId): Places =>
  HashMap.modify(places, key, (place) => ({ ...place, users: SortedMap.set(place.users, since, user) }))

/** A room in which nobody is any more does not exist, but for the lobby. */
export const leave = (places: Places, key: NameKey, since: Seq): Places => {
  const place = HashMap.unsafeGet(places, key)
  const users = SortedMap.remove(place.users, since)
  return SortedMap.size(users) === 0 && place.maker !== undefined
    ? HashMap.remove(places, key)
    : HashMap.set(places, key, { ...place, users })
}

/** Somebody in it is called otherwise: a list that was made before is an old one. */
export const touch = (places: Places, key: NameKey): Places => HashMap.modify(places, key, (place) => ({ ...place }))
