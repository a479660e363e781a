/** Who and what is there, as answers of the world: pure. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as SortedMap from "effect/SortedMap"
import type { Address } from "../domain/Address.ts"
import type { Online, UserId } from "../domain/Event.ts"
import type { Place, Places } from "../domain/Places.ts"
import type { Room } from "../domain/Room.ts"
import * as World from "../domain/World.ts"
import type { Answer } from "./Entry.ts"

const rosters = new WeakMap<Place, Answer>()

/** Everyone in a room; the same object until somebody comes, goes or is renamed, so it is made into bytes once. */
export const users = (world: World.World, room: Room | undefined): Answer => {
  const place = room && Option.getOrUndefined(World.place(world, room.key))
  if (place === undefined) return { reply: { _tag: "NoSuchRoom" } }
  let answer = rosters.get(place)
  if (answer === undefined) {
    rosters.set(place, answer = { reply: { _tag: "Users", room: place.room, users: World.roster(world, place) } })
  }
  return answer
}

const listed = new WeakMap<Places, Answer>()

/** All rooms with somebody in them: most people first, then by name. The same object until something changes in one. */
export const rooms = (world: World.World): Answer => {
  let answer = listed.get(world.rooms)
  if (answer === undefined) {
    const rooms = Array.from(
      HashMap.values(world.rooms),
      ({ room, users }) => ({ room, users: SortedMap.size(users) })
    )
      .filter(({ users }) => users > 0)
      .toSorted((one, other) => other.users - one.users || (one.room.key < other.room.key ? -1 : 1))
    listed.set(world.rooms, answer = { reply: { _tag: "Rooms", rooms } })
  }
  return answer
}

/** Somebody by its name; without one, the asker itself. */
export const found = (world: World.World, asker: UserId, name: string | undefined): Option.Option<Online> =>
  name === undefined ? HashMap.get(world.users, asker) : World.holder(world, name)

/** The same to read; with where it comes from, for those who may know. */
export const whois = (world: World.World, found: Option.Option<Online>, peer?: Address): Answer =>
  Option.match(found, {
    onNone: () => ({ reply: { _tag: "NoSuchUser" } }),
    onSome: ({ at, room, who }) => ({
      reply: {
        _tag: "Whois",
        who: peer === undefined ? who : { ...who, address: peer },
        at,
        room: World.roomOf(world, room)
      }
    })
  })
