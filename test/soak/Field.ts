/** What all clients of one run share. */
import type * as BroadcastLog from "./BroadcastLog.ts"
import type * as Grammar from "./Grammar.ts"
import type * as Roster from "./Roster.ts"
import type * as Tally from "./Tally.ts"

export interface Field {
  readonly port: number
  readonly maxLine: number
  /** Seconds of silence until the server kicks. */
  readonly idleSeconds: number
  readonly tally: Tally.Tally
  readonly grammar: Grammar.Grammar
  readonly log: BroadcastLog.BroadcastLog
  readonly roster: Roster.Roster
  /** Readers that are ahead of the witness: woken when the log has grown. */
  readonly ahead: Set<{ readonly advance: () => void }>
  /** Names that private messages may go to: their holders read everything. */
  readonly addressees: Set<string>
}
