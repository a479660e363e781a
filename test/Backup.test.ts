/** The commands beside the server, as an operator types them: while it runs, when it was killed, and when there is none. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { bundle } from "./support/bundle.ts"
import { bundled, port, start } from "./support/child.ts"
import { arrive, type Client, within } from "./support/client.ts"
import { folder } from "./support/engines.ts"

const tellnet = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(bundled(args, { TELLNET_DATA: "", TELLNET_REPLAY: "" }), ({ over }) => over)

const serving = (file: string) => bundled(["--port", "0", "--rate", "0", "--data", file])

interface Exported {
  readonly seq: number
  readonly room: string
  readonly time: string
  readonly from: { readonly addr: string; readonly name: string }
  readonly text: string
}

const linesOf = (stdout: string): ReadonlyArray<Exported> =>
  stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line))

/** Says so many lines, and waits until all are said. */
const says = (client: Client, text: string, count: number) =>
  Effect.gen(function*() {
    yield* client.send(Array.from({ length: count }, (_, n) => `${text} ${n}\n`).join(""))
    for (let n = 0; n < count; n++) assert.strictEqual(yield* client.line, `${client.front}${text} ${n}`)
  })

/** Which log it is, to a program. */
const logAt = (listening: number) =>
  Effect.gen(function*() {
    const program = yield* arrive(listening)
    yield* program.send("/json\n")
    const hello: { readonly log: string } = JSON.parse(yield* program.line)
    yield* program.send("{\"do\":\"quit\"}\n")
    return hello.log
  })

describe("backup and export", { concurrent: true }, () => {
  it.scopedLive("are made while people talk, restored with all that was kept, and made again after a kill", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const file = `${directory}/tellnet.db`
      const copy = `${directory}/copy.db`
      const first = yield* serving(file)
      const listening = yield* port(first)
      assert.strictEqual(statSync(`${file}.sock`).mode & 0o777, 0o600)

      const ann = yield* arrive(listening)
      yield* says(ann, "before", 3000)
      yield* ann.send("/join 开发\n")
      yield* ann.sees(`${ann.front}来到 #开发`)
      yield* says(ann, "你好", 3)
      const owner = yield* arrive(listening)
      yield* owner.send("rename|Alice#open sesame\n/quit\n")
      yield* owner.ended
      yield* ann.send("to|Alice|psst\n")
      yield* ann.sees("*** Alice 不在线，已留言")

      // Somebody talks all the while.
      const bob = yield* arrive(listening)
      const said: Array<string> = []
      let isMade = false
      const round = Effect.suspend(() => {
        const text = `meanwhile ${said.length}`
        said.push(...[0, 1].map((n) => `${text} ${n}`))
        return Effect.delay(says(bob, text, 2), 10)
      })
      const talk = yield* Effect.fork(Effect.repeat(round, { until: () => isMade }))
      const made = yield* tellnet("backup", copy, "--data", file)
      assert.deepStrictEqual([made.code, made.stderr], [0, ""])
      const [, count] = /copy\.db has all of it, (\d+) lines\n$/.exec(made.stdout) ?? assert.fail(made.stdout)
      assert.strictEqual(statSync(copy).mode & 0o777, 0o600)
      isMade = true
      yield* talk

      // What is there is never written over, and what failed leaves nothing.
      const bytes = readFileSync(copy)
      const again = yield* tellnet("backup", copy, "--data", file)
      assert.deepStrictEqual([again.code, again.stdout, again.stderr], [1, "", `${copy} exists already\n`])
      assert.isTrue(readFileSync(copy).equals(bytes))
      const nowhere = yield* tellnet("backup", `${directory}/no/copy.db`, "--data", file)
      assert.deepStrictEqual([nowhere.code, nowhere.stderr], [
        1,
        `${directory}/no/copy.db cannot be written: its folder does not exist\n`
      ])
      assert.sameMembers(readdirSync(directory), ["copy.db", "tellnet.db", "tellnet.db-wal", "tellnet.db.sock"])

      const lobby = yield* tellnet("export", "lobby", "--data", file)
      assert.deepStrictEqual([lobby.code, lobby.stderr], [0, ""])
      const lines = linesOf(lobby.stdout)
      const expected = [
        ...Array.from({ length: 3000 }, (_, n) => `before ${n}`),
        ...said
      ]
      assert.deepStrictEqual(lines.map(({ text }) => text), expected)
      assert.deepStrictEqual(lines.map(({ seq }) => seq), lines.map(({ seq }) => seq).toSorted((a, b) => a - b))
      const chinese = linesOf((yield* tellnet("export", "#开发", "--data", file)).stdout)
      const from = { addr: ann.address, name: ann.address }
      assert.deepStrictEqual(
        chinese.map(({ from, room, text }) => ({ from, room, text })),
        ["你好 0", "你好 1", "你好 2"].map((text) => ({ from, room: "开发", text }))
      )
      // What is said before and from a time on is all, and nothing twice.
      const middle = lines[3000]!.time
      const parts = yield* Effect.forEach(
        ["--until", "--since"],
        (flag) => Effect.map(tellnet("export", "lobby", "--data", file, flag, middle), ({ stdout }) => linesOf(stdout))
      )
      assert.deepStrictEqual(parts.flat(), [...lines])
      assert.strictEqual(parts[1]?.[0]?.time, middle)
      const none = yield* tellnet("export", "nowhere", "--data", file)
      assert.deepStrictEqual([none.code, none.stderr], [1, "nothing is kept of the room nowhere\n"])

      // Nobody reads any more.
      const pipe = `set -o pipefail; "$0" "$1" export lobby --data "$2" | head -n 1`
      const cut = yield* (yield* start("bash", ["-c", pipe, process.execPath, bundle, file], {
        TELLNET_DATA: ""
      })).over
      assert.deepStrictEqual([cut.code, cut.stderr], [0, ""])
      assert.strictEqual(linesOf(cut.stdout)[0]?.text, "before 0")

      const log = yield* logAt(listening)
      assert.isAbove(said.length, 2)
      yield* first.signal("SIGKILL")
      yield* first.over

      // The socket of a server that was killed is nobody's. Without a server the same is done.
      assert.isTrue(statSync(`${file}.sock`).isSocket())
      const alone = yield* tellnet("export", "lobby", "--data", file)
      assert.deepStrictEqual([alone.code, alone.stdout], [0, lobby.stdout])
      const cold = yield* tellnet("backup", `${directory}/cold.db`, "--data", file)
      assert.match(cold.stdout, /cold\.db has all of it, \d+ lines\n$/)

      // The next one takes its place.
      const second = yield* serving(file)
      assert.strictEqual(yield* logAt(yield* port(second)), log)
      assert.strictEqual(statSync(`${file}.sock`).mode & 0o777, 0o600)
      assert.strictEqual((yield* tellnet("backup", `${directory}/warm.db`, "--data", file)).code, 0)
      yield* second.signal("SIGTERM")
      yield* second.over
      assert.sameMembers(readdirSync(directory), ["cold.db", "copy.db", "tellnet.db", "warm.db"])

      // Restored: another log, with all that was in it.
      mkdirSync(`${directory}/restored`)
      const restored = `${directory}/restored/tellnet.db`
      copyFileSync(copy, restored)
      const third = yield* serving(restored)
      const at = yield* port(third)
      const another = yield* logAt(at)
      assert.notStrictEqual(another, log)
      assert.isAtLeast(Number(count), 3003)
      const kept = linesOf((yield* tellnet("export", "lobby", "--data", restored)).stdout)
      assert.deepStrictEqual(kept, lines.slice(0, Number(count) - 3))
      const alice = yield* arrive(at)
      yield* alice.send("rename|Alice#wrong one\nrename|Alice#open sesame\n/history 1\n")
      yield* alice.sees("*** 口令不对", "您已经更新用户名:Alice")
      assert.match(yield* alice.line, new RegExp(`^\\*\\*\\* .* ${ann.address}对您说:psst$`))
      const missed = Number(count) - 3003
      if (missed > 0) yield* alice.sees(`*** 您离开后这里有 ${missed > 1000 ? "1000+" : missed} 行，输入 /missed 查看`)
      assert.match(yield* alice.line, new RegExp(`^\\*\\*\\* \\d\\d-\\d\\d .*:${kept.at(-1)?.text}$`))
      yield* alice.send("on we go\n")
      yield* alice.sees(`[${alice.address}]Alice:on we go`)
      const last = linesOf((yield* tellnet("export", "lobby", "--data", restored)).stdout).at(-1)
      assert.strictEqual(last?.text, "on we go")
      assert.isAbove(last?.seq ?? 0, lines.at(-1)!.seq)
    }))

  it.scopedLive("say what is wrong with a file, and with a path that no socket can have", () =>
    Effect.gen(function*() {
      const directory = `${yield* folder}/${"long".repeat(25)}`
      mkdirSync(directory)
      const file = `${directory}/tellnet.db`
      const server = yield* serving(file)
      const client = yield* arrive(yield* port(server))
      yield* client.send("hello\n")
      yield* client.sees(`${client.front}hello`)
      yield* server.prints(/backup and export cannot ask this server: .*\.sock is too long for a socket/)
      const busy = yield* tellnet("backup", `${directory}/copy.db`, "--data", file)
      assert.strictEqual(busy.code, 1)
      assert.match(busy.stderr, /tellnet\.db is in use by a server that cannot be asked/)
      const missing = yield* tellnet("export", "lobby", "--data", `${directory}/none.db`)
      assert.deepStrictEqual([missing.code, missing.stderr], [
        1,
        `there is no ${directory}/none.db; --data FILE says which file it is\n`
      ])
      const foreign = yield* tellnet("export", "lobby", "--data", "package.json")
      assert.deepStrictEqual([foreign.code, foreign.stderr], [
        1,
        "package.json is damaged, or no file of tellnet; use --data FILE\n"
      ])
      assert.sameMembers(readdirSync(directory), ["tellnet.db", "tellnet.db-wal"])
    }))

  it.scopedLive("are not done where a signal ends them", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/tellnet.db`
      writeFileSync(file, "")
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        // A server that does not answer. Whoever has just connected to it, and not asked yet, may not listen for signals yet.
        const asked = yield* Deferred.make<void>()
        const hear = (socket: Net.Socket) => void socket.once("data", () => Deferred.unsafeDone(asked, Effect.void))
        const server = yield* Effect.acquireRelease(
          Effect.sync(() => Net.createServer(hear).listen(`${file}.sock`)),
          (server) => Effect.sync(() => server.close())
        )
        const task = yield* bundled(["backup", `${file}.copy`, "--data", file])
        yield* within("a question", Deferred.await(asked))
        yield* task.signal(signal)
        assert.deepStrictEqual((yield* task.over).code, 1, signal)
        server.close()
      }
    }))

  it.scopedLive("leave nothing behind where the disk is full", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const file = `${directory}/tellnet.db`
      const server = yield* serving(file)
      const client = yield* arrive(yield* port(server))
      yield* says(client, "x".repeat(1000), 300)
      yield* server.signal("SIGTERM")
      yield* client.end
      yield* server.over
      const command = "ulimit -S -f 100; exec \"$0\" \"$1\" backup \"$3\" --data \"$2\""
      const full = yield* (yield* start(
        "sh",
        ["-c", command, process.execPath, bundle, file, `${directory}/copy.db`],
        { TELLNET_DATA: "" }
      )).over
      assert.strictEqual(full.code, 1)
      assert.match(full.stderr, /^the backup cannot be written: .*\n$/)
      assert.deepStrictEqual(readdirSync(directory), ["tellnet.db"])
    }))
})
