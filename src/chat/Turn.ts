/**
 * One turn, played through: what becomes of its entries, in the order in which everybody is told. Pure: it knows the world
 * and no bytes.
 */
import * as Option from "effect/Option"
import { type Event, isPresence, type Line, type Nonce, type Seq, type Stored, type UserId } from "../domain/Event.ts"
import * as Fold from "../domain/Fold.ts"
import * as Nonces from "../domain/Nonces.ts"
import type { Output, Private } from "../domain/Output.ts"
import { lobby, type Room } from "../domain/Room.ts"
import * as World from "../domain/World.ts"
import { type Kept, recordEvents } from "../log/MessageLog.ts"
import type { Form } from "../wire/Form.ts"
import type { Answer, Entry, Pages, Verdict } from "./Entry.ts"
import type { Ignores } from "./Ignores.ts"
import type { Asker, User } from "./User.ts"

/** Something to do, at its place. */
export type Deed =
  /** What follows happened at this time, in ms since 1970. */
  | { readonly _tag: "At"; readonly at: number }
  | Exclude<Fold.Outcome, { readonly _tag: "Refuse" | "Known" }>
  /** `promised`: the user's channel keeps room for it. */
  | {
    readonly _tag: "Reply"
    readonly asker: Asker
    readonly copy: Output | undefined
    readonly reply: Output | undefined
    readonly promised: boolean
  }
  /** What was not asked for, to a user who is known. */
  | {
    readonly _tag: "Note"
    readonly user: User
    readonly output: Output | Uint8Array
    readonly promised: boolean
  }
  | { readonly _tag: "Whisper"; readonly to: UserId; readonly by: UserId; readonly output: Private }
  | {
    readonly _tag: "Stream"
    readonly asker: Asker
    readonly pages: Pages
    readonly pay: (bytes: number) => number
  }
  /** The lines that somebody who comes to a room is told unasked. */
  | {
    readonly _tag: "Replay"
    readonly user: User
    readonly room: Room
    readonly limit: number
    readonly before: Seq
  }
  | { readonly _tag: "Reform"; readonly user: User; readonly form: Form }
  | { readonly _tag: "Shut"; readonly user: User; readonly ignores: Ignores | undefined }
  | { readonly _tag: "Close"; readonly output: Output }
  /** A question could not be answered: a bug. */
  | { readonly _tag: "Fail"; readonly user: User; readonly bug: unknown }
  | { readonly _tag: "Settle"; readonly settle: () => void }

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

/** The same entries, but those whose nonce is known: these are answered, and happen no more. */
export const withoutKnown = (world: World.World, entries: ReadonlyArray<Entry>, at: number): ReadonlyArray<Entry> =>
  !entries.some((entry) => nonceOf(entry) !== undefined) ? entries : entries.map((entry) => {
    const nonce = nonceOf(entry)
    if (nonce === undefined) return entry
    const seq = Option.getOrUndefined(Nonces.find(world.nonces, nonce, at))
    if (seq === undefined || !("asker" in entry) || entry.asker === undefined) return entry
    return { _tag: "Replied", asker: entry.asker, reply: { _tag: "Done", seq } }
  })

/** What becomes of something, and the world behind it. */
export interface Played {
  readonly deeds: ReadonlyArray<Deed>
  readonly world: World.World
}

/** All that becomes of a record that was made of these entries. */
export const play = (before: World.World, entries: ReadonlyArray<Entry>, record: Stored): Played => {
  const { at, node, seq } = record
  const deeds: Array<Deed> = [{ _tag: "At", at }]
  let world = Fold.admit(before, record) ?? before
  let index = 0
  for (const entry of entries) {
    const event = eventOf(entry)
    let verdict: Result = done
    if (event !== undefined) {
      const place = Fold.placeOf(seq, index++)
      const [after, outcomes] = Fold.step(world, event, place, at, node)
      world = after
      verdict = { refusal: undefined, seq: place, known: false }
      // Whoever is not here any more tries in vain.
      if (entry._tag === "Tried" && outcomes.length === 0) verdict = { ...verdict, refusal: { _tag: "Busy" } }
      for (const outcome of outcomes) {
        if (outcome._tag === "Refuse") verdict = { ...verdict, refusal: outcome.output }
        else if (outcome._tag === "Known") verdict = { ...verdict, seq: outcome.seq, known: true }
        else deeds.push(outcome)
        // From here on it hears what is told, and its own arrival follows.
        if (outcome._tag === "Enter" && entry._tag === "Came" && entry.first !== undefined) {
          deeds.push({ _tag: "Note", user: entry.user, output: entry.first(world), promised: false })
        }
      }
    }
    playEntry(deeds, world, entry, verdict)
  }
  return { deeds, world }
}

/** The same for a record that nobody here has asked for. */
export const playOther = (before: World.World, record: Stored): Played => {
  const [world, outcomes] = Fold.apply(before, record)
  return { deeds: [{ _tag: "At", at: record.at }, ...outcomes.flatMap(toldAnyway)], world }
}

/** What becomes of everybody where the log is another one, which begins here, at this time. */
export const renew = (before: World.World, start: Seq, at: number): Played => {
  const [world, outcomes] = Fold.renew(before, start)
  const replaced: Deed = { _tag: "Announce", output: { _tag: "Replaced" } }
  return { deeds: [{ _tag: "At", at }, ...outcomes.flatMap(toldAnyway), replaced], world }
}

/** What the log keeps of it: the lines that were said, and the nonces that were used first; not what was not to be. */
export const keptOf = ({ deeds, world }: Played, { at, events, seq }: Stored): Kept => {
  const lines: Array<Line> = []
  for (const deed of deeds) {
    if (deed._tag !== "Tell" || deed.output._tag !== "Said") continue
    const { seq, text, who } = deed.output
    lines.push({ seq, at, room: deed.room, who, text })
  }
  const nonces: Array<Nonces.Used> = []
  events.forEach((event, index) => {
    const used = "nonce" in event && event.nonce !== undefined ? Nonces.get(world.nonces, event.nonce) : undefined
    if (used?.seq === Fold.placeOf(seq, index)) nonces.push(used)
  })
  return { lines, nonces }
}

// Whoever comes back after its node was thought dead may find its name taken; nobody waits for an answer.
const toldAnyway = (outcome: Fold.Outcome): ReadonlyArray<Deed> => {
  if (outcome._tag === "Known") return []
  return outcome._tag === "Refuse" ? [{ ...outcome, _tag: "Inform" }] : [outcome]
}

// Who comes and goes between two lines stands in their record, if these are fewer.
const fewOfPresence = 8

// What stands around a text in a record, names included.
const besideText = 768

/** How many bytes an event may take in a record: a character has three at most, or two where it is escaped. */
const sizeOfEvent = (event: Event): number => event._tag === "Said" ? besideText + 3 * event.text.length : besideText

interface Part {
  readonly entries: Array<Entry>
  events: number
  bytes: number
}

/** The entries in parts of which each makes a record of at most so many bytes; one with much presence has nothing else. */
export const partsOf = (entries: ReadonlyArray<Entry>, recordBytes: number): ReadonlyArray<ReadonlyArray<Entry>> => {
  if (recordBytes === Infinity) return [entries]
  const parts: Array<Part> = []
  let stood: "apart" | "together" = "together"
  for (const run of runsOf(entries)) {
    const stands = run.isPresence && run.entries.length >= fewOfPresence ? "apart" : "together"
    let part = parts.at(-1)
    if (part === undefined || stands === "apart" || stood === "apart") {
      parts.push(part = { entries: [], events: 0, bytes: 0 })
    }
    stood = stands
    for (const entry of run.entries) {
      const event = eventOf(entry)
      const bytes = event === undefined ? 0 : sizeOfEvent(event)
      if (part.events === recordEvents || part.events > 0 && part.bytes + bytes > recordBytes) {
        parts.push(part = { entries: [], events: 0, bytes: 0 })
      }
      part.entries.push(entry)
      part.bytes += bytes
      if (event !== undefined) part.events++
    }
  }
  return parts.map(({ entries }) => entries)
}

/** The entries in runs of one kind; what has no event belongs to the run in which it stands. */
const runsOf = (entries: ReadonlyArray<Entry>) => {
  const runs: Array<{ readonly entries: Array<Entry>; isPresence: boolean | undefined }> = []
  for (const entry of entries) {
    const event = eventOf(entry)
    const kind = event && isPresence(event)
    const run = runs.at(-1)
    if (run === undefined || kind !== undefined && run.isPresence !== undefined && run.isPresence !== kind) {
      runs.push({ entries: [entry], isPresence: kind })
    } else {
      run.entries.push(entry)
      run.isPresence ??= kind
    }
  }
  return runs
}

/** What became of the event of an entry. `known`: it happened before, at this place. */
interface Result extends Verdict {
  readonly known: boolean
}
const done: Result = { refusal: undefined, seq: undefined, known: false }

const playEntry = (deeds: Array<Deed>, world: World.World, entry: Entry, { known, refusal, seq }: Result): void => {
  switch (entry._tag) {
    case "Happened": {
      const { asker, event } = entry
      if (asker === undefined) {
        // People are answered nothing else.
        if (refusal !== undefined && "user" in event) deeds.push({ _tag: "Inform", user: event.user, output: refusal })
        break
      }
      const reply = refusal ?? (seq === undefined ? { _tag: "Done" } as const : { _tag: "Done", seq } as const)
      deeds.push({ _tag: "Reply", asker, copy: undefined, reply, promised: true })
      break
    }
    case "Tried": {
      const { decided, event, replay, user } = entry
      if (refusal === undefined && event._tag === "Moved" && replay > 0) {
        deeds.push(replayOf(world, user, event.room, replay))
      }
      deeds.push({ _tag: "Settle", settle: () => decided({ refusal, seq }) })
      break
    }
    case "Came": {
      const { replay, user, welcome } = entry
      if (welcome) {
        const output = { _tag: "Welcome", users: World.size(world) } as const
        deeds.push({ _tag: "Note", user, output, promised: false })
      }
      if (replay > 0) deeds.push(replayOf(world, user, lobby, replay))
      break
    }
    case "Replied":
      deeds.push({ _tag: "Reply", asker: entry.asker, copy: undefined, reply: entry.reply, promised: true })
      break
    case "Informed":
      deeds.push({ _tag: "Note", user: entry.user, output: entry.output, promised: true })
      break
    case "Asked":
      answer(
        deeds,
        entry.asker,
        known && seq !== undefined ? () => ({ reply: { _tag: "Done", seq } }) : () => entry.answer(world),
        true
      )
      break
    case "Awaited":
      answer(deeds, entry.asker, () => entry.answer(world), false)
      break
    case "Whispered": {
      const { by, output, told, to } = entry
      const isHere = Option.exists(World.holder(world, output.to), ({ user }) => user === to)
      if (isHere) deeds.push({ _tag: "Whisper", to, by, output })
      deeds.push({ _tag: "Settle", settle: () => told(isHere) })
      break
    }
    case "Streamed":
      deeds.push({ _tag: "Stream", asker: entry.asker, pages: entry.pages(world), pay: entry.pay })
      break
    case "Formed":
      deeds.push({ _tag: "Reform", user: entry.user, form: entry.form })
      if (entry.first !== undefined) {
        deeds.push({ _tag: "Note", user: entry.user, output: entry.first(world), promised: false })
      }
      break
    case "Shut":
      deeds.push({ _tag: "Shut", user: entry.user, ignores: entry.ignores })
      break
    case "Closed":
      deeds.push({ _tag: "Close", output: entry.output })
  }
  if ("done" in entry && entry.done !== undefined) deeds.push({ _tag: "Settle", settle: entry.done })
}

/** Behind the last line: the same place for all who come, or ask, before the next one. */
export const behind = ({ said }: World.World): Seq => Fold.placeOf(said, 1)

const replayOf = (world: World.World, user: User, room: Room, limit: number): Deed => ({
  _tag: "Replay",
  user,
  room,
  limit,
  before: behind(world)
})

const eventOf = (entry: Entry): Event | undefined => {
  if (entry._tag === "Came") return { _tag: "Arrived", user: entry.user.id, address: entry.user.address }
  return "event" in entry ? entry.event : undefined
}

const nonceOf = (entry: Entry): Nonce | undefined => {
  const event = "event" in entry ? entry.event : undefined
  return event !== undefined && "nonce" in event ? event.nonce : undefined
}

// A bug in one answer ends one visit.
const answer = (deeds: Array<Deed>, asker: Asker, make: () => Answer, promised: boolean) => {
  try {
    const { copy, private: line, reply } = make()
    if (line !== undefined) deeds.push({ _tag: "Whisper", by: asker.user.id, ...line })
    deeds.push({ _tag: "Reply", asker, copy, reply, promised })
  } catch (bug) {
    deeds.push({ _tag: "Fail", user: asker.user, bug })
  }
}
