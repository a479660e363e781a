/** What only the file has: a lock, a mode, limits, and ways to be unusable. */
import { assert, describe, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import Database from "libsql"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { address } from "../../src/domain/Address.ts"
import { type Event, Seq, UserId } from "../../src/domain/Event.ts"
import { Name } from "../../src/domain/Name.ts"
import { lobby, type Room } from "../../src/domain/Room.ts"
import { MessageLog } from "../../src/log/MessageLog.ts"
import { Registry } from "../../src/log/Registry.ts"
import * as SqliteLog from "../../src/log/SqliteLog.ts"
import { within } from "../support/client.ts"
import { folder, limits } from "../support/engines.ts"

const who = { address: address("127.0.0.1", 4000), name: Name("bob") }
const said = (text: string, room: Room): Event => ({ _tag: "Said", user: UserId(1), who, room, text })
const end = Seq(Number.MAX_SAFE_INTEGER)
const [flood, quiet] = ["flood", "quiet"].map((room) => room as Room) as [Room, Room]

/** Opens a file, and closes it again. */
const open = (file: string) => Effect.scoped(Effect.provide(MessageLog, SqliteLog.layer({ ...limits, file })))

const make: Record<string, (file: string) => void> = {
  "no database at all": (file) => writeFileSync(file, "Dear diary,\n".repeat(1000)),
  "cut off": (file) => {
    writeFileSync(file, readFileSync(file).subarray(0, 6000))
  },
  "overwritten in part": (file) => {
    const bytes = readFileSync(file)
    bytes.fill(0x58, 4096, 4200)
    writeFileSync(file, bytes)
  },
  "of another program": (file) => {
    writeFileSync(file, "")
    const db = new Database(file)
    db.exec("create table recipe (name text)")
    db.close()
  },
  "of a newer version": (file) => {
    const db = new Database(file)
    db.exec("pragma user_version = 99")
    db.close()
  }
}

describe("SqliteLog", () => {
  for (
    const [what, sentence] of [
      ["no database at all", "is damaged, or no file of tellnet"],
      ["cut off", "is damaged, or no file of tellnet"],
      ["overwritten in part", "is damaged, or no file of tellnet"],
      ["of another program", "is a file of another program"],
      ["of a newer version", "was written by a newer version of tellnet"]
    ] as const
  ) {
    it.scopedLive(`refuses a file that is ${what}, in one sentence, and leaves it as it is`, () =>
      Effect.gen(function*() {
        const file = `${yield* folder}/tellnet.db`
        yield* open(file)
        make[what]?.(file)
        const before = readFileSync(file)
        const error = yield* Effect.flip(open(file))
        assert.include(error.message, `${file} ${sentence}`)
        assert.notInclude(error.message, "\n")
        assert.isTrue(readFileSync(file).equals(before))
      }))
  }

  it.scopedLive("refuses a file that another server has, and has it once that is gone", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      const error = yield* Effect.provide(Effect.flip(open(file)), SqliteLog.layer({ ...limits, file }))
      assert.strictEqual(error.message, `${file} is in use by another server; use --data FILE or --data none`)
      yield* open(file)
    }))

  for (const [path, reason] of [["nowhere/tellnet.db", "its folder does not exist"], [".", "it is a folder"]]) {
    it.scopedLive(`says why it cannot open a file: ${reason}`, () =>
      Effect.gen(function*() {
        const file = `${yield* folder}/${path}`
        const error = yield* Effect.flip(open(file))
        assert.strictEqual(
          error.message,
          `${file} cannot be opened or written: ${reason}; use --data FILE or --data none`
        )
      }))
  }

  it.scopedLive("makes a file that only its owner can read", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      yield* Effect.provide(
        Effect.flatMap(MessageLog, ({ append }) =>
          Effect.map(append([said("secret", lobby)]), () => {
            for (const suffix of ["", "-wal"]) assert.strictEqual(statSync(`${file}${suffix}`).mode & 0o777, 0o600)
          })),
        SqliteLog.layer({ ...limits, file })
      )
    }))

  const fill = (room: Room, count: number, size = 10) =>
    Effect.flatMap(MessageLog, ({ append }) =>
      Effect.forEach(
        Array.chunksOf(Array.makeBy(count, (n) => `${String(n).padStart(6, "0")}${"x".repeat(size)}`), 500),
        (texts) => append(texts.map((text) => said(text, room))),
        { discard: true }
      ))

  /** How many lines a room has, and the number that the first of them begins with. */
  const look = (room: Room) =>
    Effect.gen(function*() {
      const log = yield* MessageLog
      let from = yield* log.startOf(room, end, 1_000_000)
      let count = 0
      let first: number | undefined
      while (true) {
        const page = yield* log.read(room, from, end)
        const last = page.at(-1)
        if (last === undefined) return { count, first }
        first ??= Number(page[0]?.text.slice(0, 6))
        from = Seq(last.seq + 1)
        count += page.length
      }
    })

  /** Waits until nothing is given up any more: lines go in steps, and reads come in between. */
  const settles = (room: Room, count: number, first: number) =>
    within(
      `${count} lines in ${room} from ${first} on`,
      Effect.repeat(look(room), { until: (seen) => seen.count === count && seen.first === first })
    )

  /** Waits until no step changes anything, and gives what is left. */
  const stops = (room: Room) =>
    Effect.gen(function*() {
      let before = -1
      let now = yield* look(room)
      while (now.count !== before) {
        before = now.count
        yield* Effect.sleep("50 millis")
        now = yield* look(room)
      }
      return now
    })

  it.scopedLive("keeps so many lines, the newest, and of each room the newest thousand whoever floods another", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      yield* Effect.gen(function*() {
        yield* fill(quiet, 1200)
        yield* fill(flood, 5000)
        yield* settles(quiet, 1000, 200)
        yield* settles(flood, 2000, 3000)
      }).pipe(Effect.provide(SqliteLog.layer({ ...limits, file, keepLines: 3000 })))
    }))

  it.scopedLive("stays under so many bytes, and gives up first what is beyond a thousand lines, then the most silent room", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      const keepBytes = 2_000_000
      yield* Effect.gen(function*() {
        yield* fill(quiet, 1000, 500)
        yield* fill(flood, 25_000, 500)
      }).pipe(Effect.provide(SqliteLog.layer({ ...limits, file, keepBytes })))
      // The limits hold again from the next start on, at the latest.
      const seen = yield* Effect.provide(
        Effect.zipRight(settles(quiet, 1000, 0), stops(flood)),
        SqliteLog.layer({ ...limits, file, keepBytes })
      )
      assert.isAbove(seen.count, 1000)
      assert.isBelow(seen.count, 4000)
      assert.strictEqual(seen.first, 25_000 - seen.count)
      yield* Effect.provide(
        Effect.gen(function*() {
          yield* settles(flood, 1000, 24_000)
          assert.isBelow((yield* stops(quiet)).count, 1000)
          assert.strictEqual((yield* look(flood)).count, 1000)
        }),
        SqliteLog.layer({ ...limits, file, keepBytes: 900_000 })
      )
    }))

  it.scopedLive("keeps lines for so many days, in every room", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      const store = SqliteLog.layer({ ...limits, file, keepDays: 1 })
      yield* Effect.provide(fill(quiet, 700), store)
      const db = new Database(file)
      db.exec("update line set at = at - 86400000 where seq <= 600")
      db.close()
      yield* Effect.provide(settles(quiet, 100, 600), store)
    }))

  it.scopedLive("has the registry and the log in one file", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      yield* Effect.provide(
        Effect.gen(function*() {
          yield* fill(lobby, 1)
          assert.isTrue(yield* (yield* Registry).put("key", "value", undefined))
        }),
        SqliteLog.layer({ ...limits, file })
      )
      yield* Effect.provide(settles(lobby, 1, 0), SqliteLog.layer({ ...limits, file }))
    }))
})
