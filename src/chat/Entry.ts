/** What goes through the message channel: events for the log, and what keeps its place among them without being in it. */
import type { Event, UserId } from "../domain/Event.ts"
import type { Output } from "../domain/Output.ts"
import type { World } from "../domain/World.ts"
import type { Form } from "../wire/Form.ts"
import type { User } from "./User.ts"

/** What an asker is told, and what somebody else is told for it. */
export interface Answer {
  readonly reply?: Output
  readonly private?: { readonly to: UserId; readonly output: Output }
}

export type Entry =
  | { readonly _tag: "Happened"; readonly event: Event; readonly done?: () => void }
  /** The user arrives; behind its own arrival it is welcomed, if it is, and told so many of the last lines. */
  | { readonly _tag: "Came"; readonly user: User; readonly welcome: boolean; readonly replay: number }
  /** Something for one user that is known already: an output, or bytes as they are. */
  | { readonly _tag: "Replied"; readonly user: User; readonly reply: Output | Uint8Array }
  /** A question, answered from the world at this place. */
  | { readonly _tag: "Asked"; readonly user: User; readonly answer: (world: World) => Answer }
  /**
   * The same for whoever waits for it, at the end of the turn: nothing of this user stands behind it. So all who ask in one
   * turn see the same world, and a long answer is made once for all.
   */
  | {
    readonly _tag: "Awaited"
    readonly user: User
    readonly answer: (world: World) => Answer
    readonly done: () => void
  }
  /** The last lines before this place. `pay` is told of the bytes as they are read. */
  | {
    readonly _tag: "Recalled"
    readonly user: User
    readonly limit: number
    readonly pay: (bytes: number) => void
    readonly done: () => void
  }
  /** From here on the user is told in another form. */
  | { readonly _tag: "Formed"; readonly user: User; readonly form: Form }
  /** Everyone is told. */
  | { readonly _tag: "Announced"; readonly output: Output }
  /** Everyone is told a last thing, after which nobody reads along. */
  | { readonly _tag: "Closed"; readonly output: Output; readonly done: () => void }

// What an entry costs beside its text: objects, and its place in the queue.
const entryBytes = 256

/** How many bytes it takes of the message channel. */
export const sizeOf = (entry: Entry): number => entryBytes + textOf(entry)

const textOf = (entry: Entry): number => {
  if (entry._tag === "Happened") return entry.event._tag === "Said" ? Buffer.byteLength(entry.event.text) : 0
  if (entry._tag !== "Replied") return 0
  const { reply } = entry
  if (reply instanceof Uint8Array) return reply.length
  return reply._tag === "UnknownCommand" ? Buffer.byteLength(reply.command) : 0
}

/** Whether it can wait for company: somebody comes or goes, and says nothing. */
export const isPresence = (entry: Entry): boolean =>
  entry._tag === "Came" || entry._tag === "Happened" && entry.event._tag === "Left"

/** Nobody waits any more for what was done, or will never be. */
export const settle = (entry: Entry): void => {
  if ("done" in entry) entry.done?.()
}
