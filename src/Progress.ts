/** How far a task is, shown on a terminal once it takes more than a second. */
import * as Effect from "effect/Effect"

/** What is written to; a file or a pipe is told nothing. */
export interface Terminal {
  readonly isTTY?: boolean
  readonly write: (text: string) => unknown
}

// In ms: before it is shown, and between two times.
const patience = 1000
const pause = 100

const number = (n: number) => n.toLocaleString("en")

/** Gives what is told how many are done and of how many, and takes what is shown away at the end of the scope. */
export const make = (terminal: Terminal) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    let next = clock.unsafeCurrentTimeMillis() + patience
    let shown = false
    const show = (text: string) => terminal.write(`\r\u001b[K${text}`)
    yield* Effect.addFinalizer(() => Effect.sync(() => shown && show("")))
    return (done: number, of: number) => {
      const now = clock.unsafeCurrentTimeMillis()
      if (terminal.isTTY !== true || now < next) return
      next = now + pause
      shown = true
      show(`${number(done)} of ${number(of)} lines (${of === 0 ? 100 : Math.floor(100 * done / of)} %)`)
    }
  })
