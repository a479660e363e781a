/**
 * Private messages of the messengers as one addressee reads them. Each messenger numbers them from 1 again whenever it
 * turns to another addressee, so per sender the next number, or 1, is right.
 */
import { numberOf, textOf } from "./NumberedLine.ts"
import type { Tally } from "./Tally.ts"

export interface PrivateMessages {
  readonly read: (sender: string, text: string) => void
}

export const senderName = (id: number): string => `pm-${id}`

export const make = (reader: string, tally: Tally): PrivateMessages => {
  const last = new Map<string, number>()
  return {
    read: (sender, text) => {
      tally.count("privates")
      const id = /^pm-(\d+)$/.exec(sender)?.[1]
      // Garbage also finds its way into private messages; of that only the grammar is known.
      if (id === undefined) return
      const number = numberOf(text)
      const due = (last.get(sender) ?? 0) + 1
      if (number === undefined || text !== textOf(Number(id), number) || (number !== due && number !== 1)) {
        tally.fault("private", `${reader} expects ${due} from ${sender} and reads: ${text}`)
      }
      last.set(sender, number ?? due)
    }
  }
}
