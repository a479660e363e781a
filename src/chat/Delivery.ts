/** What a batch holds for one user, or for everyone: whole lines, and what they cost where they have to wait. */
import type * as Effect from "effect/Effect"
import type { Seq } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"
import type { Form } from "../wire/Form.ts"

/** How far what was said in a room goes. */
export interface Mark {
  readonly room: NameKey
  readonly seq: Seq
}

/** Some whole lines for one user. */
export interface Delivery {
  readonly bytes: Uint8Array
  readonly lines: number
  /**
   * `shared`: what everyone gets, skipped where there is no room. `private`: what one other user writes to this one; it may
   * take a quarter of the room, and is skipped first. `own`: a reply to the user itself, which is never skipped.
   */
  readonly kind: "shared" | "private" | "own"
  /** Whether the channel keeps room for it. */
  readonly promised: boolean
  /** More lines, that are made as the outlet takes them: the next ones, or `undefined` behind the last. */
  readonly source?: Effect.Effect<Uint8Array | undefined>
  /** Whoever was given it has all that was said in this room up to here. */
  readonly mark?: Mark
  /** From here on the user is told in this form. */
  readonly form?: Form
}

/** All that one user, or everyone, gets of a batch; summed up once, since it is handed to many. */
export interface Share {
  readonly deliveries: ReadonlyArray<Delivery>
  readonly parts: ReadonlyArray<Uint8Array>
  readonly bytes: number
  readonly lines: number
  /** How many of the deliveries have room kept for them. */
  readonly promised: number
  /** Some of it is still to be made. */
  readonly hasSource: boolean
  readonly marks: ReadonlyArray<Mark>
  /** In which form the user is told behind it, if that is another one. */
  readonly form: Form | undefined
}

export const share = (deliveries: ReadonlyArray<Delivery>): Share => ({
  deliveries,
  parts: deliveries.map(({ bytes }) => bytes),
  bytes: deliveries.reduce((sum, { bytes }) => sum + bytes.length, 0),
  lines: deliveries.reduce((sum, { lines }) => sum + lines, 0),
  promised: deliveries.reduce((count, { promised }) => promised ? count + 1 : count, 0),
  hasSource: deliveries.some(({ source }) => source !== undefined),
  marks: deliveries.flatMap(({ mark }) => mark ?? []),
  form: deliveries.findLast(({ form }) => form !== undefined)?.form
})

/**
 * What an entry of the channel costs beside its bytes, as measured: a node of the queue and a view of the batch; or, where
 * the bytes are for this user only, a Buffer with memory of its own. If it did not count, short replies would take many
 * times the backlog.
 */
export const entryBytes = { shared: 256, private: 640, own: 640 } as const

/** What it takes of a channel, in bytes. */
export const costOf = ({ bytes, kind }: Pick<Delivery, "bytes" | "kind">): number => bytes.length + entryBytes[kind]
