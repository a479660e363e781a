/**
 * What becomes of an event: the fold of the log. Pure and total, without clock or chance, so it is the same for everybody who
 * folds the same events. Names are decided here: whoever comes first in the log holds a name, unless its owner takes it.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import { type Address, originOf } from "./Address.ts"
import {
  alone,
  type Event,
  type NodeId,
  type Nonce,
  type Online,
  type Seq,
  type Stored,
  type UserId,
  type Who
} from "./Event.ts"
import { Name, type NameKey, nameKey } from "./Name.ts"
import * as Nodes from "./Nodes.ts"
import * as Nonces from "./Nonces.ts"
import type { Output } from "./Output.ts"
import * as Places from "./Places.ts"
import type { OfflineReason } from "./Reasons.ts"
import { lobby, type Room } from "./Room.ts"
import * as Rules from "./Rules.ts"
import * as World from "./World.ts"

/** What becomes of an event, in order. */
export type Outcome =
  /** From here on the user reads along in this room, and is called so. */
  | { readonly _tag: "Enter"; readonly user: UserId; readonly who: Who; readonly room: Room }
  /** From here on the user reads along in this room, and not in the one where it was. */
  | { readonly _tag: "Move"; readonly user: UserId; readonly room: Room }
  /** The user is called otherwise from here on. */
  | { readonly _tag: "Named"; readonly user: UserId; readonly who: Who }
  /** From here on the user reads nothing. */
  | { readonly _tag: "Exit"; readonly user: UserId; readonly reason: OfflineReason }
  /** Everybody in a room is told; `by` is whoever says it, if it is said. */
  | { readonly _tag: "Tell"; readonly room: NameKey; readonly output: Output; readonly by?: UserId }
  | { readonly _tag: "Inform"; readonly user: UserId; readonly output: Output }
  /** Everybody is told, wherever they are. */
  | { readonly _tag: "Announce"; readonly output: Output }
  /** From here on these rules hold: whoever is here from where nobody may be must go. */
  | { readonly _tag: "Enforce"; readonly rules: Rules.Rules }
  /** It was not to be: the one who asked for it is told why. */
  | { readonly _tag: "Refuse"; readonly user: UserId; readonly output: Output }
  /** It happened before, at this place, and does not happen again. */
  | { readonly _tag: "Known"; readonly seq: Seq }

type Step = readonly [World.World, ReadonlyArray<Outcome>]

const nothing: ReadonlyArray<Outcome> = []

/** With a record whose events come next, or `undefined` if nothing of it counts. */
export const admit = (world: World.World, record: Pick<Stored, "node" | "number">): World.World | undefined => {
  const nodes = Nodes.admit(world.nodes, record)
  return nodes === world.nodes ? world : nodes && { ...world, nodes }
}

/**
 * The world after one event, which stands at this place and happened at the time `at` on this node, and what comes of it.
 * What cannot be changes nothing.
 */
export const step = (world: World.World, event: Event, seq: Seq, at: number, node: NodeId = alone): Step => {
  if (event._tag === "Disowned") return [disown(world, event.key), nothing]
  if (event._tag === "NodeGone") return bury(world, event.node)
  // Lines are no part of the world.
  if (event._tag === "Erased") return [world, nothing]
  // It holds, though the operator may be gone.
  if (event._tag === "Ruled") return rule(world, event, at)
  const found = HashMap.get(world.users, event.user)
  if (event._tag === "Arrived") return Option.isSome(found) ? [world, nothing] : arrive(world, event, seq, at, node)
  if (Option.isNone(found)) return [world, nothing]
  const online = found.value
  switch (event._tag) {
    case "Removed":
      return remove(world, event)
    case "Announced":
      return [world, [{ _tag: "Announce", output: { _tag: "Announcement", text: event.text } }]]
    case "Left":
      return leave(world, online, event.reason)
  }
  // Whoever comes back with its node keeps the name that it owned.
  const isBack = event._tag === "Renamed" && event.as === "returning"
  if (!isBack && World.isMuted(world, event.user, at)) {
    return [world, [{ _tag: "Refuse", user: event.user, output: { _tag: "Muted" } }]]
  }
  switch (event._tag) {
    case "Said":
      return say(world, online, event, seq, at)
    case "Told":
      return event.to === undefined || HashMap.has(world.holders, event.to)
        ? once(world, event, event.nonce, seq, at)
        : [world, nothing]
    case "Renamed":
      return rename(world, online, event.name, event.as, at)
    case "Moved":
      return move(world, online, event.room)
  }
}

/** The world after a whole record, and all that comes of it. */
export const apply = (world: World.World, record: Stored): Step => {
  const { at, events, node, seq } = record
  const outcomes: Array<Outcome> = []
  const admitted = admit(world, record)
  if (admitted === undefined) return [world, nothing]
  let after = admitted
  events.forEach((event, place) => {
    const [next, came] = step(after, event, placeOf(seq, place), at, node)
    after = next
    outcomes.push(...came)
  })
  return [after, outcomes]
}

/** Where the event with this index stands, in a record that begins at `seq`. */
export const placeOf = (seq: Seq, index: number): Seq => (seq + index) as Seq

/** The world in another log, which begins at `said`: whoever is here goes; the names that have owners keep them. */
export const renew = (world: World.World, said: Seq): Step => {
  const users = Array.from(HashMap.values(world.users)).toSorted((one, other) => one.since - other.since)
  const nodes = new Set(users.map(({ node }) => node))
  const outcomes = Array.from(nodes).flatMap((node) => bury(world, node)[1])
  return [World.empty(said, world.owned, [], [], world.rules), outcomes]
}

const arrive = (
  world: World.World,
  { address, user }: Extract<Event, { _tag: "Arrived" }>,
  seq: Seq,
  at: number,
  node: NodeId
): Step => {
  const { holders, users } = world
  const name = givenName(holders, address)
  const who = { address, name }
  return [
    {
      ...world,
      users: HashMap.set(users, user, { user, who, room: lobby.key, since: seq, at, node }),
      holders: HashMap.set(holders, nameKey(name), user),
      rooms: Places.enter(world.rooms, lobby.key, seq, user)
    },
    [
      { _tag: "Enter", user, who, room: lobby },
      { _tag: "Tell", room: lobby.key, output: { _tag: "Online", who, room: lobby } }
    ]
  ]
}

/**
 * The address, or what nobody can choose if others have it who came through another door, or are hidden behind the same one. One
 * that is free is found in few steps, however many are held: a network may have thousands.
 */
const givenName = (holders: World.World["holders"], address: Address): Name => {
  const nth = (n: number) => Name(n === 1 ? address : `${address}#${n}`)
  const isHeld = (n: number) => HashMap.has(holders, nameKey(nth(n)))
  let [held, free] = [0, 1]
  while (isHeld(free)) [held, free] = [free, 2 * free]
  while (free - held > 1) {
    const middle = Math.floor((held + free) / 2)
    if (isHeld(middle)) held = middle
    else free = middle
  }
  return nth(free)
}

const leave = (world: World.World, { room, since, user, who }: Online, reason: OfflineReason): Step => [
  {
    ...world,
    users: HashMap.remove(world.users, user),
    holders: HashMap.remove(world.holders, nameKey(who.name)),
    rooms: Places.leave(world.rooms, room, since)
  },
  [
    { _tag: "Exit", user, reason },
    { _tag: "Tell", room, output: { _tag: "Offline", who, room: World.roomOf(world, room), reason } }
  ]
]

const bury = (world: World.World, node: NodeId): Step => {
  const nodes = Nodes.bury(world.nodes, node)
  if (nodes === undefined) return [world, nothing]
  const outcomes: Array<Outcome> = []
  let after: World.World = { ...world, nodes }
  for (const online of World.usersOf(world, node)) {
    const [next, came] = leave(after, online, "node-gone")
    after = next
    outcomes.push(...came)
  }
  return [after, outcomes]
}

const disown = (world: World.World, key: NameKey): World.World => ({
  ...world,
  owned: HashSet.remove(world.owned, key),
  rules: Rules.forgetName(world.rules, key)
})

const rule = (world: World.World, { change, visit }: Extract<Event, { _tag: "Ruled" }>, at: number): Step => {
  const rules = Rules.change(world.rules, change, at)
  const outcomes: Array<Outcome> = [{ _tag: "Enforce", rules }]
  let after: World.World = { ...world, rules }
  if (change._tag === "Set" && change.kind === "ban") {
    for (const { whom } of change.rules) {
      // Where they come from, each node knows of its own users; whoever owns a name is known to all.
      const owner = whom._tag === "Name" ? HashMap.get(world.holders, whom.key) : Option.none()
      if (Option.isNone(owner) || !World.ownsItsName(world, owner.value)) continue
      const [next, came] = leave(after, HashMap.unsafeGet(world.users, owner.value), "banned")
      after = next
      outcomes.push({ _tag: "Inform", user: owner.value, output: { _tag: "Banned" } }, ...came)
    }
  }
  const told = visit === undefined ? undefined : visitor(world, visit)
  if (told !== undefined) outcomes.push({ _tag: "Inform", user: told.user, output: { _tag: "NowMuted" } })
  return [after, outcomes]
}

const remove = (world: World.World, { reason, user, visit }: Extract<Event, { _tag: "Removed" }>): Step => {
  const online = visitor(world, visit)
  if (online === undefined) return [world, [{ _tag: "Refuse", user, output: { _tag: "NoSuchUser" } }]]
  const [after, outcomes] = leave(world, online, "removed")
  return [after, [{ _tag: "Inform", user: online.user, output: { _tag: "Removed", reason } }, ...outcomes]]
}

/** Whoever arrived at this place, and is here still. */
const visitor = ({ users }: World.World, visit: Seq): Online | undefined => {
  for (const online of HashMap.values(users)) if (online.since === visit) return online
  return undefined
}

const rename = (
  world: World.World,
  online: Online,
  name: Name,
  as: Extract<Event, { _tag: "Renamed" }>["as"],
  at: number
): Step => {
  const { room, user, who } = online
  const key = nameKey(name)
  const other = Option.filter(HashMap.get(world.holders, key), (holder) => holder !== user)
  // Its own name, or one that counts as the same, is always granted.
  const isOwn = nameKey(who.name) === key
  if (as === "guest" && !isOwn && HashSet.has(world.owned, key)) {
    return [world, [{ _tag: "Refuse", user, output: { _tag: "NameOwned", name } }]]
  }
  // It has shown that it is the one who may not be here.
  if (as !== "guest" && Rules.isNameBanned(world.rules, key, at)) {
    return [world, [{ _tag: "Refuse", user, output: { _tag: "Banned" } }]]
  }
  if (as !== "owner" && Option.isSome(other)) return [world, [{ _tag: "Refuse", user, output: { _tag: "NameTaken" } }]]
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
    { _tag: "Tell", room, output: { _tag: "NowCalled", who, name, room: World.roomOf(world, room) } }
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

const evict = (world: World.World, ghost: Online): Step => {
  const [after, outcomes] = leave(world, ghost, "taken-over")
  return [after, [{ _tag: "Inform", user: ghost.user, output: { _tag: "TakenOver" } }, ...outcomes]]
}

const move = (world: World.World, online: Online, wanted: Room): Step => {
  const { room: from, since, user, who } = online
  const known = World.place(world, wanted.key)
  if (wanted.key === from) {
    return [world, [{ _tag: "Refuse", user, output: { _tag: "AlreadyThere", room: World.roomOf(world, from) } }]]
  }
  const maker = originOf(who.address)
  if (Option.isNone(known) && Places.isFull(world.rooms, maker)) {
    return [world, [{ _tag: "Refuse", user, output: { _tag: "TooManyRooms" } }]]
  }
  const room = Option.match(known, { onNone: () => wanted, onSome: ({ room }) => room })
  const left = World.roomOf(world, from)
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
  world: World.World,
  { room, who }: Online,
  event: Extract<Event, { _tag: "Said" }>,
  seq: Seq,
  at: number
): Step => {
  // The world wins where the event says otherwise.
  const said: ReadonlyArray<Outcome> = [{
    _tag: "Tell",
    room,
    output: { _tag: "Said", who, room: World.roomOf(world, room), text: event.text, seq },
    by: event.user
  }]
  if (event.nonce === undefined) return [{ ...world, said: seq }, said]
  const [after, known] = once(world, event, event.nonce, seq, at)
  return known.length > 0 ? [after, known] : [{ ...after, said: seq }, said]
}

/** What carries a nonce happens if that is not known. */
const once = (world: World.World, { who }: { readonly who: Who }, nonce: Nonce, seq: Seq, at: number): Step =>
  Option.match(Nonces.find(world.nonces, nonce, at), {
    onNone: (): Step => [
      { ...world, nonces: Nonces.remember(world.nonces, { nonce, seq, at, origin: originOf(who.address) }) },
      nothing
    ],
    onSome: (first): Step => [world, [{ _tag: "Known", seq: first }]]
  })
