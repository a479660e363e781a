/**
 * One turn, played through: what becomes of its entries, in the order in which everybody is told. Pure: it knows the world
 * and no bytes.
 */
import type { Event, Seq, UserId } from "../domain/Event.ts"
import type { Output } from "../domain/Output.ts"
import * as World from "../domain/World.ts"
import type { Form } from "../wire/Form.ts"
import type { Answer, Entry } from "./Entry.ts"
import type { User } from "./User.ts"

/** Something to do, at its place. */
export type Deed =
  | World.Outcome
  /** `promised`: the user's channel keeps room for it. */
  | {
    readonly _tag: "Reply"
    readonly user: User
    readonly reply: Output | Uint8Array | undefined
    readonly promised: boolean
  }
  | { readonly _tag: "Private"; readonly to: UserId; readonly output: Output }
  | {
    readonly _tag: "Recall"
    readonly user: User
    readonly limit: number
    readonly before: Seq
    /** `undefined`: these are the lines that a newcomer is told unasked. */
    readonly pay: ((bytes: number) => void) | undefined
  }
  | { readonly _tag: "Reform"; readonly user: User; readonly form: Form }
  | { readonly _tag: "Close"; readonly output: Output }
  /** A question could not be answered: a bug. */
  | { readonly _tag: "Fail"; readonly user: User; readonly bug: unknown }
  | { readonly _tag: "Settle"; readonly entry: Entry }

/** The events in these entries, for the log. */
export const eventsOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  for (const entry of entries) {
    const event = eventOf(entry)
    if (event !== undefined) events.push(event)
  }
  return events
}

/** The entries in the order in which they are dealt with: see `Awaited`. */
export const inOrder = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  entries.some(({ _tag }) => _tag === "Awaited")
    ? [...entries.filter(({ _tag }) => _tag !== "Awaited"), ...entries.filter(({ _tag }) => _tag === "Awaited")]
    : entries

/** All that becomes of the entries, the first of whose events stands at `seq`; and the world behind them. */
export const play = (
  before: World.World,
  entries: ReadonlyArray<Entry>,
  seq: Seq
): readonly [ReadonlyArray<Deed>, World.World] => {
  const deeds: Array<Deed> = []
  let world = before
  let index = 0
  for (const entry of entries) {
    const event = eventOf(entry)
    if (event !== undefined) {
      const [after, outcomes] = World.step(world, event, World.placeOf(seq, index++))
      world = after
      for (const outcome of outcomes) deeds.push(outcome)
    }
    switch (entry._tag) {
      case "Came": {
        const { replay, user, welcome } = entry
        const users = World.size(world)
        if (welcome) deeds.push({ _tag: "Reply", user, reply: { _tag: "Welcome", users }, promised: false })
        if (replay > 0) {
          deeds.push({ _tag: "Recall", user, limit: replay, before: behind(world), pay: undefined })
        }
        break
      }
      case "Replied":
        deeds.push({ _tag: "Reply", user: entry.user, reply: entry.reply, promised: true })
        break
      case "Asked":
        answer(deeds, entry.user, () => entry.answer(world), true)
        break
      case "Awaited":
        answer(deeds, entry.user, () => entry.answer(world), false)
        break
      case "Recalled": {
        const { limit, pay, user } = entry
        deeds.push({ _tag: "Recall", user, limit, before: behind(world), pay })
        break
      }
      case "Formed":
        deeds.push({ _tag: "Reform", user: entry.user, form: entry.form })
        break
      case "Announced":
        deeds.push({ _tag: "Tell", to: "everyone", output: entry.output })
        break
      case "Closed":
        deeds.push({ _tag: "Close", output: entry.output })
    }
    if ("done" in entry) deeds.push({ _tag: "Settle", entry })
  }
  return [deeds, world]
}

/** Behind the last line: the same place for all who come, or ask, before the next one. */
const behind = ({ said }: World.World): Seq => World.placeOf(said, 1)

const eventOf = (entry: Entry): Event | undefined => {
  if (entry._tag === "Happened") return entry.event
  if (entry._tag === "Came") return { _tag: "Arrived", user: entry.user.id, address: entry.user.address }
  return undefined
}

// A bug in one answer ends one visit.
const answer = (deeds: Array<Deed>, user: User, make: () => Answer, promised: boolean) => {
  try {
    const { private: line, reply } = make()
    if (line !== undefined) deeds.push({ _tag: "Private", ...line })
    deeds.push({ _tag: "Reply", user, reply, promised })
  } catch (bug) {
    deeds.push({ _tag: "Fail", user, bug })
  }
}
