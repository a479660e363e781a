/**
 * Who is here, under which name and in which room, and whose the names are: the fold of the log. Pure and total, without
 * clock or chance, so it is the same for everybody who folds the same events. Names are decided here: whoever comes first in
 * the log holds a name, unless its owner takes it.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as SortedMap from "effect/SortedMap"
import { originOf } from "./Address.ts"
import type { Event, Nonce, Online, Seq, Stored, UserId, Who } from "./Event.ts"
import { longestName, Name, type NameKey, nameKey } from "./Name.ts"
import * as Nonces from "./Nonces.ts"
import type { Output } from "./Output.ts"
import * as Places from "./Places.ts"
import type { EndReason } from "./Reasons.ts"
import { lobby, type Room } from "./Room.ts"

export interface World {
  readonly users: HashMap.HashMap<UserId, Online>
  readonly holders: HashMap.HashMap<NameKey, UserId>
  readonly rooms: Places.Places
  /** The names that have an owner, here or not. */
  readonly owned: HashSet.HashSet<NameKey>
  readonly nonces: Nonces.Nonces
  /** The place of the last line; or, before the first one, where the log begins. */
  readonly said: Seq
}

/** Nobody is here. `said`: where the log begins. */
export const empty = (said: Seq, owned: Iterable<NameKey> = [], nonces: Iterable<Nonces.Used> = []): World => ({
  users: HashMap.empty(),
  holders: HashMap.empty(),
  rooms: Places.empty,
  owned: HashSet.fromIterable(owned),
  nonces: Array.from(nonces).reduce(Nonces.remember, Nonces.empty),
  said
})

/** What becomes of an event, in order. */
export type Outcome =
  /** From here on the user reads along in this room, and is called so. */
  | { readonly _tag: "Enter"; readonly user: UserId; readonly who: Who; readonly room: Room }
  /** From here on the user reads along in this room, and not in the one where it was. */
  | { readonly _tag: "Move"; readonly user: UserId; readonly room: Room }
  /** The user is called otherwise from here on. */
  | { readonly _tag: "Named"; readonly user: UserId; readonly who: Who }
  /** From here on the user reads nothing. */
  | { readonly _tag: "Exit"; readonly user: UserId; readonly reason: EndReason }
  /** Everybody in a room is told; `by` is whoever says it, if it is said. */
  | { readonly _tag: "Tell"; readonly room: NameKey; readonly output: Output; readonly by?: UserId }
  | { readonly _tag: "Inform"; readonly user: UserId; readonly output: Output }
  /** It was not to be: the one who asked for it is told why. */
  | { readonly _tag: "Refuse"; readonly output: Output }
  /** It happened before, at this place, and does not happen again. */
  | { readonly _tag: "Known"; readonly seq: Seq }

type Step = readonly [World, ReadonlyArray<Outcome>]

const nothing: ReadonlyArray<Outcome> = []

/**
 * The world after one event, which stands at this place and happened at the time `at`, and what comes of it. What cannot be
 * changes nothing.
 */
export const step = (world: World, event: Event, seq: Seq, at: number): Step => {
  if (event._tag === "Disowned") return [{ ...world, owned: HashSet.remove(world.owned, event.key) }, nothing]
  const found = HashMap.get(world.users, event.user)
  if (event._tag === "Arrived") return Option.isSome(found) ? [world, nothing] : arrive(world, event, seq, at)
  if (Option.isNone(found)) return [world, nothing]
  const online = found.value
  switch (event._tag) {
    case "Said":
      return say(world, online, event, seq, at)
    case "Told":
      return event.to === undefined || HashMap.has(world.holders, event.to)
        ? once(world, event, event.nonce, seq, at)
        : [world, nothing]
    case "Left":
      return leave(world, online, event.reason)
    case "Renamed":
      return rename(world, online, event.name, event.as)
    case "Moved":
      return move(world, online, event.room)
  }
}

/** The world after a whole record, and all that comes of it. */
export const apply = (world: World, { at, events, seq }: Stored): Step => {
  const outcomes: Array<Outcome> = []
  let after = world
  events.forEach((event, place) => {
    const [next, came] = step(after, event, placeOf(seq, place), at)
    after = next
    outcomes.push(...came)
  })
  return [after, outcomes]
}

/** Where the event with this index stands, in a record that begins at `seq`. */
export const placeOf = (seq: Seq, index: number): Seq => (seq + index) as Seq

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

export const size = (world: World): number => HashMap.size(world.users)

/** A room that exists. */
export const place = (world: World, room: NameKey): Option.Option<Places.Place> => HashMap.get(world.rooms, room)

/** Everyone in a room, in order of arrival. */
export const roster = (world: World, { users }: Places.Place): ReadonlyArray<Online> =>
  Array.from(SortedMap.values(users), (user) => HashMap.unsafeGet(world.users, user))

const arrive = (world: World, { address, user }: Extract<Event, { _tag: "Arrived" }>, seq: Seq, at: number): Step => {
  const { holders, users } = world
  // One address can come in through two doors; nobody can choose what comes of it then.
  let name = Name(address)
  for (let n = 2; HashMap.has(holders, nameKey(name)); n++) name = Name(`${address}#${n}`)
  const who = { address, name }
  return [
    {
      ...world,
      users: HashMap.set(users, user, { user, who, room: lobby.key, since: seq, at }),
      holders: HashMap.set(holders, nameKey(name), user),
      rooms: Places.enter(world.rooms, lobby.key, seq, user)
    },
    [
      { _tag: "Enter", user, who, room: lobby },
      { _tag: "Tell", room: lobby.key, output: { _tag: "Online", who, room: lobby } }
    ]
  ]
}

const leave = (world: World, { room, since, user, who }: Online, reason: EndReason): Step => [
  {
    ...world,
    users: HashMap.remove(world.users, user),
    holders: HashMap.remove(world.holders, nameKey(who.name)),
    rooms: Places.leave(world.rooms, room, since)
  },
  [
    { _tag: "Exit", user, reason },
    { _tag: "Tell", room, output: { _tag: "Offline", who, room: roomOf(world, room), reason } }
  ]
]

const rename = (
  world: World,
  online: Online,
  name: Name,
  as: Extract<Event, { _tag: "Renamed" }>["as"]
): Step => {
  const { room, user, who } = online
  const key = nameKey(name)
  const other = Option.filter(HashMap.get(world.holders, key), (holder) => holder !== user)
  // Its own name, or one that counts as the same, is always granted.
  const isOwn = nameKey(who.name) === key
  if (as === "guest" && !isOwn && HashSet.has(world.owned, key)) {
    return [world, [{ _tag: "Refuse", output: { _tag: "NameOwned", name } }]]
  }
  if (as !== "owner" && Option.isSome(other)) return [world, [{ _tag: "Refuse", output: { _tag: "NameTaken" } }]]
  // The one that held the name of another goes first.
  const [before, gone] = Option.match(other, {
    onNone: (): Step => [world, nothing],
    onSome: (ghost) => evict(world, HashMap.unsafeGet(world.users, ghost))
  })
  const renamed = { ...who, name }
  const outcomes: Array<Outcome> = [
    ...gone,
    { _tag: "Named", user, who: renamed },
    { _tag: "Inform", user, output: { _tag: "Renamed", name } },
    { _tag: "Tell", room, output: { _tag: "NowCalled", who, name, room: roomOf(world, room) } }
  ]
  if (as === "new owner") outcomes.push({ _tag: "Inform", user, output: { _tag: "Owned", name } })
  return [
    {
      ...before,
      users: HashMap.set(before.users, user, { ...online, who: renamed }),
      holders: HashMap.set(HashMap.remove(before.holders, nameKey(who.name)), key, user),
      // A list of this room that was made before is an old one now.
      rooms: Places.touch(before.rooms, room),
      owned: as === "guest" ? before.owned : HashSet.add(before.owned, key)
    },
    outcomes
  ]
}

const evict = (world: World, ghost: Online): Step => {
  const [after, outcomes] = leave(world, ghost, "taken-over")
  return [after, [{ _tag: "Inform", user: ghost.user, output: { _tag: "TakenOver" } }, ...outcomes]]
}

const move = (world: World, online: Online, wanted: Room): Step => {
  const { room: from, since, user, who } = online
  const known = place(world, wanted.key)
  if (wanted.key === from) {
    return [world, [{ _tag: "Refuse", output: { _tag: "AlreadyThere", room: roomOf(world, from) } }]]
  }
  const maker = originOf(who.address)
  if (Option.isNone(known) && Places.isFull(world.rooms, maker)) {
    return [world, [{ _tag: "Refuse", output: { _tag: "TooManyRooms" } }]]
  }
  const room = Option.match(known, { onNone: () => wanted, onSome: ({ room }) => room })
  const left = roomOf(world, from)
  return [
    {
      ...world,
      users: HashMap.set(world.users, user, { ...online, room: room.key }),
      rooms: Places.enter(Places.make(Places.leave(world.rooms, from, since), room, maker), room.key, since, user)
    },
    [
      // The one that comes is told apart: what it is told says where its own lines begin.
      { _tag: "Tell", room: room.key, output: { _tag: "Came", who, room, from: left } },
      { _tag: "Move", user, room },
      { _tag: "Inform", user, output: { _tag: "Came", who, room, from: left, seq: world.said } },
      { _tag: "Tell", room: from, output: { _tag: "Went", who, room: left, to: room } }
    ]
  ]
}

const say = (
  world: World,
  { room, who }: Online,
  event: Extract<Event, { _tag: "Said" }>,
  seq: Seq,
  at: number
): Step => {
  // The world wins where the event says otherwise.
  const said: ReadonlyArray<Outcome> = [{
    _tag: "Tell",
    room,
    output: { _tag: "Said", who, room: roomOf(world, room), text: event.text, seq },
    by: event.user
  }]
  if (event.nonce === undefined) return [{ ...world, said: seq }, said]
  const [after, known] = once(world, event, event.nonce, seq, at)
  return known.length > 0 ? [after, known] : [{ ...after, said: seq }, said]
}

/** What carries a nonce happens if that is not known. */
const once = (world: World, { who }: { readonly who: Who }, nonce: Nonce, seq: Seq, at: number): Step =>
  Option.match(Nonces.find(world.nonces, nonce, at), {
    onNone: (): Step => [
      { ...world, nonces: Nonces.remember(world.nonces, { nonce, seq, at, origin: originOf(who.address) }) },
      nothing
    ],
    onSome: (first): Step => [world, [{ _tag: "Known", seq: first }]]
  })

/** The room with this key, which somebody is in. */
export const roomOf = (world: World, key: NameKey): Room => HashMap.unsafeGet(world.rooms, key).room
