/** How fast a total has grown of late. Plain code without a clock. */

/** How far back it looks, in ms. */
const span = 5000

export class RecentRate {
  private readonly samples: Array<{ readonly at: number; readonly total: number }> = []

  /** Takes the total at the time `at`, in ms, and says by how much a second it has grown over the last seconds. */
  sample(at: number, total: number): number {
    this.samples.push({ at, total })
    while (this.samples.length > 2 && this.samples[1]!.at <= at - span) this.samples.shift()
    const { at: from, total: before } = this.samples[0]!
    return at > from ? ((total - before) * 1000) / (at - from) : 0
  }
}
