/** What was typed and is not known to have arrived. It waits, and is said exactly once: each has a nonce of its own. */
import type { Asked } from "../wire/JsonLines.ts"

export type Words = Extract<Asked, { readonly do: "say" | "to" }>

export interface Waiting {
  readonly asked: Words
  /** Where it is said. */
  room: string
  /** When it was first sent, in ms, and under which name: it may have arrived since. */
  sentAt: number | undefined
  sentAs: string | undefined
  /** Its author has seen its own copy. */
  isSeen: boolean
}

// The server knows 200 nonces of one address.
const most = 100
// It forgets a nonce after 10 minutes.
const remembered = 9 * 60_000

const nonce = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte % 36).toString(36)).join("")

export class Outbox {
  readonly all: Array<Waiting> = []

  /** So many more may wait. */
  get free(): number {
    return most - this.all.length
  }

  add(asked: Words, room: string): Waiting {
    const waiting = { asked: { ...asked, nonce: nonce() }, room, sentAt: undefined, sentAs: undefined, isSeen: false }
    this.all.push(waiting)
    return waiting
  }

  remove(waiting: Waiting): void {
    const at = this.all.indexOf(waiting)
    if (at >= 0) this.all.splice(at, 1)
  }

  /** The author's copy of a private message has come. */
  seen(name: string, text: string): void {
    const one = this.all.find(({ asked, isSeen }) =>
      asked.do === "to" && !isSeen && asked.text === text && asked.name.toLowerCase() === name.toLowerCase()
    )
    if (one !== undefined) one.isSeen = true
  }
}

/** Sent so long ago that the server may say it a second time. */
export const isDoubtful = ({ sentAt }: Waiting, now: number): boolean =>
  sentAt !== undefined && now - sentAt > remembered
