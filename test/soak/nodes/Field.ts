/** What all programs share. */
import type { NodesTally } from "./Laws.ts"
import type { Ledger } from "./Ledger.ts"
import type { Letters } from "./Letters.ts"
import type { Node } from "./Node.ts"
import type { Program } from "./Program.ts"

export interface Field {
  readonly tally: NodesTally
  readonly ledger: Ledger
  readonly letters: Letters
  readonly nodes: ReadonlyArray<Node>
  readonly programs: Array<Program>
  /** For how many ms nothing was broken up to now. */
  readonly calm: () => number
  /** The blows are over: whoever has nothing on its way any more stays as it is. */
  readonly isOver: () => boolean
}
