/** The client in real terminals, at a real server, beside people at a netcat. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { some } from "effect/Option"
import * as Scope from "effect/Scope"
import { readFileSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import * as Proxy from "./soak/nodes/Proxy.ts"
import { type Client, connect, within } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import { start } from "./support/server.ts"
import { assertOnce, close, count, isMissing, open, type Options } from "./support/terminal.ts"

const scope = Effect.runSync(Scope.make())
let port = 0
beforeAll(async () => {
  port = await Effect.runPromise(Scope.extend(start({ rate: 0, maxConnectionsPerIp: 1000 }), scope))
})
afterAll(async () => {
  close()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

const until = (client: Client, isMeant: (line: string) => boolean) => Effect.repeat(client.line, { until: isMeant })

/** Somebody at a netcat, called `name`, in a room. */
const person = (name: string, room: string, at = port) =>
  Effect.gen(function*() {
    const client = yield* connect(at)
    yield* client.send(`/nick ${name}\n/join ${room}\n`)
    yield* until(client, (line) => line.endsWith(`来到 #${room}`))
    return client
  })

/** Sees somebody say these, and nothing else but that, up to the last. */
const saidBy = (client: Client, name: string, last: string) =>
  Effect.gen(function*() {
    const said: Array<string> = []
    while (said.at(-1) !== last) {
      const [, text] = new RegExp(`\\]${name}:(.*)$`).exec(yield* client.line) ?? []
      if (text !== undefined && !/^(?:已上线|下线|来到|去了)/.test(text)) said.push(text)
    }
    return said
  })

/** The client, once it is in the room, beside somebody who is there already. */
const beside = (room: string, flags: ReadonlyArray<string> = [], options: Options = {}, at = port) =>
  Effect.gen(function*() {
    const ann = yield* person(`Ann-${room}`, room)
    const me = `Me-${room}`
    const terminal = yield* open([`127.0.0.1:${at}`, "--room", room, "--name", me, ...flags], options)
    yield* terminal.prompts(`#${room} ${me}>`)
    return { ann, me, prompt: `#${room} ${me}>`, terminal }
  })

describe.skipIf(isMissing).concurrent("The client in a terminal", () => {
  it.scopedLive("keeps the line whole that is typed while others talk, and shows what is said once", () =>
    Effect.gen(function*() {
      const { ann, me, prompt, terminal } = yield* beside("whole")
      yield* terminal.type("half of 一句话")
      yield* terminal.prompts(`${prompt} half of 一句话`)
      yield* ann.send("one\ntwo 二\nthree\n")
      yield* terminal.ends("Ann-whole: one", "Ann-whole: two 二", "Ann-whole: three")
      yield* terminal.prompts(`${prompt} half of 一句话`)
      // Behind the three wide characters.
      assert.strictEqual(Number(yield* terminal.is("cursor_x")), `${prompt} half of `.length + 6)
      yield* terminal.keys("Home")
      yield* ann.send("four\n")
      yield* terminal.shows("Ann-whole: four")
      yield* terminal.type("the first ")
      yield* terminal.keys("End", "BSpace")
      yield* terminal.type("行")
      yield* terminal.keys("Enter")
      yield* terminal.ends("Ann-whole: four", `${me}: the first half of 一句行`)
      yield* terminal.prompts(prompt)
      assert.deepStrictEqual(yield* saidBy(ann, me, "the first half of 一句行"), ["the first half of 一句行"])
      assert.strictEqual(count(yield* terminal.rows, /一句/), 1)
      yield* terminal.keys("Up")
      yield* terminal.prompts(`${prompt} the first half of 一句行`)
    }))

  it.scopedLive("keeps a line of several rows whole while others talk and the window gets narrow and wide", () =>
    Effect.gen(function*() {
      const { ann, me, prompt, terminal } = yield* beside("wide")
      const line = Arr.makeBy(20, (n) => `宽字 ${n}`).join(" wide ")
      yield* terminal.type(line)
      yield* terminal.prompts(`${prompt} ${line}`)
      for (const [n, columns] of [60, 100, 50, 80].entries()) {
        yield* ann.send(`said ${n}\n`)
        yield* terminal.shows(`: said ${n}`)
        yield* terminal.resize(columns)
        yield* terminal.prompts(`${prompt} ${line}`)
      }
      yield* ann.send(`said 4\n`)
      yield* terminal.ends(...Arr.makeBy(5, (n) => `Ann-wide: said ${n}`))
      yield* terminal.keys("Enter")
      yield* terminal.ends("Ann-wide: said 4", `${me}: ${line}`)
      assert.strictEqual(count(yield* terminal.rows, /宽字/), 1)
    }))

  it.scopedLive("asks for secrets without echo, for a new one twice, and recalls none", () =>
    Effect.gen(function*() {
      const record = `${yield* folder}/record`
      const { prompt, terminal } = yield* beside("secret", [], { record })
      yield* terminal.type("/nick Olga#")
      yield* terminal.shows("New secret of Olga")
      yield* terminal.type("open sesame")
      yield* terminal.keys("Enter")
      yield* terminal.prompts("The same again:")
      yield* terminal.type("open sesamy")
      yield* terminal.keys("BSpace", "e", "Enter")
      yield* terminal.shows("Your name is Olga, and it is yours")
      yield* terminal.prompts("#secret Olga>")
      yield* terminal.type("/secret ")
      yield* terminal.shows("New secret of Olga")
      yield* terminal.type("another one")
      yield* terminal.keys("Enter")
      yield* terminal.prompts("The same again:")
      yield* terminal.type("another two")
      yield* terminal.keys("Enter")
      yield* terminal.shows("The two are not the same")
      // Whoever comes with that name is asked for its secret.
      const other = yield* open([`127.0.0.1:${port}`, "--room", "secret", "--name", "Olga"])
      yield* other.prompts("Secret of Olga (not shown, Esc: none):")
      yield* other.paste("open sesame\n")
      yield* other.keys("Enter")
      yield* other.prompts("#secret Olga>")
      yield* terminal.prompts("Enter connects again>")
      yield* terminal.keys("Up", "Up")
      yield* other.type("plain")
      yield* other.keys("Enter")
      yield* other.ends("Olga: plain")
      yield* other.paste("/nick Olga#open sesame")
      yield* other.keys("Enter")
      yield* other.ends("*** Your name is Olga, and it is yours")
      yield* other.keys("Up")
      yield* other.prompts("#secret Olga> plain")
      assert.notMatch(yield* other.painted, /sesam|another|open/)
      const written = readFileSync(record, "utf8")
      assert.include(written, "Enter connects again")
      assert.notMatch(written, /sesam|another|open/)
      assert.notInclude(yield* terminal.rows, prompt)
    }))

  it.scopedLive("says no secret, however fast it is typed, and asks again for one that is wrong", () =>
    Effect.gen(function*() {
      const { ann, terminal } = yield* beside("fast")
      // All of it is read at once.
      yield* terminal.keys("/nick Carl#open sesame", "Enter")
      yield* terminal.prompts("The same again:")
      yield* terminal.keys("open sesame", "Enter")
      yield* terminal.prompts("#fast Carl>")
      yield* terminal.keys("/secret another one", "Enter", "another one", "Enter", "another one", "Enter")
      yield* terminal.ends("*** The secret is changed")
      yield* terminal.prompts("#fast Carl>")
      yield* terminal.keys("and on", "Enter")
      // Somebody ends the line, and only then sees the question; or leaves it.
      for (const line of ["/nick Dora#", "/secret "]) {
        yield* terminal.keys(line, "Enter")
        yield* terminal.prompts("New secret of Dora (not shown, Esc: none):")
        yield* terminal.keys("Enter", "a word", "C-u", "Escape")
        yield* terminal.prompts("#fast Dora>")
      }
      yield* terminal.keys("/nick Carl#", "Enter", "another one", "Enter")
      yield* terminal.prompts("#fast Carl>")
      yield* terminal.keys("/nick admin#open sesame", "Enter")
      yield* terminal.shows("That name is reserved")
      yield* terminal.keys("nick Carl#open sesame", "Enter")
      yield* terminal.shows("Wrong secret")
      yield* terminal.prompts("Secret of Carl (not shown, Esc: none):")
      yield* terminal.keys("another one", "Enter", "another one", "Enter")
      yield* terminal.prompts("#fast Carl>")
      yield* terminal.keys("and off", "Enter")
      yield* terminal.shows("Carl: and off")
      assert.deepStrictEqual(yield* saidBy(ann, "Carl", "and off"), ["and on", "and off"])
      // Nor is there a gap before a question that the server asks for, or between two.
      for (
        const [flags, keys] of [
          [["--name", "Carl"], []],
          [[], ["/nick Carl", "Enter"]]
        ] as const
      ) {
        const other = yield* open([`127.0.0.1:${port}`, "--room", "fast", ...flags])
        yield* other.prompts(flags.length > 0 ? "Secret of Carl (not shown, Esc: none):" : "#fast>")
        yield* other.keys(...keys, "wrong one", "Enter", "another one", "Enter", "another one", "Enter")
        yield* other.prompts("#fast Carl>")
        yield* other.keys("at last", "Enter")
        assert.deepStrictEqual(yield* saidBy(ann, "(?:Carl|127\\S*)", "at last"), ["at last"])
      }
      assert.notMatch(yield* terminal.painted, /sesame|another/)
    }))

  it.scopedLive("does what operators do, and asks for their secret without echo", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/operators`
      writeFileSync(file, "correct horse battery\n")
      const own = yield* start({ rate: 0, opSecretFile: some(file) })
      const { prompt, terminal } = yield* beside("ops", [], {}, own)
      const ann = yield* person("Bea-ops", "ops", own)
      yield* terminal.type("/bans")
      yield* terminal.keys("Enter")
      yield* terminal.ends("*** Unknown command /bans, try /help")
      yield* terminal.keys("/op correct horse batt", "Enter")
      yield* terminal.ends("*** Unknown command /bans, try /help", "*** Wrong secret")
      yield* terminal.prompts("Secret of operators (not shown, Esc: none):")
      yield* terminal.keys("correct horse battery", "Enter", "correct horse battery", "Enter")
      yield* terminal.ends("*** you are an operator")
      yield* terminal.prompts(prompt)
      for (
        const [line, ...answers] of [
          ["/ban 192.0.2.0/24 1d spam", "*** 192.0.2.0/24 is banned"],
          ["/ban 192.0.2.7", "*** 192.0.2.7 is banned"],
          ["/ban 127.0.0.1", "*** Usage: /ban NAME|IP|CIDR [DURATION] [REASON]"],
          ["/help", "*** /lock  let nobody new in"],
          ["/bans", /^\*\*\* 192\.0\.2\.0\/24 until .* spam \(Me-ops\)$/, "*** 192.0.2.7 for ever (Me-ops)"],
          ["/unban 192.0.2.7", "*** 192.0.2.7 is not banned any more"],
          ["/unban 192.0.2.7", "*** no such ban"],
          ["/mute Bea-ops 2x", "*** Usage: /mute NAME [DURATION]"],
          ["/mute Bea-ops", "*** Bea-ops is muted"],
          ["/unmute Bea-ops", "*** Bea-ops is not muted any more"],
          ["/lock", "*** locked"],
          ["/unlock", "*** unlocked"],
          ["/erase Bea-ops 2h", "*** 0 lines erased"],
          ["/announce tea", "*** 公告：tea"],
          ["/kick Bea-ops too loud", "*** Bea-ops left", "*** Bea-ops was removed"],
          ["/deop", "*** you are no operator any more"]
        ] as const
      ) {
        yield* terminal.type(line)
        yield* terminal.keys("Enter")
        for (const answer of answers) yield* terminal.shows(answer)
      }
      yield* until(ann, (line) => line === "*** 您被请出：too loud")
      yield* terminal.keys("Up", "Up")
      assert.notInclude(yield* terminal.painted, "horse")
    }))

  it.scopedLive("completes commands and names", () =>
    Effect.gen(function*() {
      const { prompt, terminal } = yield* beside("tab")
      yield* terminal.type("/hel")
      yield* terminal.keys("Tab")
      yield* terminal.type("!")
      yield* terminal.prompts(`${prompt} /help !`)
      yield* terminal.keys("C-c")
      yield* terminal.prompts(prompt)
      yield* terminal.type("hi @ann")
      yield* terminal.keys("Tab")
      yield* terminal.prompts(`${prompt} hi @Ann-tab`)
      yield* terminal.keys("C-c")
      yield* terminal.type("/who")
      yield* terminal.keys("Tab", "Tab")
      yield* terminal.shows(/^\/who +\/whois$/)
      yield* terminal.prompts(`${prompt} /who`)
    }))

  it.scopedLive("comes back over a cut connection with what it missed, each line once, and says what was typed meanwhile", () =>
    Effect.gen(function*() {
      const way = yield* Proxy.make(port)
      const { ann, me, prompt, terminal } = yield* beside("cut", [], {}, way.port)
      yield* ann.send("before\n")
      yield* terminal.ends("Ann-cut: before")
      for (const round of [1, 2]) {
        yield* way.hole(true)
        yield* way.reset
        yield* terminal.shows("The connection is gone")
        yield* ann.send(Arr.makeBy(30, (n) => `missed ${round} ${n}\n`).join(""))
        yield* terminal.type(`typed ${round}`)
        yield* terminal.keys("Enter")
        yield* terminal.shows("(1 to be sent)>")
        yield* way.hole(false)
        yield* terminal.ends("*** Connected again, lines caught up on: 30", `${me}: typed ${round}`)
        yield* terminal.prompts(prompt)
      }
      yield* ann.send("after\n")
      yield* terminal.ends("after".replace(/^/, "Ann-cut: "))
      assert.deepStrictEqual(
        (yield* saidBy(ann, me, "typed 2")).filter((text) => text.startsWith("typed")),
        ["typed 1", "typed 2"]
      )
      const missed = (round: number) => Arr.makeBy(30, (n) => `: missed ${round} ${n}`)
      const texts = [": before", ...missed(1), ": typed 1", ...missed(2), ": typed 2", ": after"]
      assertOnce(yield* terminal.rows, texts)
    }))

  it.scopedLive("comes back when the server starts again, with its name and room", () =>
    Effect.gen(function*() {
      const data = { file: `${yield* folder}/tellnet.db` }
      const first = yield* Scope.make()
      const at = yield* Scope.extend(start({ data }), first)
      const terminal = yield* open([`127.0.0.1:${at}`, "--name", "Olga", "--room", "dev"])
      yield* terminal.prompts("#dev Olga>")
      yield* terminal.type("before")
      yield* terminal.keys("Enter")
      yield* terminal.ends("Olga: before")
      yield* Scope.close(first, Exit.void)
      yield* terminal.shows("The server is stopping")
      yield* terminal.shows(/^offline.*>$/)
      yield* start({ data, port: at })
      const ann = yield* person("Ann", "dev", at)
      yield* ann.send("meanwhile\n")
      yield* terminal.shows("Ann: meanwhile")
      yield* terminal.prompts("#dev Olga>")
      yield* terminal.type("after")
      yield* terminal.keys("Enter")
      yield* terminal.ends("Olga: after")
      assertOnce(yield* terminal.rows, [": before", ": meanwhile", ": after"])
    }))

  it.scopedLive("rings the bell when it is mentioned or written to, and not else", () =>
    Effect.gen(function*() {
      const { ann, me, terminal } = yield* beside("bell")
      yield* ann.send("hello\n")
      yield* terminal.ends("Ann-bell: hello")
      assert.strictEqual(yield* terminal.is("window_bell_flag"), "0")
      yield* ann.send(`hi ${me}!\n`)
      yield* terminal.ends("Ann-bell: hello", `Ann-bell: hi ${me}!`)
      assert.strictEqual(yield* terminal.is("window_bell_flag"), "1")
      const quiet = yield* beside("bell2")
      yield* quiet.terminal.type(`I am ${quiet.me}`)
      yield* quiet.terminal.keys("Enter")
      yield* quiet.terminal.ends(`${quiet.me}: I am ${quiet.me}`)
      assert.strictEqual(yield* quiet.terminal.is("window_bell_flag"), "0")
      yield* quiet.ann.send(`/to ${quiet.me} psst\n`)
      yield* quiet.terminal.shows("Ann-bell2 (private): psst")
      assert.strictEqual(yield* quiet.terminal.is("window_bell_flag"), "1")
    }))

  it.scopedLive("has a colour for each name, and none with NO_COLOR", () =>
    Effect.gen(function*() {
      for (const [room, env] of [["paint", {}], ["plain", { NO_COLOR: "1" }]] as const) {
        const { ann, terminal } = yield* beside(room, [], { env })
        yield* ann.send("hello\n")
        yield* terminal.ends(`Ann-${room}: hello`)
        const painted = yield* terminal.painted
        // oxlint-disable-next-line no-control-regex -- it is about them
        if (room === "paint") assert.match(painted, /\x1b\[38;5;\d+mAnn-paint\x1b\[39m: hello/)
        else assert.notInclude(painted, "\x1b")
      }
    }))

  it.scopedLive("speaks Chinese where the machine does, or if it is told so", () =>
    Effect.gen(function*() {
      const byMachine = yield* open([`127.0.0.1:${port}`], { env: { LC_ALL: "", LANG: "zh_CN.UTF-8" } })
      yield* byMachine.shows("*** Tab 补全，/help 查看命令，Ctrl-D 离开")
      const byFlag = yield* open([`127.0.0.1:${port}`, "--lang", "zh"])
      yield* byFlag.shows("*** Tab 补全，/help 查看命令，Ctrl-D 离开")
      yield* byFlag.type("/help")
      yield* byFlag.keys("Enter")
      yield* byFlag.shows("*** /join ROOM, /j ROOM  去一个房间")
    }))

  it.scopedLive("asks before it sends several lines that were pasted, and sends none by itself", () =>
    Effect.gen(function*() {
      const { ann, me, prompt, terminal } = yield* beside("paste")
      yield* terminal.type("draft")
      yield* terminal.paste("one\ntwo\n\nthree\n")
      yield* terminal.prompts("Send 3 messages? y: as 3, o: as one, n: not")
      yield* terminal.keys("n")
      yield* terminal.prompts(`${prompt} draft`)
      yield* terminal.paste("four\nfive\n")
      yield* terminal.prompts("Send 2 messages? y: as 2, o: as one, n: not")
      yield* terminal.keys("o")
      yield* terminal.ends(`${me}: four five`)
      yield* terminal.paste("six\nseven\n")
      yield* terminal.prompts("Send 2 messages? y: as 2, o: as one, n: not")
      yield* terminal.keys("y")
      yield* terminal.ends(`${me}: six`, `${me}: seven`)
      yield* terminal.paste(" and one more\n")
      yield* terminal.prompts(`${prompt} draft and one more`)
      assert.deepStrictEqual(yield* saidBy(ann, me, "seven"), ["four five", "six", "seven"])
    }))

  it.scopedLive("leaves by Ctrl-C, Ctrl-D and /quit, and tells by its exit code whether all was said", () =>
    Effect.gen(function*() {
      const leave = (...keys: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          const terminal = yield* open([`127.0.0.1:${port}`])
          yield* terminal.prompts("#lobby>")
          yield* terminal.type("abc")
          yield* terminal.keys("C-c", ...keys)
          const code = yield* terminal.over
          assert.strictEqual(code, 0, (yield* terminal.rows).join("\n"))
        })
      yield* Effect.all([leave("C-c"), leave("C-d"), leave("/quit", "Enter")], { concurrency: 3 })
      const way = yield* Proxy.make(port)
      const terminal = yield* open([`127.0.0.1:${way.port}`])
      yield* terminal.prompts("#lobby>")
      yield* way.hole(true)
      yield* way.reset
      yield* terminal.shows("The connection is gone")
      yield* terminal.keys("abc", "Enter", "C-d")
      yield* terminal.shows("Press it again")
      yield* terminal.keys("C-d")
      assert.strictEqual(yield* terminal.over, 1)
      yield* way.hole(false)
      const nowhere = yield* open(["127.0.0.1:1"])
      assert.strictEqual(yield* nowhere.over, 1)
      yield* nowhere.shows("Cannot connect to 127.0.0.1:1: connect ECONNREFUSED")
    }))

  it.scopedLive("stops by Ctrl-Z, and goes on with its line", () =>
    Effect.gen(function*() {
      const { ann, prompt, terminal } = yield* beside("stop", [], { shell: true })
      yield* terminal.type("draft")
      yield* terminal.prompts(`${prompt} draft`)
      yield* terminal.keys("C-z")
      yield* terminal.shows("Stopped")
      yield* terminal.type("fg")
      yield* terminal.keys("Enter")
      yield* terminal.prompts(`${prompt} draft`)
      yield* terminal.keys("C-z")
      yield* within("a second stop", Effect.repeat(terminal.rows, { until: (rows) => count(rows, /Stopped/) === 2 }))
      yield* ann.send("meanwhile\n")
      yield* terminal.type("fg")
      yield* terminal.keys("Enter")
      yield* terminal.ends("Ann-stop: meanwhile")
      yield* terminal.prompts(`${prompt} draft`)
    }))

  it.scopedLive("leaves the terminal as it was when it is ended by a signal", () =>
    Effect.gen(function*() {
      const { prompt, terminal } = yield* beside("signal", [], { shell: true })
      yield* terminal.type("draft")
      yield* terminal.prompts(`${prompt} draft`)
      process.kill(Number(yield* terminal.child), "SIGTERM")
      yield* terminal.type("echo code=$?; stty -a")
      yield* terminal.keys("Enter")
      yield* terminal.shows(/^code=143$/)
      yield* terminal.shows(/^isig icanon /)
    }))

  it.scopedLive("lets no server drive the terminal", () =>
    Effect.gen(function*() {
      const evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\nfake"
      const time = "2026-11-26T00:00:00.000Z"
      const from = { addr: `1:${evil}`, name: `Eve${evil}` }
      const server = yield* Effect.acquireRelease(
        Effect.async<Net.Server>((resume) => {
          const server = Net.createServer((socket) => {
            const told = (line: object) => socket.write(`${JSON.stringify(line)}\n`)
            told({ kind: "hello", v: 1, version: evil, log: "a", you: from, room: `r${evil}`, seq: 0, maxLine: 99 })
            told({ kind: "said", seq: 1, room: `r${evil}`, time, from, text: "no time" })
            socket.on("error", () => {}).on("data", (bytes) => {
              for (const [, id] of bytes.toString().matchAll(/"id":(\d+)/g)) {
                told({ kind: "notice", code: evil, text: `notice${evil}` })
                told({ kind: "private", time, from, to: evil, text: `private${evil}` })
                told({ kind: "answer", id: Number(id), ok: false, code: evil, text: `refusal${evil}` })
                told({ kind: "users", room: 7 })
                told({ kind: "said", seq: 2, room: `r${evil}`, time: "never", from, text: "" })
                socket.write(`${evil}\n{"kind":"__proto__"}\n`)
              }
            })
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = server.address()
      const terminal = yield* open([`127.0.0.1:${typeof address === "object" ? address!.port : 0}`])
      yield* terminal.shows("private�")
      yield* terminal.shows("notice�]0;owned��[2J�31m��fake")
      assert.notStrictEqual(yield* terminal.is("pane_title"), "owned")
      assert.strictEqual(count(yield* terminal.rows, /^fake/), 0)
      yield* terminal.keys("C-c")
    }))
})
