/** What only the file has: a lock, a mode, limits, and ways to be unusable. */
import { assert, describe, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import Database from "libsql"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { address } from "../../src/domain/Address.ts"
import { type Event, Nonce, Seq, UserId } from "../../src/domain/Event.ts"
import { Name, nameKey } from "../../src/domain/Name.ts"
import { lobby, type Room } from "../../src/domain/Room.ts"
import { MessageLog } from "../../src/log/MessageLog.ts"
import { Registry } from "../../src/log/Registry.ts"
import * as SqliteLog from "../../src/log/SqliteLog.ts"
import { within } from "../support/client.ts"
import { folder, limits } from "../support/engines.ts"
import { follower } from "../support/follower.ts"

const who = { address: address("127.0.0.1", 4000), name: Name("bob") }
const said = (text: string, room: Room): Extract<Event, { readonly _tag: "Said" }> => ({
  _tag: "Said",
  user: UserId(1),
  who,
  room,
  text
})
const end = Seq(Number.MAX_SAFE_INTEGER)
const room = (name: string): Room => ({ key: nameKey(name), name })
const [flood, quiet] = [room("flood"), room("quiet")]

/** The log, which somebody follows. */
const followed = Effect.tap(MessageLog, ({ follow }) => follow(follower()))

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

  it.scopedLive("refuses what is no file, without waiting for anything", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/pipe`
      execFileSync("mkfifo", [file])
      const error = yield* Effect.flip(open(file))
      assert.include(error.message, "it is no plain file")
    }))

  it.scopedLive("takes a path for a path, whatever it looks like, and not for an address", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const before = process.cwd()
      yield* Effect.acquireUseRelease(
        Effect.sync(() => process.chdir(directory)),
        () => open("file:x.db"),
        () => Effect.sync(() => process.chdir(before))
      )
      assert.deepStrictEqual(readdirSync(directory), ["file:x.db"])
      assert.strictEqual(statSync(`${directory}/file:x.db`).mode & 0o777, 0o600)
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
        Effect.map(Effect.flatMap(followed, ({ append }) => append([said("secret", lobby)])), () => {
          for (const suffix of ["", "-wal"]) assert.strictEqual(statSync(`${file}${suffix}`).mode & 0o777, 0o600)
        }),
        SqliteLog.layer({ ...limits, file })
      )
    }))

  const fill = (room: Room, count: number, size = 10) =>
    Effect.flatMap(followed, ({ append }) =>
      Effect.forEach(
        Array.chunksOf(Array.makeBy(count, (n) => `${String(n).padStart(6, "0")}${"x".repeat(size)}`), 500),
        (texts) => append(texts.map((text) => said(text, room))),
        { discard: true }
      ))

  /** How many lines a room has, and the number that the first of them begins with. */
  const look = (room: Room) =>
    Effect.gen(function*() {
      const log = yield* MessageLog
      let from = yield* log.startOf(room.key, end, 1_000_000)
      let count = 0
      let first: number | undefined
      while (true) {
        const page = yield* log.read(room.key, from, end)
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
      `${count} lines in ${room.name} from ${first} on`,
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
        const log = yield* MessageLog
        // Numbers begin with 1: the first 200 lines are gone, and of the other room the first 3000.
        assert.strictEqual<number>(yield* log.erased(quiet.key), 200)
        assert.strictEqual<number>(yield* log.erased(flood.key), 1200 + 3000)
      }).pipe(Effect.provide(SqliteLog.layer({ ...limits, file, keepLines: 3000 })))
    }))

  it.scopedLive("has no byte of what was erased, though lines were given up before", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      const mallory = { address: who.address, name: Name("mallory") }
      const rooms = [room("ra"), room("rb"), room("rc")]
      yield* Effect.gen(function*() {
        const { append, erase } = yield* followed
        for (let n = 0; n < 4000; n++) {
          // The sizes differ, so that pages are split and joined at all places.
          const text = "y".repeat((n * 7919) % 601)
          const dirty = `dirty${n}-${"z".repeat((n * 104_729) % 307)}`
          yield* append([
            said(text, rooms[(n * 31) % 3]!),
            ...n % 40 === 0 ? [{ ...said(dirty, lobby), who: mallory }] : []
          ])
        }
        const counts = yield* Effect.forEach(rooms, stops)
        assert.isBelow(counts.reduce((sum, { count }) => sum + count, 0), 4000)
        assert.strictEqual(yield* erase({ whose: ["mallory"], from: 0 }), 100)
        for (const name of [file, `${file}-wal`]) assert.notMatch(readFileSync(name, "latin1"), /dirty\d/, name)
      }).pipe(Effect.provide(SqliteLog.layer({ ...limits, file, keepLines: 2000 })))
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

  it.scopedLive("knows a nonce that is used anew after its ten minutes from where it was used last", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      const nonce = Nonce("used-twice-in-time")
      const known = Effect.map(MessageLog, ({ start }) => "nonces" in start ? start.nonces : [])
      const use = Effect.flatMap(followed, ({ append }) => append([{ ...said("once more", lobby), nonce }]))
      const store = SqliteLog.layer({ ...limits, file })
      yield* Effect.provide(use, store)
      const db = new Database(file)
      db.exec("update nonce set at = at - 600001")
      db.close()
      const first = yield* Effect.provide(Effect.zipLeft(known, use), store)
      const second = yield* Effect.provide(known, store)
      assert.deepStrictEqual([first, second].map((all) => all.map((used) => used.nonce)), [[nonce], [nonce]])
      assert.isAbove(second[0]!.seq, first[0]!.seq)
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

  it.scopedLive("takes over a file of the first version, with all that is in it", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      const db = new Database(file)
      db.exec(firstVersion)
      db.close()
      yield* Effect.provide(
        Effect.gen(function*() {
          const log = yield* followed
          assert.isAtLeast(log.start.seq, 1000)
          assert.deepStrictEqual(
            (yield* log.read(lobby.key, Seq(0), end)).map(({ seq, text }) => [seq, text] as const),
            [[Seq(7), "old"]]
          )
          yield* log.append([said("new", lobby)])
          assert.deepStrictEqual((yield* log.read(lobby.key, Seq(0), end)).map(({ text }) => text), ["old", "new"])
        }),
        SqliteLog.layer({ ...limits, file })
      )
    }))
})

/** What a server of before there were rooms has left. */
const firstVersion = `
  create table line (
    seq integer primary key, room integer not null, at integer not null, address text not null, name text not null,
    text text not null
  ) strict;
  create index line_room on line (room, seq);
  create table room (
    id integer primary key, name text not null unique, lines integer not null, last integer not null
  ) strict;
  create table registry (key text primary key, value text not null, version integer not null) strict, without rowid;
  create table number (name text primary key, value integer not null) strict, without rowid;
  insert into number values ('reserved', 1001), ('version', 0);
  insert into room values (1, 'lobby', 1, 7);
  insert into line values (7, 1, ${Date.now()}, '127.0.0.1:4000', 'bob', 'old');
  pragma application_id = 1952803948; pragma user_version = 1;
`
