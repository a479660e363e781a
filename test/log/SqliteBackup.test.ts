/** What the file holds is copied as of one moment, whatever becomes of it meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import Database from "libsql"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { MessageChannel, type MessagePort } from "node:worker_threads"
import { backup } from "../../src/log/SqliteBackup.ts"
import * as SqliteThread from "../../src/log/SqliteThread.ts"
import { within } from "../support/client.ts"
import { folder, limits } from "../support/engines.ts"

const opened = (file: string, options = {}) => SqliteThread.make({ ...limits, file, ...options }, file)

// None of them is too old.
const now = Date.now()

/** Lines of the rooms A and B in turn, from this number on. */
const append = (thread: SqliteThread.SqliteThread, from: number, count: number) => {
  const lines = Array.from(
    { length: count },
    (_, n) => [from + n, n % 2 === 0 ? "A" : "B", now + from + n, "addr", "bob", `${from + n} 张`]
  )
  const rooms = ["A", "B"].map((room) => [room, count / 2, from + count - 1] as const)
  const nonces = JSON.stringify([[`nonce-${from}`, from, now + from, "origin"]])
  return thread.ask("append", { lines: JSON.stringify(lines), nonces, next: from + count, rooms })
}

type Page = { readonly table: string; readonly rows: string }

const nextOf = (port: MessagePort) =>
  within(
    "a page",
    Effect.async<Page>((resume) => {
      port.once("message", (page: Page) => resume(Effect.succeed(page)))
      port.postMessage("next")
    })
  )

const pad = (n: number) => String(n).padStart(4, "0")

describe("SqliteBackup", () => {
  it.scopedLive("reads in small steps what was there when it began: each value and line once, as it was", () =>
    Effect.gen(function*() {
      const thread = yield* opened(`${yield* folder}/tellnet.db`)
      for (let n = 0; n < 1200; n++) {
        yield* thread.ask("put", { key: `key-${pad(n)}`, value: `old ${n}`, before: undefined })
      }
      const versions = yield* thread.ask("list", { prefix: "key", limit: 5000, after: "" })
      yield* append(thread, 1, 1400)
      const { port1: to, port2: port } = new MessageChannel()
      const { last, lines } = yield* thread.ask("copy", { to })
      assert.deepStrictEqual([last, lines], [1400, 1400])
      const pages = [yield* nextOf(port)]

      const versionOf = (n: number) => versions[n]![2]
      // Read already, and to be read: changed, gone, and new ones on both sides.
      for (const n of [10, 900]) yield* thread.ask("put", { key: `key-${pad(n)}`, value: "new", before: versionOf(n) })
      for (const n of [11, 901, 1199]) yield* thread.ask("remove", { key: `key-${pad(n)}`, before: versionOf(n) })
      for (const key of ["a", "key-0500-b", "zz"]) yield* thread.ask("put", { key, value: "new", before: undefined })
      yield* append(thread, 1401, 200)
      for (let page = yield* nextOf(port); page.table !== "end"; page = yield* nextOf(port)) pages.push(page)
      port.close()

      const rowsOf = (table: string): ReadonlyArray<ReadonlyArray<unknown>> =>
        pages.filter((page) => page.table === table).flatMap(({ rows }) => JSON.parse(rows))
      for (const { rows } of pages) assert.isAtMost(JSON.parse(rows).length, 500)
      // Whoever takes them passes over a key that came before.
      const taken = new Map<unknown, unknown>()
      for (const [key, value] of rowsOf("registry")) if (!taken.has(key)) taken.set(key, value)
      const expected: ReadonlyArray<ReadonlyArray<unknown>> = Array.from({ length: 1200 }, (_, n) => [
        `key-${pad(n)}`,
        `old ${n}`
      ])
      assert.deepStrictEqual<unknown>(Array.from(taken).toSorted(), expected.toSorted())
      assert.deepStrictEqual(rowsOf("line").map(([seq]) => seq), Array.from({ length: 1400 }, (_, n) => n + 1))
      assert.deepStrictEqual(rowsOf("line")[1], [2, "B", now + 2, "addr", "bob", "2 张"])
      assert.deepStrictEqual(rowsOf("nonce").map(([nonce]) => nonce), ["nonce-1"])
      assert.sameMembers(rowsOf("number").map(([name]) => name), ["reserved", "version", "erased"])
    }))

  it.scopedLive("keeps in mind what was given up, before it began and meanwhile", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const thread = yield* opened(`${directory}/tellnet.db`, { keepLines: 2500 })
      for (let from = 1; from < 3000; from += 500) yield* append(thread, from, 500)
      const { port1: to, port2: port } = new MessageChannel()
      yield* thread.ask("copy", { to })
      for (let page = yield* nextOf(port); page.table !== "line"; page = yield* nextOf(port));
      // Each room has its newest 1000 lines from now on.
      for (let from = 3001; from < 6000; from += 500) yield* append(thread, from, 500)
      for (const room of ["A", "B"]) {
        yield* within(
          "lines that are given up",
          Effect.repeat(thread.ask("erased", { room }), { until: (place) => place > 1000 })
        )
      }
      const rows: Array<Page> = []
      for (let page = yield* nextOf(port); page.table !== "end"; page = yield* nextOf(port)) rows.push(page)
      const erased = rows.filter(({ table }) => table === "room").flatMap(({ rows }) => JSON.parse(rows))
      const [, firstKept = 0] = /^\[\[(\d+)/.exec(rows.find(({ table }) => table === "line")?.rows ?? "") ?? []
      for (const [, place] of erased) assert.isAtLeast(place, Number(firstKept) - 2)
      assert.strictEqual(erased.length, 2)
    }))

  it.scopedLive("leaves nothing of a backup that is interrupted, and then makes the next one, one at a time", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const file = `${directory}/copy.db`
      const thread = yield* opened(`${directory}/tellnet.db`)
      for (let from = 1; from < 40_000; from += 1000) yield* append(thread, from, 1000)
      yield* thread.ask("put", { key: "key", value: "value", before: undefined })
      const begun = yield* Deferred.make<void>()
      const first = yield* Effect.fork(backup(thread, file, () => Deferred.unsafeDone(begun, Effect.void)))
      yield* within("its beginning", Effect.raceFirst(Deferred.await(begun), Fiber.join(first)))
      const refused = yield* Effect.flip(thread.ask("copy", { to: new MessageChannel().port1 }))
      assert.include(refused.message, "being copied already")
      assert.include(readdirSync(directory).join(), ".part")
      yield* Fiber.interrupt(first)
      assert.notInclude(readdirSync(directory).join(), "copy.db")
      // What somebody else puts there meanwhile is not written over.
      const late = yield* Effect.flip(backup(thread, file, () => writeFileSync(file, "mine")))
      assert.strictEqual(late.message, `${file} cannot be written: it exists already`)
      assert.strictEqual(readFileSync(file, "utf8"), "mine")
      assert.notInclude(readdirSync(directory).join(), ".part")
      rmSync(file)
      assert.strictEqual(yield* backup(thread, file, () => {}), 40_000)

      const db = new Database(file)
      const all = (sql: string) => db.prepare(sql).raw().all([])
      assert.deepStrictEqual(all("pragma integrity_check"), [["ok"]])
      assert.deepStrictEqual(all("select key, lines, last from room order by key"), [["A", 20_000, 39_999], [
        "B",
        20_000,
        40_000
      ]])
      assert.deepStrictEqual(all("select name from number order by name"), [["erased"], ["reserved"], ["version"]])
      assert.deepStrictEqual(all("select key, value from registry"), [["key", "value"]])
      const sums =
        `select count(*), sum(room.key = 'B'), sum(at - ${now}), sum(text = line.seq || ' 张') from line join room on room.id = line.room`
      assert.deepStrictEqual(all(sums), [[40_000, 20_000, 800_020_000, 40_000]])
      // Whoever opens it makes another log of it, once.
      const opens = Effect.scoped(Effect.map(opened(file), ({ id, next }) => ({ id, next })))
      const [restored, again] = [yield* opens, yield* opens]
      assert.match(restored.id, /^[0-9a-z]+$/)
      assert.notStrictEqual(restored.id, thread.id)
      assert.strictEqual(again.id, restored.id)
      assert.isAbove(restored.next, 40_000)
    }))
})
