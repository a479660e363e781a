/**
 * The thread that makes another file of what the writer thread reads, page by page. It asks for the next one when it has
 * written one and has rested for as long as that took, so that those who talk meanwhile have the processor and the disk.
 */
import Database from "libsql"
import { parentPort, workerData } from "node:worker_threads"
import { applicationId, migrations } from "./SqliteSchema.mjs"

/** @import { MessagePort } from "node:worker_threads" */
const port = /** @type {MessagePort} */ (parentPort)
/** @type {{ path: string, from: MessagePort }} */
const { from, path } = workerData

// The disk gets it in small parts, and not at the end at once: commits of the server wait for the same disk.
const pagesOfCommit = 16

const db = new Database(path)
// What is half done is thrown away, so nothing needs to be rolled back.
db.exec("pragma journal_mode = off; pragma locking_mode = exclusive; pragma synchronous = normal; pragma cache_size = -8000")
db.exec("begin")
for (const migration of migrations) db.exec(migration)
db.exec(`delete from number; pragma application_id = ${applicationId}; pragma user_version = ${migrations.length}`)

/** @param {string} sql */
const each = (sql) => {
  const statement = db.prepare(sql)
  return (/** @type {string} */ rows) => statement.run([rows]).changes
}

const rooms = each(
  `insert into room (key, lines, last) select value ->> 1, count(*), max(value ->> 0) from json_each(?) where true group by 1
   on conflict do update set lines = lines + excluded.lines, last = excluded.last`
)
const lines = each(
  `insert into line select value ->> 0, (select id from room where key = value ->> 1), value ->> 2, value ->> 3, value ->> 4,
   value ->> 5 from json_each(?)`
)

/** @type {Record<string, (rows: string) => number>} */
const take = {
  // What comes first is how it was.
  registry: each("insert or ignore into registry select value ->> 0, value ->> 1, value ->> 2 from json_each(?)"),
  nonce: each("insert into nonce select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?)"),
  line: (rows) => {
    rooms(rows)
    return lines(rows)
  },
  // Rooms without lines are there for the next statement only.
  room: each(
    `insert into room (key, lines, last, erased) select value ->> 0, 0, 0, value ->> 1 from json_each(?) where true
     on conflict do update set erased = excluded.erased`
  ),
  number: each("insert into number select value ->> 0, value ->> 1 from json_each(?)")
}

const end = () => {
  db.exec(
    `update number set value = max(value, coalesce((select max(erased) from room where lines = 0), 0)) where name = 'erased';
     delete from room where lines = 0; commit`
  )
}

let pages = 0
let copied = 0

/** @param {{ table: string, rows: string }} page */
const takePage = ({ rows, table }) => {
  const start = performance.now()
  if (table === "error") throw new Error(rows)
  if (table === "end") {
    end()
    port.postMessage({ done: copied })
    return close()
  }
  const count = take[table]?.(rows) ?? 0
  if (table === "line") port.postMessage({ copied: copied += count })
  if (++pages % pagesOfCommit === 0) db.exec("commit; begin")
  setTimeout(() => from.postMessage("next"), performance.now() - start)
}

// Ends this thread only, and with it the statements, which would keep the file open.
const close = () => process.exit(0)

port.on("message", close)
from.on("close", () => {
  port.postMessage({ failed: "the thread of the file has ended" })
  close()
})
from.on("message", (page) => {
  try {
    takePage(page)
  } catch (error) {
    port.postMessage({ failed: /** @type {Error} */ (error).message })
    close()
  }
})
from.postMessage("next")
