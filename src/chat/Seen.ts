/** How far somebody was given what was said, in each of a few rooms. Plain data, and cheap to change. */
import type { Seq } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"

/** Of so many rooms a place is known: of those where it is latest. */
export const fewRooms = 100

export class Seen {
  /** Grows with each change. */
  changes = 0
  private readonly places = new Map<NameKey, Seq>()

  constructor(...all: ReadonlyArray<Iterable<readonly [NameKey, Seq]>>) {
    for (const places of all) for (const [room, seq] of places) this.pass(room, seq)
  }

  get(room: NameKey): Seq | undefined {
    return this.places.get(room)
  }

  /** Goes on to this place of a room, never back. */
  pass(room: NameKey, seq: Seq): void {
    if ((this.places.get(room) ?? -1) >= seq) return
    this.places.set(room, seq)
    this.changes++
    if (this.places.size > fewRooms) this.forgetFirst()
  }

  [Symbol.iterator](): Iterator<readonly [NameKey, Seq]> {
    return this.places.entries()
  }

  private forgetFirst(): void {
    let first: readonly [NameKey, Seq] | undefined
    for (const place of this.places) if (first === undefined || place[1] < first[1]) first = place
    if (first !== undefined) this.places.delete(first[0])
  }
}
