/**
 * What the file holds, read in steps so small that no commit waits long for one: all of it as it was at one moment, or what
 * was said in one room. Part of the writer thread.
 */

/** @typedef {InstanceType<typeof import("libsql")>} Database */
/** @typedef {{ table: string, rows: string }} Page Some rows, as JSON. */

// So many rows are read in one step, or about so many bytes of them if they are long.
const stepRows = 500
const stepBytes = 262_144

/** Rows in the order of their key, some at a time. They leave SQLite as one text of JSON, which is cheap to hand on. */
class Pages {
  /**
   * @param {Database} db
   * @param {{ from: string, key: string, size: string, row: string, where?: string, only?: string }} what Parameters begin
   * with ?3. What is not `only` is passed over, and counts as read.
   */
  constructor(db, { from, key, only = "true", row, size, where = "true" }) {
    this.sizes = db.prepare(
      `select ${key}, case when ${only} then ${size} else 0 end from ${from} where ${key} > ?1 and ?2 is null and (${where})
       order by ${key} limit ${stepRows}`
    ).raw()
    this.rows = db.prepare(
      `select json_group_array(json_array(${row}) order by ${key}) filter (where ${only}) from ${from}
       where ${key} > ?1 and ${key} <= ?2 and (${where})`
    ).raw()
  }

  /**
   * Those behind this key. `undefined`: there are none.
   * @param {string | number} after
   * @param {...(string | number)} parameters
   */
  next(after, ...parameters) {
    const sizes = /** @type {Array<[key: string | number, bytes: number]>} */ (this.sizes.all([after, null, ...parameters]))
    let sum = 0
    const end = sizes.findIndex(([, size], i) => (sum += size) > stepBytes && i > 0)
    const count = end < 0 ? sizes.length : end
    const last = sizes[count - 1]?.[0]
    if (last === undefined) return undefined
    const [rows] = /** @type {[string]} */ (this.rows.get([after, last, ...parameters]))
    return { last, count, rows }
  }
}

/** What was said in rooms. */
export class RoomPages {
  /** @param {Database} db */
  constructor(db) {
    this.lines = db.prepare("select lines from room where key = ?").raw()
    this.pages = new Pages(db, {
      from: "line",
      key: "seq",
      size: "octet_length(text)",
      row: "seq, at, address, name, text",
      where: "room = (select id from room where key = ?3)",
      only: "at >= ?4 and at < ?5"
    })
  }

  /** How many lines the room has. @param {{ room: string }} of */
  count({ room }) {
    return /** @type {[number] | undefined} */ (this.lines.get([room]))?.[0] ?? 0
  }

  /** @param {{ room: string, after: number, since: number, until: number }} of `since` and `until` in ms since 1970. */
  next({ after, room, since, until }) {
    return this.pages.next(after, room, since, until)
  }
}

/** All of the file, as of one moment, while it goes on changing. */
export class Snapshot {
  /** @param {Database} db */
  constructor(db) {
    const first = (/** @type {string} */ sql) =>
      Number(/** @type {Array<unknown>} */ (db.prepare(sql).raw().get([]))[0])
    /** The number of the last line that is in it. */
    this.last = first("select coalesce(max(seq), 0) from line")
    /** How many lines it has, if none of them is given up before it is read. */
    this.lines = first("select coalesce(sum(lines), 0) from room")
    /** @type {Set<string> | undefined} Keys of the registry whose values are other ones now; until it is read. */
    this.changed = new Set()
    /** @type {Array<string>} The values that they had. */
    this.before = []
    this.value = db.prepare("select json_array(key, value, version) from registry where key = ?").raw()
    this.pages = this.read(db)
  }

  /** The next rows. `undefined`: that was all. @returns {Page | undefined} */
  next() {
    return this.pages.next().value
  }

  /**
   * Must be told before a value of the registry changes. It is handed on at once as it is; whoever takes it passes over a key
   * that came before.
   * @param {string} key
   */
  changing(key) {
    if (this.changed === undefined || this.changed.has(key)) return
    this.changed.add(key)
    const value = /** @type {[string] | undefined} */ (this.value.get([key]))
    if (value !== undefined) this.before.push(value[0])
  }

  /** @param {Database} db @returns {Generator<Page, undefined>} */
  *read(db) {
    const registry = new Pages(db, {
      from: "registry",
      key: "key",
      size: "octet_length(value)",
      row: "key, value, version",
      where: "key not in (select value from json_each(?3))"
    })
    for (let after = ""; this.changed !== undefined;) {
      const page = registry.next(after, JSON.stringify(Array.from(this.changed)))
      // From the last page on it may change as it likes.
      if (page === undefined) this.changed = undefined
      else after = String(page.last)
      if (this.before.length > 0) yield { table: "registry", rows: `[${this.before.splice(0).join()}]` }
      if (page !== undefined) yield { table: "registry", rows: page.rows }
    }
    yield* this.table("nonce", "", new Pages(db, {
      from: "nonce",
      key: "nonce",
      size: "0",
      row: "nonce, seq, at, origin",
      where: "seq <= ?3"
    }), this.last)
    yield* this.table("line", -1, new Pages(db, {
      from: "line",
      key: "seq",
      size: "octet_length(text)",
      // By the key of the room: its number may be another one's before all is read.
      row: "seq, (select key from room where id = line.room), at, address, name, text",
      where: "seq <= ?3"
    }), this.last)
    // What was given up, and the numbers, only now: what is missing above is known to be missing, and no number comes again.
    yield* this.table("room", "", new Pages(db, { from: "room", key: "key", size: "0", row: "key, erased", where: "erased > 0" }))
    // Without its own number, so that it is another log.
    yield* this.table(
      "number",
      "",
      new Pages(db, { from: "number", key: "name", size: "0", row: "name, value", where: "name <> 'log'" })
    )
  }

  /**
   * @param {string} table
   * @param {string | number} start
   * @param {Pages} pages
   * @param {...number} parameters
   * @returns {Generator<Page, undefined>}
   */
  *table(table, start, pages, ...parameters) {
    for (let page = pages.next(start, ...parameters); page !== undefined; page = pages.next(page.last, ...parameters)) {
      yield { table, rows: page.rows }
    }
  }
}
