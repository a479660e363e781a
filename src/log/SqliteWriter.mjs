/**
 * The writer thread: all that touches SQLite. One connection, so a commit, a checkpoint or a slow disk never stops the event
 * loop. Plain JavaScript, so that it is loaded under tsx and beside a bundle alike.
 */
import Database from "libsql"
import { parentPort, workerData } from "node:worker_threads"
import { Retention } from "./SqliteRetention.mjs"

/** @type {{ path: string, sync: boolean, keepLines: number, keepDays: number, keepBytes: number, trustsClock: boolean }} */
const settings = workerData

/** @import { MessagePort } from "node:worker_threads" */
const port = /** @type {MessagePort} */ (parentPort)

// "tell", so that no other program's file is taken for ours.
const applicationId = 0x74656c6c

// `reserved`: no number below it was given to anybody by a process that has not ended in order; see `open`. `room.lines`:
// counted along, because to count them takes as long as to read them.
const migrations = [
  `create table line (
     seq integer primary key, room integer not null, at integer not null, address text not null, name text not null,
     text text not null
   ) strict;
   create index line_room on line (room, seq);
   create table room (
     id integer primary key, name text not null unique, lines integer not null, last integer not null
   ) strict;
   create table registry (key text primary key, value text not null, version integer not null) strict, without rowid;
   create table number (name text primary key, value integer not null) strict, without rowid;
   insert into number values ('reserved', 1), ('version', 0);`,
  // Rooms are known by the key of their name. What was given up in a room is remembered with it, and with the number
  // 'erased' once nothing of it is left. A file has a number of its own: another one is another log.
  `alter table room rename column name to key;
   update room set key = 'LOBBY' where key = 'lobby';
   alter table room add column erased integer not null default 0;
   create table nonce (
     nonce text primary key, seq integer not null, at integer not null, origin text not null
   ) strict, without rowid;
   create index nonce_at on nonce (at);
   insert into number values ('erased', 0), ('log', abs(random() >> 12));`
]

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
  const mode = /** @type {Array<unknown>} */ (db.prepare("pragma journal_mode = wal").raw().get([]))[0]
  if (mode !== "wal") throw new Refusal(`its journal mode is ${mode}`)
  db.exec(`pragma synchronous = ${settings.sync ? "full" : "normal"}`)
  db.exec("pragma temp_store = memory; pragma cache_size = -16000; pragma journal_size_limit = 8388608")
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

/** @type {Record<string, (args: any) => unknown>} */
const operations = {
  open,
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
      const version = nextVersion()
      const { changes } = before === undefined
        ? statements["create"].run([key, value, version])
        : statements["replace"].run([value, version, key, before])
      return changes === 1
    }),
  remove: ({ before, key }) => statements["remove"].run([key, before]).changes === 1
}

port.on("message", ({ args, id, operation }) => {
  if (operation === "close") {
    try {
      // It was never opened, if there is no next number.
      if (args.next !== undefined) {
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
