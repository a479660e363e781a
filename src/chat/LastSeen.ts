/**
 * How far the owners of names have read in each room, over their visits. What is stored may be some seconds behind: after a kill
 * a line is missed twice rather than never.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { Seq } from "../domain/Event.ts"
import { NameKey } from "../domain/Name.ts"
import { Records } from "./Records.ts"
import type { UserChannel } from "./UserChannel.ts"

/** So often the places of all who are here are stored. */
const period = Duration.seconds(30)

// Where somebody has been longest ago is forgotten beyond so many rooms.
const fewRooms = 100

type Places = ReadonlyMap<NameKey, Seq>

export class LastSeen extends Context.Tag("tellnet/LastSeen")<LastSeen, {
  /** The owner of a name is here: gives how far it had read before, and notes from now on what this channel hands over. */
  readonly begin: (key: NameKey, channel: UserChannel) => Effect.Effect<Places>
  /** It has read all of this room before this place. Stores that. */
  readonly mark: (key: NameKey, channel: UserChannel, room: NameKey, seq: Seq) => Effect.Effect<void>
  /** It is not here any more, or not by this name. Stores how far it has read, unless it owns it no more. */
  readonly end: (key: NameKey, channel: UserChannel, isOver?: boolean) => Effect.Effect<void>
  /** Stores the places of all who are here, again and again. Does not end. */
  readonly storing: Effect.Effect<never>
}>() {
  static readonly layer = Layer.effect(LastSeen, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { seen: stored } = yield* Records
  /** Whoever holds the name now. */
  const here = new Map<NameKey, UserChannel>()
  const unchanged = new WeakMap<UserChannel, number>()

  // It grows for as long as somebody reads.
  const stampOf = ({ seen }: UserChannel) => Array.from(seen?.values() ?? []).reduce((sum, seq) => sum + seq, 0)

  const store = (key: NameKey, channel: UserChannel) =>
    Effect.suspend(() => {
      const stamp = stampOf(channel)
      if (channel.seen === undefined || unchanged.get(channel) === stamp) return Effect.void
      const seen = new Map(channel.seen)
      return stored.update(key, (before) => plain(latest(placesOf(before), seen))).pipe(
        Effect.map(() => {
          unchanged.set(channel, stamp)
        }),
        // What was stored before stands: lines are missed twice.
        Effect.catchAll(({ message }) => Effect.logError(message))
      )
    })

  return LastSeen.of({
    begin: (key, channel) =>
      Effect.gen(function*() {
        const before = yield* Effect.catchAll(
          stored.get(key),
          ({ message }) => Effect.as(Effect.logError(message), Option.none())
        )
        // The one that it takes the name from may not have stored its own yet.
        const ghost = here.get(key)?.seen ?? new Map<NameKey, Seq>()
        const places = latest(placesOf(Option.map(before, ({ value }) => value)), ghost)
        channel.seen = new Map()
        here.set(key, channel)
        return places
      }),
    mark: (key, channel, room, seq) =>
      Effect.suspend(() => {
        channel.seen?.set(room, Seq(Math.max(seq, channel.seen.get(room) ?? 0)))
        return store(key, channel)
      }),
    end: (key, channel, isOver = false) =>
      Effect.map(isOver ? Effect.void : store(key, channel), () => {
        channel.seen = undefined
        if (here.get(key) === channel) here.delete(key)
      }),
    storing: Effect.zipRight(
      Effect.repeat(
        Effect.suspend(() => Effect.forEach(Array.from(here), ([key, channel]) => store(key, channel))),
        Schedule.spaced(period)
      ),
      Effect.never
    )
  })
})

const placesOf = (stored: Option.Option<Readonly<Record<string, number>>>): Places =>
  new Map(Object.entries(Option.getOrElse(stored, () => ({}))).map(([room, seq]) => [NameKey(room), Seq(seq)]))

/** In each room the later of both. */
const latest = (one: Places, other: Places): Places => {
  const places = new Map(one)
  for (const [room, seq] of other) places.set(room, Seq(Math.max(seq, places.get(room) ?? 0)))
  return places
}

const plain = (places: Places): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from(places).toSorted(([, one], [, other]) => other - one).slice(0, fewRooms))
