/** What goes through the message channel: events for the log, and what keeps its place among them without being in it. */
import type * as Effect from "effect/Effect"
import type { Event, Seq, UserId } from "../domain/Event.ts"
import type { Output, Private } from "../domain/Output.ts"
import type { World } from "../domain/World.ts"
import type { Form } from "../wire/Form.ts"
import type { Ignores } from "./Ignores.ts"
import type { Asker, User } from "./User.ts"

/** What an asker is told, and what somebody else is told for it. */
export interface Answer {
  readonly reply?: Output
  /** Told to the asker before the reply. */
  readonly copy?: Output
  readonly private?: { readonly to: UserId; readonly output: Private }
}

/** The next part of a long answer, or `undefined` behind the last; made as the asker takes it. */
export type Pages = Effect.Effect<Output | undefined>

/** What became of something that was tried: why it was not to be, or where it stands. */
export interface Verdict {
  readonly refusal: Output | undefined
  readonly seq: Seq | undefined
}

/** Where the first part of a long answer comes from: the world at its place says what is asked for. */
export type MakePages = (world: World) => Pages

type Done = () => void

export type Entry =
  /** `asker`: is told where it stands, or why it was not to be. */
  | { readonly _tag: "Happened"; readonly event: Event; readonly asker?: Asker; readonly done?: Done }
  /**
   * The same for whoever waits for the verdict. `replay`: how many of the last lines of
   * the room that the user comes to by this it is told.
   */
  | {
    readonly _tag: "Tried"
    readonly event: Event
    readonly user: User
    readonly replay: number
    readonly decided: (verdict: Verdict) => void
  }
  /**
   * The user arrives; behind its own arrival it is welcomed, if it is, and told so many of the last lines. `first`: what it
   * is told before all else.
   */
  | {
    readonly _tag: "Came"
    readonly user: User
    readonly welcome: boolean
    readonly replay: number
    readonly first?: (world: World) => Output
  }
  /** Something for one user that is known already: the answer to what it asked. */
  | { readonly _tag: "Replied"; readonly asker: Asker; readonly reply: Output }
  /** Something for one user that it did not ask for, or that is not all of the answer: an output, or bytes as they are. */
  | { readonly _tag: "Informed"; readonly user: User; readonly output: Output | Uint8Array }
  /** A question, answered from the world at this place; an event with a nonce goes before, and is told if it was known. */
  | {
    readonly _tag: "Asked"
    readonly asker: Asker
    readonly answer: (world: World) => Answer
    readonly event?: Extract<Event, { readonly _tag: "Told" }>
  }
  /**
   * The same for whoever waits for it, at the end of the turn: nothing of this user stands behind it. So all who ask in one
   * turn see the same world, and a long answer is made once for all.
   */
  | {
    readonly _tag: "Awaited"
    readonly asker: Asker
    readonly answer: (world: World) => Answer
    readonly done: Done
  }
  /** Another node sends something private for a user; `told`: whether that is still here by this name. */
  | {
    readonly _tag: "Whispered"
    readonly to: UserId
    readonly by: UserId
    readonly output: Private
    readonly told: (isHere: boolean) => void
  }
  /** A long answer, made as it is taken. `pay` is told of its bytes, and says for how many ms the next part waits. */
  | {
    readonly _tag: "Streamed"
    readonly asker: Asker
    readonly pages: MakePages
    readonly pay: (bytes: number) => number
    readonly done: Done
  }
  /** From here on the user is told in another form; of which this is the first that it is told. */
  | {
    readonly _tag: "Formed"
    readonly user: User
    readonly form: Form
    readonly first: ((world: World) => Output) | undefined
  }
  /** From here on the user is told nothing of these. */
  | { readonly _tag: "Shut"; readonly user: User; readonly ignores: Ignores | undefined; readonly done: Done }
  /** Everyone is told a last thing, after which nobody reads along. */
  | { readonly _tag: "Closed"; readonly output: Output; readonly done: Done }

// What an entry costs beside its text: objects, and its place in the queue.
const entryBytes = 256

/** How many bytes it takes of the message channel. */
export const sizeOf = (entry: Entry): number => entryBytes + textOf(entry)

const textOf = (entry: Entry): number => {
  switch (entry._tag) {
    case "Happened":
      return entry.event._tag === "Said" ? Buffer.byteLength(entry.event.text) : 0
    case "Informed":
      return entry.output instanceof Uint8Array ? entry.output.length : 0
    case "Whispered":
      return Buffer.byteLength(entry.output.text)
    case "Replied":
      return entry.reply._tag === "UnknownCommand" ? Buffer.byteLength(entry.reply.command) : 0
    default:
      return 0
  }
}

/** Whether it can wait for company: somebody comes or goes, and says nothing. */
export const isPresence = (entry: Entry): boolean =>
  entry._tag === "Came" || entry._tag === "Happened" && entry.event._tag === "Left"

/** The user whose channel keeps room for what comes of it, if one does. */
export const promisedTo = (entry: Entry): User | undefined => {
  if (entry._tag === "Informed") return entry.user
  return entry._tag === "Replied" || entry._tag === "Asked" || entry._tag === "Happened" ? entry.asker?.user : undefined
}

/** Nobody waits any more for what was done, or will never be. */
export const settle = (entry: Entry): void => {
  if ("done" in entry) entry.done?.()
  // A server that ends decides nothing any more.
  if (entry._tag === "Whispered") entry.told(false)
  if (entry._tag === "Tried") entry.decided({ refusal: { _tag: "Busy" }, seq: undefined })
}
