/** How somebody is told something: what an output is on the wire. */
import type { Output } from "../domain/Output.ts"

export interface Form {
  /** Whoever comes to a room is told its last lines unasked. */
  readonly replays: boolean
  /** The lines of a list hold the time at which it is told. */
  readonly timesLists: boolean
  /**
   * Whole lines, or none if this form does not tell of it: each ends with `\n`, and holds no line break and no terminal
   * control. `at`: when it happened, in ms.
   */
  readonly render: (output: Output, at: number) => string
  /** What follows if this is the answer to something that was asked under this number: whole lines, or none. */
  readonly answer: (output: Output, at: number, id: string | number | undefined) => string
}
