/** How somebody is told something: what an output is on the wire. */
import type { Output } from "../domain/Output.ts"

export interface Form {
  /** Whole lines: each ends with `\n`, and holds no line break and no terminal control. `at`: when it happened, in ms. */
  readonly render: (output: Output, at: number) => string
}
