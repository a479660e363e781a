/**
 * Which lines of a room are shown next: each once, in the order of their places, while old ones are fetched and new ones
 * come in. Knows neither the connection nor the page.
 */

export interface Placed {
  readonly seq: number
}

export class Reading<Line extends Placed> {
  /** The places of the oldest and the newest line that are shown. */
  oldest: number | undefined
  last: number | undefined
  #aside: Array<Line> | undefined

  get isCatchingUp(): boolean {
    return this.#aside !== undefined
  }

  /** From here on new lines are put aside, until all that came before them is there. */
  catchUp(): void {
    this.#aside ??= []
  }

  /** A new line: what is to be shown now. */
  said(line: Line): ReadonlyArray<Line> {
    if (this.#aside === undefined) return this.#show([line])
    this.#aside.push(line)
    return []
  }

  /** Old lines that were missing at the end. */
  past(lines: ReadonlyArray<Line>): ReadonlyArray<Line> {
    return this.#show(lines)
  }

  /** All old ones are there: what was put aside. */
  caughtUp(): ReadonlyArray<Line> {
    const aside = this.#aside ?? []
    this.#aside = undefined
    return this.#show(aside)
  }

  /** The connection is gone: what was put aside will be an old line of the next one. */
  broken(): void {
    this.#aside = []
  }

  /** Old lines that go before all others: those that are not shown yet. */
  older(lines: ReadonlyArray<Line>): ReadonlyArray<Line> {
    const { oldest } = this
    const fresh = oldest === undefined ? [...lines] : lines.filter(({ seq }) => seq < oldest)
    this.oldest = fresh[0]?.seq ?? oldest
    this.last ??= fresh.at(-1)?.seq
    return fresh
  }

  #show(lines: ReadonlyArray<Line>): ReadonlyArray<Line> {
    const fresh: Array<Line> = []
    for (const line of lines) {
      if (this.last !== undefined && line.seq <= this.last) continue
      this.last = line.seq
      this.oldest ??= line.seq
      fresh.push(line)
    }
    return fresh
  }
}
