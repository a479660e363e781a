/** What a connection tells of itself: it comes back by itself. How it is made is known to the page, and to the terminal. */
import type { Told } from "../wire/JsonLines.ts"

export type State =
  | { readonly is: "connecting" | "open" }
  /** `at`: when the next try is, in ms. */
  | { readonly is: "waiting"; readonly at: number }
  | { readonly is: "over"; readonly text: string }

export interface Ends {
  readonly opened: (send: (line: string) => void) => void
  readonly told: (told: ReadonlyArray<Told>) => void
  readonly closed: () => void
  readonly state: (state: State) => void
}
