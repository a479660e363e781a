/**
 * Who is here, under which name: the fold of the log. Pure and total, without clock or chance, so it is the same for
 * everybody who folds the same events. Names are decided here: whoever comes first in the log holds a name.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as SortedMap from "effect/SortedMap"
import type { Event, Seq, Stored, UserId, Who } from "./Event.ts"
import { longestName, Name, type NameKey, nameKey } from "./Name.ts"
import type { Output } from "./Output.ts"

/** Somebody who is here, and the place where it came. */
export interface Online {
  readonly user: UserId
  readonly who: Who
  readonly since: Seq
}

export interface World {
  readonly users: HashMap.HashMap<UserId, Online>
  readonly holders: HashMap.HashMap<NameKey, UserId>
  /** A `HashMap` has no order. */
  readonly arrivals: SortedMap.SortedMap<Seq, UserId>
  /** The place of the last line; or, before the first one, where the log begins. */
  readonly said: Seq
}

/** Nobody is here. `said`: where the log begins. */
export const empty = (said: Seq): World => ({
  users: HashMap.empty(),
  holders: HashMap.empty(),
  arrivals: SortedMap.empty<Seq, UserId>(Order.number),
  said
})

/** What becomes of an event, in order. */
export type Outcome =
  /** From here on the user reads along, and is called so. */
  | { readonly _tag: "Enter"; readonly user: UserId; readonly who: Who }
  /** The user is called otherwise from here on. */
  | { readonly _tag: "Named"; readonly user: UserId; readonly who: Who }
  /** From here on the user reads nothing. */
  | { readonly _tag: "Exit"; readonly user: UserId }
  | { readonly _tag: "Tell"; readonly to: UserId | "everyone"; readonly output: Output }

const nothing: ReadonlyArray<Outcome> = []

/** The world after one event, which stands at this place, and what comes of it. What cannot be changes nothing. */
export const step = (world: World, event: Event, seq: Seq): readonly [World, ReadonlyArray<Outcome>] => {
  switch (event._tag) {
    case "Said": {
      const { text, user } = event
      const online = HashMap.get(world.users, user)
      if (Option.isNone(online)) return [world, nothing]
      // The world wins where the event says otherwise.
      return [
        { ...world, said: seq },
        [{ _tag: "Tell", to: "everyone", output: { _tag: "Said", who: online.value.who, text } }]
      ]
    }
    case "Arrived":
      return HashMap.has(world.users, event.user) ? [world, nothing] : arrive(world, event.user, event.address, seq)
    case "Left":
      return Option.match(HashMap.get(world.users, event.user), {
        onNone: () => [world, nothing],
        onSome: (online) => leave(world, online)
      })
    case "Renamed":
      return Option.match(HashMap.get(world.users, event.user), {
        onNone: () => [world, nothing],
        onSome: (online) => rename(world, online, event.name)
      })
  }
}

/** The world after a whole record, and all that comes of it. */
export const apply = (
  world: World,
  { events, seq }: Pick<Stored, "seq" | "events">
): readonly [World, ReadonlyArray<Outcome>] => {
  const outcomes: Array<Outcome> = []
  let after = world
  events.forEach((event, place) => {
    const [next, came] = step(after, event, placeOf(seq, place))
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

export const size = (world: World): number => HashMap.size(world.users)

/** Everyone, in order of arrival. */
export const roster = (world: World): ReadonlyArray<Who> =>
  Array.from(SortedMap.values(world.arrivals), (user) => HashMap.unsafeGet(world.users, user).who)

const arrive = (
  world: World,
  user: UserId,
  address: Who["address"],
  seq: Seq
): readonly [World, ReadonlyArray<Outcome>] => {
  const { arrivals, holders, users } = world
  // One address can come in through two doors; nobody can choose what comes of it then.
  let name = Name(address)
  for (let n = 2; HashMap.has(holders, nameKey(name)); n++) name = Name(`${address}#${n}`)
  const who = { address, name }
  return [
    {
      ...world,
      users: HashMap.set(users, user, { user, who, since: seq }),
      holders: HashMap.set(holders, nameKey(name), user),
      arrivals: SortedMap.set(arrivals, seq, user)
    },
    [{ _tag: "Enter", user, who }, { _tag: "Tell", to: "everyone", output: { _tag: "Online", who } }]
  ]
}

const leave = (world: World, { since, user, who }: Online): readonly [World, ReadonlyArray<Outcome>] => [
  {
    ...world,
    users: HashMap.remove(world.users, user),
    holders: HashMap.remove(world.holders, nameKey(who.name)),
    arrivals: SortedMap.remove(world.arrivals, since)
  },
  [{ _tag: "Exit", user }, { _tag: "Tell", to: "everyone", output: { _tag: "Offline", who } }]
]

const rename = (world: World, online: Online, name: Name): readonly [World, ReadonlyArray<Outcome>] => {
  const { user, who } = online
  const key = nameKey(name)
  // Its own name, or one that counts as the same, is always granted.
  if (Option.getOrElse(HashMap.get(world.holders, key), () => user) !== user) {
    return [world, [{ _tag: "Tell", to: user, output: { _tag: "NameTaken" } }]]
  }
  const renamed = { ...who, name }
  return [
    {
      ...world,
      users: HashMap.set(world.users, user, { ...online, who: renamed }),
      holders: HashMap.set(HashMap.remove(world.holders, nameKey(who.name)), key, user)
    },
    [{ _tag: "Named", user, who: renamed }, { _tag: "Tell", to: user, output: { _tag: "Renamed", name } }]
  ]
}
