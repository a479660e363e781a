/** Programs that speak JSON, at a real server, beside people at a netcat. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { nextTurn } from "../src/domain/nextTurn.ts"
import { arrive, type Client, connect } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import { isOnNodes } from "./support/nodes.ts"
import { type Command, type Program, program, speaking, type Told } from "./support/program.ts"
import { start } from "./support/server.ts"

const nonce = "b1f0c2d4e6a81357"

/** What a plain line has of a line that was said. */
const plainly = (line: Told) =>
  line.kind === "said" || line.kind === "past" ? [`[${line.from.addr}]${line.from.name}:${line.text}`] : []

/** The next lines that are said, without arrivals and whatever else comes between. */
const saidTo = (client: Client, count: number) =>
  Effect.gen(function*() {
    const said: Array<string> = []
    while (said.length < count) said.push(...(yield* client.lines).filter((line) => /:line \d+ of /.test(line)))
    return said
  })

const numbered = (who: string, count: number) => Array.from({ length: count }, (_, n) => `line ${n} of ${who}`)

/** The answer to something, without what comes before it. */
const answer = (program: Program, command: Command) => Effect.map(program.answered(command), (lines) => lines.at(-1)!)

const kinds = (lines: ReadonlyArray<Told>) =>
  lines.map((line) =>
    line.kind === "notice" || line.kind === "answer" && !line.ok ? `${line.kind} ${line.code}` : line.kind
  )

describe("A program", () => {
  it.scopedLive("sees what is said in the same order as people do, whoever says it", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const bot = yield* program(port)
      const [ann, bob] = [yield* arrive(port), yield* arrive(port)]
      const count = 500
      const texts = (who: string, round: number) => numbered(who, count).slice(round, round + 10)
      for (let round = 0; round < count; round += 10) {
        yield* ann.send(texts("ann", round).map((text) => `${text}\n`).join(""))
        yield* bot.ask(...texts("bot", round).map((text) => ({ do: "say", text })))
        yield* bob.send(texts("bob", round).map((text) => `${text}\n`).join(""))
        yield* nextTurn
      }
      const [ofAnn, ofBob, ofBot] = yield* Effect.all([
        saidTo(ann, 3 * count),
        saidTo(bob, 3 * count),
        Effect.gen(function*() {
          const said: Array<Extract<Told, { readonly kind: "said" }>> = []
          let answers = 0
          while (said.length < 3 * count || answers < count) {
            const line = yield* bot.line
            if (line.kind === "said") said.push(line)
            if (line.kind === "answer") {
              answers++
              // Its own line came before.
              assert.deepInclude(line, {
                ok: true,
                seq: said.findLast(({ from }) => from.addr === bot.client.address)!.seq
              })
            }
          }
          return said
        })
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual<unknown>(ofBob, ofAnn)
      assert.deepStrictEqual<unknown>(ofBot.flatMap(plainly), [...ofAnn])
      for (const [index, { seq }] of ofBot.entries()) assert.isTrue(index === 0 || seq > ofBot[index - 1]!.seq)
      assert.isFalse(ofAnn.slice(0, count).every((line) => line.startsWith(ann.front)), "they spoke at once")
    }))

  it.scopedLive("begins in the middle of what it sends, however that is cut", () =>
    Effect.gen(function*() {
      const port = yield* start({ maxLine: 64, rate: 0 })
      const long = "x".repeat(64)
      const bytes = [
        "hello",
        " /JSON ",
        JSON.stringify({ do: "say", text: "\"".repeat(64), id: 1, pad: "x".repeat(300) }),
        "",
        JSON.stringify({ do: "rename", name: "Bot", id: 2 }),
        "/json",
        JSON.stringify({ do: "json", id: 3 }),
        JSON.stringify({ do: "say", text: `${long}x`, id: 4 }),
        JSON.stringify({ do: "quit", id: 5 })
      ].map((line) => `${line}\r\n`).join("")
      for (const pieces of [[bytes], [...bytes]]) {
        const client = yield* arrive(port)
        yield* Effect.forEach(pieces, (piece) => client.send(piece))
        yield* client.sees(`${client.front}hello`)
        const bot = yield* speaking(client)
        const you = { addr: client.address, name: client.address }
        const { seq } = bot.hello
        assert.deepStrictEqual<unknown>(bot.hello, {
          kind: "hello",
          v: 1,
          version: bot.hello.version,
          log: bot.hello.log,
          you,
          room: "lobby",
          seq,
          maxLine: 64
        })
        const lines = yield* bot.until((line) => line.kind === "answer" && line.id === 5)
        assert.deepStrictEqual<unknown>(kinds(lines), [
          "said",
          "answer",
          "renamed",
          "answer",
          "answer malformed",
          "answer unknown-command",
          "answer too-long",
          "answer"
        ])
        const [said, done] = lines
        assert.deepInclude(said, { from: you, text: "\"".repeat(64) })
        assert.deepStrictEqual<unknown>(done, {
          kind: "answer",
          id: 1,
          ok: true,
          seq: said!.kind === "said" ? said.seq : 0
        })
        assert.notProperty(lines[4], "id")
        yield* client.ended
      }
    }))

  it.scopedLive("may send lines of twice the text and 512 bytes, and is told once of each that is longer", () =>
    Effect.gen(function*() {
      const port = yield* start({ maxLine: 64, rate: 0 })
      const bot = yield* program(port)
      const sized = (bytes: number, id: number) => {
        const line = (pad: string) => JSON.stringify({ do: "say", text: "张".repeat(21), id, pad })
        return line("x".repeat(bytes - Buffer.byteLength(line(""))))
      }
      const limit = 2 * 64 + 512
      const tooLong = { kind: "answer", ok: false, code: "too-long", text: "消息过长（上限 64 字节），未发送" }
      yield* bot.client.send(`${sized(limit, 1)}\n${sized(limit + 1, 2)}\n${"x".repeat(10_000)}\n${sized(limit, 3)}\n`)
      const lines = yield* bot.until((line) => line.kind === "answer" && line.id === 3)
      assert.deepStrictEqual<unknown>(
        lines.filter(({ kind }) => kind === "answer").map((line) => "id" in line ? line.id : line),
        [
          1,
          tooLong,
          tooLong,
          3
        ]
      )
      assert.deepStrictEqual<unknown>(yield* answer(bot, { do: "say", text: "张".repeat(22), id: 4 }), {
        ...tooLong,
        id: 4
      })
      assert.deepStrictEqual<unknown>(yield* answer(bot, { do: "to", name: "nobody", text: "张".repeat(22), id: 5 }), {
        ...tooLong,
        id: 5
      })
    }))

  // A private line of another node has no place among what is said there.
  it.scopedLive.skipIf(isOnNodes)(
    "breaks no line and drives no terminal, whatever it says",
    () =>
      Effect.gen(function*() {
        const port = yield* start()
        const bot = yield* program(port)
        const ann = yield* arrive(port)
        yield* ann.send("rename|ann\n")
        yield* ann.sees("您已经更新用户名:ann")
        const text = "a\nb\r\nc\u001b[2Jd\u2028e\u202ef\ud800g\tend"
        const safe = "a\ufffdb\ufffd\ufffdc\ufffd[2Jd\ufffde\ufffdf\ufffdg\tend"
        const front = `[${bot.client.address}]${bot.client.address}:`
        yield* bot.ask({ do: "say", text }, { do: "to", name: "ann", text }, { do: "say", text: "/quit" })
        yield* ann.sees(`${front}${safe}`, `${bot.client.address}对您说:${safe}`, `${front}/quit`)
        const texts = (yield* bot.until((line) => line.kind === "said" && line.text === "/quit"))
          .flatMap((line) => "text" in line ? [line.text] : [])
        assert.deepStrictEqual<unknown>(texts, [safe, safe, "/quit"])
        const id = "\u2028\u009b\ud800\n"
        yield* bot.ask({ do: "nonsense\n\u009b", id })
        const refused = (yield* bot.until((line) => line.kind === "answer" && !line.ok)).at(-1)!
        assert.deepInclude(refused, { code: "unknown-command", id })
      })
  )
})

describe("An answer", () => {
  it.scopedLive("comes after everything that the command caused", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const bot = yield* program(port)
      const told = (command: object) => Effect.map(bot.answered({ ...command, id: "x" }), kinds)
      assert.deepStrictEqual<unknown>(yield* told({ do: "say", text: "hi" }), ["said", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "rename", name: "Bot" }), ["renamed", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "to", name: "Bot", text: "psst" }), [
        "private",
        "private",
        "answer"
      ])
      assert.deepStrictEqual<unknown>(yield* told({ do: "who" }), ["users", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "rooms" }), ["rooms", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "history" }), ["past", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "join", room: "tea" }), ["came", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "join", room: "Tea" }), ["answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "history" }), ["answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "leave" }), ["came", "answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "missed" }), ["answer not-owner"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "rename", name: "Bot", secret: "open sesame" }), [
        "renamed",
        "notice owned",
        "answer"
      ])
      for (const line of ["whois", "stats", "ignore"]) {
        assert.deepStrictEqual<unknown>(yield* told({ do: line }), ["answer"])
      }
      assert.deepStrictEqual<unknown>(yield* told({ do: "secret", secret: "close sesame" }), ["answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "disown" }), ["answer"])
      assert.deepStrictEqual<unknown>(yield* told({ do: "quit" }), ["answer"])
      yield* bot.client.ended
    }))

  it.scopedLive("to an owner who comes back is one, behind all that was kept, and what it missed is no answer", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const ann = yield* program(port)
      const take = { do: "rename", name: "Bot", secret: "open sesame", id: 1 }
      yield* Effect.scoped(Effect.flatMap(program(port), (bot) =>
        Effect.gen(function*() {
          assert.deepStrictEqual<unknown>(kinds(yield* bot.answered(take)), ["renamed", "notice owned", "answer"])
          yield* ann.ask({ do: "say", text: "it is here" })
          yield* bot.until((line) => line.kind === "said")
          yield* bot.answered({ do: "quit", id: 2 })
          yield* bot.client.ended
        })))
      yield* ann.until((line) => line.kind === "offline")
      for (const text of ["one", "two"]) {
        const lines = yield* ann.answered({ do: "to", name: "bot", text, id: text })
        assert.deepStrictEqual<unknown>(kinds(lines), ["private", "answer"])
        assert.deepStrictEqual<unknown>(lines[0]?.kind === "private" && lines[0].to, "Bot")
        assert.deepStrictEqual<unknown>(lines[1], { kind: "answer", id: text, ok: true, kept: true })
      }
      yield* ann.answered({ do: "say", text: "it is away", id: 3 })
      const bot = yield* program(port)
      const lines = yield* bot.answered(take)
      assert.deepStrictEqual<unknown>(kinds(lines), ["renamed", "private", "private", "notice away", "answer"])
      assert.deepStrictEqual<unknown>(
        lines.flatMap((line) => line.kind === "private" ? [[line.kept, line.to, line.text]] : []),
        [[true, "Bot", "one"], [true, "Bot", "two"]]
      )
      const missed = yield* bot.answered({ do: "missed", id: 4 })
      assert.deepStrictEqual<unknown>(missed.map((line) => "text" in line ? line.text : line), [
        "it is away",
        { kind: "answer", id: 4, ok: true, more: false }
      ])
    }))

  it.scopedLive("with a list of more than 100 has 100 in each line", () =>
    Effect.gen(function*() {
      const port = yield* start({ maxConnectionsPerIp: 1000, rate: 0 })
      const bot = yield* program(port)
      const count = 105
      const people = yield* Effect.forEach(
        Array.from({ length: count }, (_, n) => n),
        // One address may make 20 rooms.
        (n) => connect(port, { localAddress: `127.0.0.${2 + Math.floor(n / 20)}` }),
        { concurrency: 20 }
      )
      for (let online = 0; online < count; online++) yield* bot.until((line) => line.kind === "online")
      const users = yield* bot.answered({ do: "who", id: 1 })
      assert.deepStrictEqual<unknown>(users.map((line) => line.kind === "users" ? line.users.length : line.kind), [
        100,
        6,
        "answer"
      ])
      const listed = users.flatMap((line) => line.kind === "users" ? line.users.map(({ addr }) => addr) : [])
      assert.sameMembers(listed, [bot.client.address, ...people.map(({ address }) => address)])
      assert.strictEqual(listed[0], bot.client.address)
      yield* Effect.forEach(people, (person, n) => person.send(`/join room${n}\n`))
      for (let went = 0; went < count; went++) yield* bot.until((line) => line.kind === "went")
      const rooms = yield* bot.answered({ do: "rooms", id: 2 })
      assert.deepStrictEqual<unknown>(rooms.map((line) => line.kind === "rooms" ? line.rooms.length : line.kind), [
        100,
        6,
        "answer"
      ])
      assert.deepStrictEqual<unknown>(
        new Set(
          rooms.flatMap((line) => line.kind === "rooms" ? line.rooms.map(({ room, users }) => `${room} ${users}`) : [])
        ),
        new Set(["lobby 1", ...people.map((_, n) => `room${n} 1`)])
      )
      yield* bot.ask(...Array.from({ length: 250 }, (_, n) => ({ do: "say", text: String(n), id: n })))
      yield* bot.until((line) => line.kind === "answer" && line.id === 249)
      const old = (command: object) =>
        Effect.map(bot.answered({ do: "history", id: "h", ...command }), (lines) =>
          lines.map((line) => line.kind === "past" ? Number(line.text) : line))
      const from = (first: number, last: number) =>
        Array.from({ length: last - first + 1 }, (_, n) => first + n)
      const over = (more: boolean) => ({ kind: "answer", id: "h", ok: true, more })
      assert.deepStrictEqual<unknown>(yield* old({ limit: 130 }), [...from(120, 249), over(true)])
      assert.deepStrictEqual<unknown>(yield* old({ limit: 250 }), [...from(0, 249), over(false)])
      assert.deepStrictEqual<unknown>(yield* old({ limit: 1000 }), [...from(0, 249), over(false)])
      assert.deepStrictEqual<unknown>(yield* old({ limit: 120, after: bot.hello.seq }), [...from(0, 119), over(true)])
    }))
})

/** Where somebody is who loses its connection again and again. */
interface Follower {
  readonly room: string
  /** What it is done with. */
  readonly lines: Array<{ readonly seq: number; readonly text: string }>
  cuts: number
}

/** Comes back, resumes as the protocol says, and reads on until so many more lines have come, or the last one. */
const resume = (port: number, follower: Follower, more: number) =>
  Effect.gen(function*() {
    const { lines, room } = follower
    const bot = yield* program(port)
    const later: Array<Told> = []
    const take = (line: Told) => {
      if (line.kind !== "said" && line.kind !== "past" || line.room !== room) return
      lines.push({ seq: line.seq, text: line.text })
    }
    let place = bot.hello.seq
    if (room !== "lobby") {
      const coming = yield* bot.answered({ do: "join", room, id: "join" })
      const own = coming.findIndex((line) => line.kind === "came" && line.who.addr === bot.client.address)
      const came = coming[own]
      place = came?.kind === "came" && came.seq !== undefined ? came.seq : assert.fail("it did not come")
      later.push(...coming.slice(own))
    }
    for (let isMore = true; isMore;) {
      const after = lines.at(-1)?.seq ?? 0
      const answered = yield* bot.answered({ do: "history", limit: 50, after, before: place + 1, id: after })
      for (const line of answered) {
        if (line.kind === "past") take(line)
        else later.push(line)
      }
      const last = answered.at(-1)!
      isMore = "more" in last && last.more
    }
    for (const line of later) take(line)
    const enough = lines.length + more
    while (lines.length < enough && lines.at(-1)?.text !== "end") take(yield* bot.line)
    yield* bot.client.reset
    follower.cuts++
  })

describe("A program that loses its connection", () => {
  it.scopedLive("gets each line of its room once and in order when it resumes, under load, in any of two rooms", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const talk = (room: string) =>
        Effect.gen(function*() {
          const person = yield* arrive(port)
          yield* person.send(`/join ${room}\n`)
          const texts = [...numbered(room, 1500), "end"]
          for (let n = 0; n < texts.length; n += 25) {
            const burst = texts.slice(n, n + 25)
            yield* person.send(burst.map((text) => `${text}\n`).join(""))
            for (let line = ""; line !== `${person.front}${burst.at(-1)}`;) line = yield* person.line
          }
          return texts
        })
      const follow = (room: string) =>
        Effect.gen(function*() {
          const follower: Follower = { room, lines: [], cuts: 0 }
          while (follower.lines.at(-1)?.text !== "end") yield* Effect.scoped(resume(port, follower, 40))
          return follower
        })
      const talks = yield* Effect.fork(Effect.all([talk("lobby"), talk("tea")], { concurrency: 2 }))
      const followers = yield* Effect.all([follow("lobby"), follow("tea")], { concurrency: 2 })
      const said = yield* Fiber.join(talks)
      for (const [index, { cuts, lines }] of followers.entries()) {
        assert.deepStrictEqual<unknown>(lines.map(({ text }) => text), said[index])
        assert.isAbove(cuts, 5, "it was cut under load")
      }
    }))

  it.scopedLive("may say again what it got no answer to: it is said once, and answered with its first place", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const ann = yield* arrive(port)
      const say = { do: "say", text: "once", nonce, id: 1 }
      const first = yield* program(port)
      yield* ann.sees(`[${first.client.address}]${first.client.address}:已上线`)
      yield* first.ask(say)
      yield* ann.sees(`[${first.client.address}]${first.client.address}:once`)
      yield* first.client.reset
      yield* ann.sees(`[${first.client.address}]${first.client.address}:下线`)
      const again = yield* program(port)
      const front = `[${again.client.address}]${again.client.address}:`
      const [past] = yield* again.answered({ do: "history", id: 2 })
      assert.deepInclude(past, { kind: "past", text: "once" })
      const seq = past?.kind === "past" ? past.seq : 0
      const known = { kind: "answer", id: 1, ok: true, seq }
      assert.deepStrictEqual<unknown>(yield* again.answered(say), [known])
      // What is said with it does not matter, and it may stand in the same turn as the first.
      assert.deepStrictEqual<unknown>(yield* again.answered({ ...say, text: "twice" }), [known])
      const other = { do: "say", text: "two", nonce: `${nonce}_2`, id: 3 }
      yield* again.ask(other, other, { do: "say", text: "three", id: 4 })
      const lines = yield* again.until((line) => line.kind === "answer" && line.id === 4)
      assert.deepStrictEqual<unknown>(kinds(lines), ["said", "answer", "answer", "said", "answer"])
      assert.deepStrictEqual<unknown>(lines[1], lines[2])
      yield* ann.sees(`${front}已上线`, `${front}two`, `${front}three`)
    }))

  it.scopedLive("may write again what it got no answer to: it is told once, and answered with its first place", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const [ann, bot] = [yield* program(port), yield* program(port)]
      const tell = { do: "to", name: ann.client.address, text: "psst", nonce, id: 1 }
      assert.deepStrictEqual<unknown>(kinds(yield* bot.answered(tell)), ["private", "answer"])
      const known = yield* answer(bot, tell)
      assert.deepInclude(known, { kind: "answer", id: 1, ok: true })
      assert.property(known, "seq")
      const other = { ...tell, text: "hush", nonce: `${nonce}_2` }
      yield* bot.ask(other, other, { ...other, id: 2 })
      const lines = yield* bot.until((line) => line.kind === "answer" && line.id === 2)
      assert.deepStrictEqual<unknown>(kinds(lines), ["private", "answer", "answer", "answer"])
      for (const line of lines.slice(2)) assert.property(line, "seq")
      yield* bot.ask({ do: "say", text: "bye" })
      const told = yield* ann.until((line) => line.kind === "said")
      assert.deepStrictEqual<unknown>(told.flatMap((line) => line.kind === "private" ? [line.text] : []), [
        "psst",
        "hush"
      ])
    }))

  it.scopedLive("finds the same log after a restart with a file: places go on, and nonces are known", () =>
    Effect.gen(function*() {
      const settings = { data: { file: `${yield* folder}/tellnet.db` } }
      const say = { do: "say", text: "once", nonce, id: 1 }
      const before = yield* Effect.scoped(Effect.gen(function*() {
        const bot = yield* program(yield* start(settings))
        const [said] = yield* bot.answered(say)
        yield* bot.answered({ do: "say", text: "and more", id: 2 })
        return { log: bot.hello.log, seq: said?.kind === "said" ? said.seq : 0 }
      }))
      const bot = yield* program(yield* start(settings))
      assert.strictEqual(bot.hello.log, before.log)
      assert.isAbove(bot.hello.seq, before.seq)
      assert.deepStrictEqual<unknown>(yield* bot.answered(say), [{ kind: "answer", id: 1, ok: true, seq: before.seq }])
      const missed = yield* bot.answered({ do: "history", after: before.seq, before: bot.hello.seq + 1, id: 3 })
      assert.deepStrictEqual<unknown>(missed.map((line) => line.kind === "past" ? line.text : line), [
        "and more",
        { kind: "answer", id: 3, ok: true, more: false }
      ])
      const [fresh] = yield* bot.answered({ do: "say", text: "new", id: 4 })
      assert.isAbove(fresh?.kind === "said" ? fresh.seq : 0, bot.hello.seq)
    }))

  it.scopedLive("finds another log after a restart without a file", () =>
    Effect.gen(function*() {
      const logs = yield* Effect.replicateEffect(
        Effect.scoped(Effect.flatMap(Effect.flatMap(start(), program), ({ hello }) => Effect.succeed(hello.log))),
        2
      )
      assert.notStrictEqual(logs[0], logs[1])
    }))
})
