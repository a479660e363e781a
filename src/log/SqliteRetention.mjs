/**
 * Which lines the file gives up, and when: the oldest beyond its limits, in steps so small that no commit waits long for one.
 * Part of the writer thread.
 */

// So many lines go in one step, which takes some ms: a commit waits for one at most.
const stepLines = 500

// The newest lines of a room are not given up for the sake of others.
const sheltered = 1000

// The other limits are looked at after so many lines, and after so long, in ms.
const fewLines = 10_000
const minute = 60_000

/** @typedef {{ keepLines: number, keepDays: number, keepBytes: number, trustsClock: boolean }} Limits */
/** @typedef {ReadonlyArray<readonly [seq: number, room: number, ...unknown[]]>} Rows */

export class Retention {
  /**
   * @param {InstanceType<typeof import("libsql")>} db
   * @param {Limits} limits
   * @param {(change: () => void) => void} transaction
   * @param {(why: string) => void} failed Told each time that lines could not be given up.
   */
  constructor(db, limits, transaction, failed) {
    this.failed = failed
    this.db = db
    this.limits = limits
    this.transaction = transaction
    this.isWaiting = false
    this.all = false
    this.unchecked = 0
    this.lines = this.number("select coalesce(sum(lines), 0) from room")
    this.ripest = db.prepare(
      `select id, lines, (select min(seq) from line where line.room = room.id) as first from room where lines > ?
       order by first limit 1`
    ).raw()
    this.quietest = db.prepare("select id, lines from room where lines > 0 order by last limit 1").raw()
    this.oldOf = db.prepare("select seq, room from line where room = ? order by seq limit ?").raw()
    this.oldest = db.prepare("select seq, room, at from line order by seq limit ?").raw()
    this.isThere = db.prepare("select 1 from line where seq = ?").raw()
    this.gone = db.prepare("delete from line where seq in (select value from json_each(?))")
    this.fewer = db.prepare("update room set lines = lines - ?, erased = max(erased, ?) where id = ?")
    this.erased = db.prepare(
      `update number set value = max(value, coalesce((select max(erased) from room where lines = 0), 0))
       where name = 'erased'`
    )
    // What is too old is looked for when the clock had some time to be set right.
    setInterval(() => {
      this.isSettled = true
      this.soon(true)
    }, minute).unref()
    this.isSettled = limits.trustsClock
    this.soon(true)
  }

  /** Tells it of lines that were added. @param {number} count */
  added(count) {
    this.lines += count
    this.unchecked += count
    const all = this.unchecked > fewLines
    if (all || this.lines > this.limits.keepLines) this.soon(all)
  }

  /** One step behind whatever waits now, and others until the limits hold. @param {boolean} all Not only `keepLines`. */
  soon(all) {
    if (all) this.unchecked = 0
    this.all ||= all
    if (this.isWaiting) return
    this.isWaiting = true
    setImmediate(() => {
      this.isWaiting = false
      const all = this.all
      this.all = false
      try {
        if (this.step(all)) this.soon(all)
      } catch (error) {
        // A full disk has no room for this either. The next minute tries again.
        this.failed(/** @type {Error} */ (error).message)
      }
    })
  }

  /** @param {boolean} all */
  step(all) {
    const { keepDays, keepLines } = this.limits
    const surplus = this.lines - keepLines
    if (surplus > 0 && this.eraseSurplus(Math.min(stepLines, surplus))) return true
    if (!all) return false
    return this.isSettled && this.eraseOlderThan(Date.now() - keepDays * 86_400_000) ||
      this.isTooLarge() && (this.eraseSurplus(stepLines) || this.eraseQuietest())
  }

  /** The oldest line that no room shelters, and some that follow in its room. @param {number} atMost */
  eraseSurplus(atMost) {
    const ripest = /** @type {[number, number] | undefined} */ (this.ripest.get([sheltered]))
    if (ripest === undefined) return false
    const [room, count] = ripest
    return this.erase(/** @type {Rows} */ (this.oldOf.all([room, Math.min(atMost, count - sheltered)])))
  }

  eraseQuietest() {
    const quietest = /** @type {[number] | undefined} */ (this.quietest.get([]))
    return quietest !== undefined && this.erase(/** @type {Rows} */ (this.oldOf.all([quietest[0], stepLines])))
  }

  /** @param {number} limit ms since 1970 */
  eraseOlderThan(limit) {
    const rows = /** @type {Array<[number, number, number]>} */ (this.oldest.all([stepLines]))
    return this.erase(rows.filter(([, , at]) => at < limit))
  }

  isTooLarge() {
    const pages = this.number("pragma page_count") - this.number("pragma freelist_count")
    return pages * this.number("pragma page_size") > this.limits.keepBytes
  }

  /**
   * Takes away some lines in the middle: none before them is thought to be given up for that. Says how many of them were there.
   * @param {Rows} rows
   */
  takeOut(rows) {
    const before = this.lines
    this.erase(rows.filter(([seq]) => this.isThere.get([seq]) !== undefined), true)
    return before - this.lines
  }

  /** @param {Rows} rows @param {boolean} [inMiddle] */
  erase(rows, inMiddle = false) {
    if (rows.length === 0) return false
    /** @type {Map<number, [count: number, last: number]>} */
    const gone = new Map()
    for (const [seq, room] of rows) {
      const [count, last] = gone.get(room) ?? [0, 0]
      gone.set(room, [count + 1, Math.max(last, seq)])
    }
    this.transaction(() => {
      this.gone.run([JSON.stringify(rows.map(([seq]) => seq))])
      for (const [room, [count, last]] of gone) this.fewer.run([count, inMiddle ? 0 : last, room])
      this.erased.run([])
      this.db.exec("delete from room where lines = 0")
    })
    this.lines -= rows.length
    return true
  }

  /** @param {string} sql */
  number(sql) {
    return Number(/** @type {Array<unknown>} */ (this.db.prepare(sql).raw().get([]))[0])
  }
}
