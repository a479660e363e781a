/**
 * The writer thread: all that touches SQLite. One connection, so a commit, a checkpoint or a slow disk never stops the event
 * loop. Plain JavaScript, so that it is loaded under tsx and beside a bundle alike.
 */
import Database from "libsql"
import { parentPort, workerData } from "node:worker_threads"
import { Retention } from "./SqliteRetention.mjs"
import { applicationId, migrations } from "./SqliteSchema.mjs"
import { RoomPages, Snapshot } from "./SqliteSnapshot.mjs"

/**
 * @type {{
 *   path: string, readOnly: boolean, sync: boolean, keepLines: number, keepDays: number, keepBytes: number, trustsClock: boolean
 * }}
 */
const settings = workerData

/** @import { MessagePort } from "node:worker_threads" */
const port = /** @type {MessagePort} */ (parentPort)

// For so long, in ms of the time of the lines, nonces are known: see Nonces.ts.
const nonceLife = 600_000

// So many numbers are set aside at a time. A process that is killed leaves them unused.
const block = 2 ** 32

/** An error with a reason that the other side knows. */
class Refusal extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason)
    this.reason = reason
  }
}

/** @type {InstanceType<typeof Database>} */
let db
/** @type {Record<string, ReturnType<InstanceType<typeof Database>["prepare"]>>} */
let statements
let reserved = 0
/** @type {Retention} */
let retention
/** @type {Snapshot | undefined} The one that is being read. */
let snapshot
/** @type {RoomPages} */
let roomPages

/** @param {string} sql */
const number = (sql) => Number(/** @type {Array<unknown>} */ (db.prepare(sql).raw().get([]))[0])

/**
 * All or nothing.
 * @template A
 * @param {() => A} change
 */
const transaction = (change) => {
  db.exec("begin immediate")
  try {
    const result = change()
    db.exec("commit")
    return result
  } catch (error) {
    // A full disk rolls back by itself.
    if (db.inTransaction) db.exec("rollback")
    throw error
  }
}

const open = () => {
  db = new Database(settings.path)
  // The lock of a predecessor that is just ending.
  db.exec("pragma busy_timeout = 2000")
  db.exec("pragma locking_mode = exclusive")
  const id = number("pragma application_id")
  const version = number("pragma user_version")
  if (id === 0 ? number("select count(*) from sqlite_schema") > 0 : id !== applicationId) throw new Refusal("foreign")
  if (version > migrations.length) throw new Refusal("newer")
  if (id !== 0 && version < 1) throw new Refusal("damaged")
  if (settings.readOnly) return openToRead(version)
  const mode = /** @type {Array<unknown>} */ (db.prepare("pragma journal_mode = wal").raw().get([]))[0]
  if (mode !== "wal") throw new Refusal(`its journal mode is ${mode}`)
  db.exec(`pragma synchronous = ${settings.sync ? "full" : "normal"}`)
  db.exec("pragma temp_store = memory; pragma cache_size = -16000; pragma journal_size_limit = 8388608")
  // What is gone is overwritten at once: lines that move to other pages leave copies behind, which no later erasure would find.
  db.exec("pragma secure_delete = on")
  if (version < migrations.length) {
    transaction(() => {
      for (const migration of migrations.slice(version)) db.exec(migration)
      db.exec(`pragma application_id = ${applicationId}; pragma user_version = ${migrations.length}`)
    })
  }
  // A damaged file shows itself here, and not to the first who asks.
  for (const table of ["line", "room", "registry"]) {
    for (const order of ["asc", "desc"]) db.prepare(`select * from ${table} order by 1 ${order} limit 1`).all([])
  }
  db.prepare("select room, seq from line indexed by line_room order by room desc, seq desc limit 1").all([])
  const columns = "line.seq, line.at, line.address, line.name, line.text"
  const ofRoom = "line join room on room.id = line.room where room.key = ?"
  statements = {
    room: db.prepare(
      `insert into room (key, lines, last) values (?, ?, ?)
       on conflict do update set lines = lines + excluded.lines, last = excluded.last`
    ),
    append: db.prepare(
      `insert or ignore into line select value ->> 0, (select id from room where key = value ->> 1), value ->> 2, value ->> 3,
       value ->> 4, value ->> 5 from json_each(?)`
    ),
    reserve: db.prepare("update number set value = ? where name = 'reserved'"),
    startOf: db.prepare(
      `select min(seq) from (select seq from ${ofRoom} and seq < ? order by seq desc limit ?)`
    ).raw(),
    // One that is used anew is too old, or was forgotten: where it was used last counts.
    nonces: db.prepare(
      "insert or replace into nonce select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?)"
    ),
    forget: db.prepare("delete from nonce where at < (select max(at) from nonce) - ?"),
    count: db.prepare(`select count(*) from (select 1 from ${ofRoom} and seq >= ? and seq < ? limit ?)`).raw(),
    erased: db.prepare(
      `select max(value, coalesce((select erased from room where key = ?), 0)) from number where name = 'erased'`
    ).raw(),
    sizes: db.prepare(
      `select seq, octet_length(text) from ${ofRoom} and seq >= ? and seq < ? order by seq limit ?`
    ).raw(),
    read: db.prepare(`select ${columns} from ${ofRoom} and seq between ? and ? order by seq`).raw(),
    before: db.prepare("select seq, room, at, address, name from line where seq < ? order by seq desc limit ?").raw(),
    get: db.prepare("select key, value, version from registry where key = ?").raw(),
    list: db.prepare("select key, value, version from registry where key >= ? and key > ? order by key limit ?").raw(),
    version: db.prepare("update number set value = value + 1 where name = 'version' returning value").raw(),
    create: db.prepare("insert into registry values (?, ?, ?) on conflict do nothing"),
    replace: db.prepare("update registry set value = ?, version = ? where key = ? and version = ?"),
    remove: db.prepare("delete from registry where key = ? and version = ?")
  }
  const first = number("select value from number where name = 'reserved'")
  reserve(first)
  roomPages = new RoomPages(db)
  // A backup that was put in its place has none.
  db.exec("insert or ignore into number values ('log', abs(random() >> 12))")
  retention = new Retention(db, settings, transaction, (failure) => port.postMessage({ failure }))
  const recent = db.prepare(
    "select nonce, seq, at, origin from nonce where at >= (select max(at) from nonce) - ? order by seq"
  ).raw()
  return {
    id: number("select value from number where name = 'log'").toString(36),
    next: first,
    last: number("select coalesce((select at from line order by seq desc limit 1), 0)"),
    nonces: recent.all([nonceLife])
  }
}

/** For what needs no server: nothing is changed. @param {number} version */
const openToRead = (version) => {
  if (version < 1) throw new Refusal("damaged")
  if (version < migrations.length) throw new Refusal("older")
  db.exec("pragma query_only = on")
  roomPages = new RoomPages(db)
  return { id: "", next: 0, last: 0, nonces: [] }
}

/** Sets numbers aside, before any of them is given. @param {number} from */
const reserve = (from) => {
  statements["reserve"].run([from + block])
  reserved = from + block
}

/** @typedef {ReadonlyArray<readonly [key: string, lines: number, last: number]>} Rooms */

/** @param {{ lines: string, nonces: string | undefined, next: number, rooms: Rooms }} batch */
const append = ({ lines, next, nonces, rooms }) => {
  transaction(() => {
    for (const room of rooms) statements["room"].run([...room])
    statements["append"].run([lines])
    if (nonces !== undefined) {
      statements["nonces"].run([nonces])
      statements["forget"].run([nonceLife])
    }
    if (reserved - next < block / 2) reserve(next)
  })
  retention.added(rooms.reduce((sum, [, count]) => sum + count, 0))
}

/** @param {{ room: string, from: number, before: number, lines: number, bytes: number }} page */
const read = ({ before, bytes, from, lines, room }) => {
  const sizes = /** @type {Array<[number, number]>} */ (statements["sizes"].all([room, from, before, lines]))
  let sum = 0
  const end = sizes.findIndex(([, size], i) => (sum += size) > bytes && i > 0)
  const last = sizes[end < 0 ? sizes.length - 1 : end - 1]
  return last === undefined ? [] : statements["read"].all([room, from, last[0]])
}

/** Counts versions on for ever, so that none comes again for a key that was removed between. */
const nextVersion = () => Number(/** @type {Array<unknown>} */ (statements["version"].get([]))[0])

/**
 * Hands all of the file to whoever asks at the other end of this port, a page for each question.
 * @param {{ to: MessagePort }} reader
 */
const copy = ({ to }) => {
  if (snapshot !== undefined) throw new Refusal("it is being copied already")
  const own = snapshot = new Snapshot(db)
  to.on("message", () => {
    try {
      to.postMessage(own.next() ?? { table: "end", rows: "" })
    } catch (error) {
      to.postMessage({ table: "error", rows: /** @type {Error} */ (error).message })
    }
  })
  to.on("close", () => snapshot = undefined)
  return { last: own.last, lines: own.lines }
}

/** @type {Record<string, (args: any) => unknown>} */
const operations = {
  open,
  copy,
  linesOf: (args) => roomPages.count(args),
  linesAt: (args) => roomPages.next(args),
  append,
  read,
  startOf: ({ before, count, room }) =>
    /** @type {Array<number | null>} */ (statements["startOf"].get([room, before, count]))[0] ?? before,
  count: ({ before, from, limit, room }) =>
    /** @type {Array<number>} */ (statements["count"].get([room, from, before, limit]))[0],
  erased: ({ room }) => /** @type {Array<number>} */ (statements["erased"].get([room]))[0],
  before: ({ before, lines }) => statements["before"].all([before, lines]),
  erase: ({ rows }) => retention.takeOut(rows),
  checkpoint: () => db.exec("pragma wal_checkpoint(truncate)"),
  get: ({ key }) => statements["get"].get([key]),
  list: ({ after, limit, prefix }) => statements["list"].all([prefix, after, limit]),
  put: ({ before, key, value }) =>
    transaction(() => {
      snapshot?.changing(key)
      const version = nextVersion()
      const { changes } = before === undefined
        ? statements["create"].run([key, value, version])
        : statements["replace"].run([value, version, key, before])
      return changes === 1
    }),
  remove: ({ before, key }) => {
    snapshot?.changing(key)
    return statements["remove"].run([key, before]).changes === 1
  }
}

port.on("message", ({ args, id, operation }) => {
  if (operation === "close") {
    try {
      // It was never opened, if there is no next number.
      if (args.next !== undefined && !settings.readOnly) {
        statements["reserve"].run([args.next])
        db.exec("pragma wal_checkpoint(truncate)")
      }
      db?.close()
    } catch {
      // What is in the write-ahead log is read at the next start.
    }
    // Ends this thread only. The binding holds file and lock for as long as a statement lives.
    process.exit(0)
  }
  try {
    port.postMessage({ id, value: operations[operation]?.(args) })
  } catch (error) {
    const { message, rawCode, reason } = /** @type {Error & { rawCode?: number, reason?: string }} */ (error)
    port.postMessage({ id, error: { message, reason, code: rawCode === undefined ? undefined : rawCode & 0xff } })
  }
})
