/**
 * Who is here, under which name and in which room, and whose the names are; and what can be asked of it. Pure: the same for
 * everybody who has folded the same events.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as SortedMap from "effect/SortedMap"
import { type Address, originOf } from "./Address.ts"
import { type Event, type NodeId, type Online, type Seq, type UserId } from "./Event.ts"
import { longestName, Name, type NameKey, nameKey } from "./Name.ts"
import * as Nodes from "./Nodes.ts"
import * as Nonces from "./Nonces.ts"
import * as Places from "./Places.ts"
import { lobby, type Room } from "./Room.ts"
import * as Rules from "./Rules.ts"

export interface World {
  readonly users: HashMap.HashMap<UserId, Online>
  readonly holders: HashMap.HashMap<NameKey, UserId>
  readonly rooms: Places.Places
  /** The names that have an owner, here or not. */
  readonly owned: HashSet.HashSet<NameKey>
  readonly nonces: Nonces.Nonces
  readonly nodes: Nodes.Nodes
  readonly rules: Rules.Rules
  /** The place of the last line; or, before the first one, where the log begins. */
  readonly said: Seq
}

/** Nobody is here. `said`: where the log begins. `gone`: nodes of which nothing counts. */
export const empty = (
  said: Seq,
  owned: Iterable<NameKey> = [],
  nonces: Iterable<Nonces.Used> = [],
  gone: ReadonlyArray<NodeId> = [],
  rules: Rules.Rules = Rules.empty
): World => ({
  users: HashMap.empty(),
  holders: HashMap.empty(),
  rooms: Places.empty,
  owned: HashSet.fromIterable(owned),
  nonces: Array.from(nonces).reduce(Nonces.remember, Nonces.empty),
  nodes: { ...Nodes.empty, gone },
  rules,
  said
})

/** What a world is made of, without what follows from it. */
export interface Parts {
  /** In order of arrival. */
  readonly users: ReadonlyArray<Online>
  readonly rooms: ReadonlyArray<{ readonly room: Room; readonly maker: string }>
  readonly owned: ReadonlyArray<NameKey>
  /** In order of their places. */
  readonly nonces: ReadonlyArray<Nonces.Used>
  readonly nodes: Nodes.Nodes
  readonly rules: Rules.Rules
  readonly said: Seq
}

export const partsOf = ({ nodes, nonces, owned, rooms, rules, said, users }: World): Parts => ({
  users: Array.from(HashMap.values(users)).toSorted((one, other) => one.since - other.since),
  rooms: Array.from(HashMap.values(rooms)).flatMap(({ maker, room }) => maker === undefined ? [] : [{ room, maker }]),
  owned: Array.from(owned),
  nonces: Array.from(SortedMap.values(nonces.inOrder)),
  nodes,
  rules,
  said
})

/** The world that is made of these; who is in a room that is not there is in the lobby. */
export const fromParts = ({ nodes, nonces, owned, rooms, rules, said, users }: Parts): World => {
  let places = Places.empty
  for (const { maker, room } of rooms) places = Places.make(places, room, maker)
  const placed = users.map((user) => HashMap.has(places, user.room) ? user : { ...user, room: lobby.key })
  for (const { room, since, user } of placed) places = Places.enter(places, room, since, user)
  return {
    ...empty(said, owned, nonces, [], rules),
    users: HashMap.fromIterable(placed.map((online) => [online.user, online])),
    holders: HashMap.fromIterable(placed.map(({ user, who }) => [nameKey(who.name), user])),
    rooms: places,
    nodes
  }
}

/**
 * The event with who and where as they are now. An event that had to wait may say otherwise: whoever was thought dead meanwhile
 * may have come back by another name.
 */
export const asNow = (world: World, event: Event): Event => {
  if (event._tag !== "Said" && event._tag !== "Told") return event
  const online = Option.getOrUndefined(HashMap.get(world.users, event.user))
  if (online === undefined) return event
  const { room, who } = online
  if (event._tag === "Told") return { ...event, who }
  return event.who === who && event.room.key === room ? event : { ...event, who, room: roomOf(world, room) }
}

/** Whoever holds a name that is the same as this text. */
export const holder = (world: World, name: string): Option.Option<Online> =>
  name.length > longestName
    ? Option.none()
    : Option.flatMap(HashMap.get(world.holders, nameKey(name)), (user) => HashMap.get(world.users, user))

/** Whether a name that is the same as this text has an owner, here or not. */
export const isOwned = (world: World, name: string): boolean =>
  name.length <= longestName && HashSet.has(world.owned, nameKey(name))

/** Whether the user holds a name that it owns: nobody else can hold a name that has an owner. */
export const ownsItsName = (world: World, user: UserId): boolean =>
  Option.exists(HashMap.get(world.users, user), ({ who }) => HashSet.has(world.owned, nameKey(who.name)))

/** Whether somebody who is here may not speak at this time, nor be called otherwise, nor go elsewhere. */
export const isMuted = ({ owned, rules, users }: World, user: UserId, at: number): boolean => {
  // Nearly always; and this is asked for each line.
  if (HashMap.isEmpty(rules.mutes)) return false
  const online = HashMap.get(users, user)
  if (Option.isNone(online)) return false
  const { address, name } = online.value.who
  const key = nameKey(name)
  return Rules.isMuted(rules, HashSet.has(owned, key) ? key : undefined, () => originOf(address), at)
}

export const size = (world: World): number => HashMap.size(world.users)

/** Everyone whose connection is on this node, in order of arrival. */
export const usersOf = (world: World, node: NodeId): ReadonlyArray<Online> =>
  Array.from(HashMap.values(world.users)).filter((online) => online.node === node)
    .toSorted((one, other) => one.since - other.since)

/** What brings everyone back who is on this node now, once it is gone: as they are called now, where that is still possible. */
export const returnOf = (world: World, node: NodeId): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  for (const { room, user, who: { address, name } } of usersOf(world, node)) {
    events.push({ _tag: "Arrived", user, address })
    const as = HashSet.has(world.owned, nameKey(name)) ? "returning" : "guest"
    // What it was called at first nobody can choose.
    if (!isGiven(address, name)) events.push({ _tag: "Renamed", user, name, as })
    if (room !== lobby.key) events.push({ _tag: "Moved", user, room: roomOf(world, room) })
  }
  return events
}

const isGiven = (address: Address, name: Name): boolean => name === `${address}` || name.startsWith(`${address}#`)

/** A room that exists. */
export const place = (world: World, room: NameKey): Option.Option<Places.Place> => HashMap.get(world.rooms, room)

/** Everyone in a room, in order of arrival. */
export const roster = (world: World, { users }: Places.Place): ReadonlyArray<Online> =>
  Array.from(SortedMap.values(users), (user) => HashMap.unsafeGet(world.users, user))

/** The room with this key, which somebody is in. */
export const roomOf = (world: World, key: NameKey): Room => HashMap.unsafeGet(world.rooms, key).room
