/**
 * Private lines: none is told twice, and what was answered with `ok` is told. Whoever is told of a line that was sent
 * after that answer has had it before.
 */
import type { NodesTally } from "./Laws.ts"
import type { Ledger } from "./Ledger.ts"

export interface Letters {
  /** A private line for a program on its connection of now. */
  readonly send: (text: string) => void
  /** It was answered with `ok`, and the addressee has had that connection and name all the time. */
  readonly delivered: (text: string, connection: object) => void
  readonly told: (text: string, program: string) => void
  /** The program was told of a line on this connection. */
  readonly said: (text: string, connection: object, program: string) => void
}

export const make = (ledger: Ledger, tally: NodesTally): Letters => {
  const sent = new Map<string, string | undefined>()
  const owed = new WeakMap<object, Array<{ readonly text: string; readonly at: number }>>()
  return {
    send: (text) => void sent.set(text, undefined),
    delivered: (text, connection) => {
      const all = owed.get(connection) ?? []
      owed.set(connection, [...all, { text, at: performance.now() }])
    },
    told: (text, program) => {
      tally.count("privates")
      if (!sent.has(text)) tally.fault("sender", `${program} is told in private what nobody sent: ${text}`)
      const before = sent.get(text)
      if (before !== undefined) tally.fault("private", `${program} is told in private what ${before} was told: ${text}`)
      sent.set(text, program)
    },
    said: (text, connection, program) => {
      const all = owed.get(connection)
      const sentAt = ledger.sentAt(text)
      if (all === undefined || all.length === 0 || sentAt === undefined) return
      owed.set(connection, all.filter(({ at }) => at >= sentAt))
      for (const { at, text } of all) {
        if (at < sentAt && sent.get(text) === undefined) {
          tally.fault("private", `${program} was never told in private: ${text}`)
        }
      }
    }
  }
}
