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
import { Seen } from "./Seen.ts"
import type { UserChannel } from "./UserChannel.ts"

/** So often the places of all who are here are stored. */
const period = Duration.seconds(30)

export class LastSeen extends Context.Tag("tellnet/LastSeen")<LastSeen, {
  /** The owner of a name is here: gives how far it had read before, and notes from now on what this channel hands over. */
  readonly begin: (key: NameKey, channel: UserChannel) => Effect.Effect<Seen>
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
  /** How many changes are stored. */
  const storedOf = new WeakMap<Seen, number>()

  const store = (key: NameKey, { seen }: UserChannel) =>
    Effect.suspend(() => {
      const changes = seen?.changes ?? 0
      if (seen === undefined || changes === (storedOf.get(seen) ?? 0)) return Effect.void
      return stored.update(key, (before) => Object.fromEntries(new Seen(placesOf(before), seen))).pipe(
        Effect.map(() => {
          storedOf.set(seen, changes)
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
        const ghost = here.get(key)?.seen ?? []
        const places = new Seen(placesOf(Option.map(before, ({ value }) => value)), ghost)
        channel.seen = new Seen()
        here.set(key, channel)
        return places
      }),
    mark: (key, channel, room, seq) =>
      Effect.suspend(() => {
        channel.seen?.pass(room, seq)
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

const placesOf = (stored: Option.Option<Readonly<Record<string, number>>>): ReadonlyArray<readonly [NameKey, Seq]> =>
  Object.entries(Option.getOrElse(stored, () => ({}))).map(([room, seq]) => [NameKey(room), Seq(seq)])
