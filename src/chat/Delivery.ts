/** What a batch holds for one user, or for everyone: whole lines, and what they cost where they have to wait. */

/** Some whole lines for one user. */
export interface Delivery {
  readonly bytes: Uint8Array
  readonly lines: number
  /**
   * `shared`: what everyone gets, skipped where there is no room. `private`: what one other user writes to this one; it may
   * take a quarter of the room, and is skipped first. `own`: a reply to the user itself, which is never skipped.
   */
  readonly kind: "shared" | "private" | "own"
  /** How much room was announced for it, in bytes; 0 but for own replies. */
  readonly announced: number
}

/** All that one user, or everyone, gets of a batch; summed up once, since it is handed to many. */
export interface Share {
  readonly deliveries: ReadonlyArray<Delivery>
  readonly parts: ReadonlyArray<Uint8Array>
  readonly bytes: number
  readonly lines: number
  readonly announced: number
}

export const share = (deliveries: ReadonlyArray<Delivery>): Share => ({
  deliveries,
  parts: deliveries.map(({ bytes }) => bytes),
  bytes: deliveries.reduce((sum, { bytes }) => sum + bytes.length, 0),
  lines: deliveries.reduce((sum, { lines }) => sum + lines, 0),
  announced: deliveries.reduce((sum, { announced }) => sum + announced, 0)
})

/** A reply to the user itself. */
export const ownReply = ({ bytes, lines }: Pick<Delivery, "bytes" | "lines">): Delivery => ({
  bytes,
  lines,
  kind: "own",
  announced: bytes.length + entryBytes.own
})

/** A line that somebody else writes to the user. */
export const privateLine = (line: string): Delivery => ({
  bytes: Buffer.from(line),
  lines: 1,
  kind: "private",
  announced: 0
})

/**
 * What an entry of the channel costs beside its bytes, as measured: a node of the queue and a view of the batch; or, where
 * the bytes are for this user only, a Buffer with memory of its own. If it did not count, short replies would take many
 * times the backlog.
 */
export const entryBytes = { shared: 256, private: 640, own: 640 } as const

/** What it takes of a channel, in bytes. */
export const costOf = ({ bytes, kind }: Pick<Delivery, "bytes" | "kind">): number => bytes.length + entryBytes[kind]
