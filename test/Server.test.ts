import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { arrive, type Client, connect } from "./support/client.ts"
import { start } from "./support/server.ts"

const two = Effect.gen(function*() {
  const port = yield* start({ idleTimeout: Duration.minutes(5) })
  const bob = yield* arrive(port)
  const ann = yield* arrive(port)
  yield* bob.sees(`${ann.front}已上线`)
  return { port, ann, bob }
})

/** The client's next line is about its own words: so nothing came before. */
const seesNothingElse = (client: Client, name = client.address) =>
  Effect.zipRight(client.send("nothing else\n"), client.sees(`[${client.address}]${name}:nothing else`))

describe("Server", () => {
  it.scopedLive("tells everyone who comes, the newcomer first of all about itself", () =>
    Effect.gen(function*() {
      const { bob, port } = yield* two
      const eve = yield* connect(port)
      yield* eve.sees(`${eve.front}已上线`)
      yield* bob.sees(`${eve.front}已上线`)
    }))

  it.scopedLive("brings a message to everyone, its sender included", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("大家好\n")
      yield* ann.sees(`${ann.front}大家好`)
      yield* bob.sees(`${ann.front}大家好`)
      yield* bob.send("hi\r\n")
      yield* ann.sees(`${bob.front}hi`)
    }))

  it.scopedLive("takes a message byte by byte, and three in one write", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      for (const byte of Buffer.from("一个字节\n")) yield* ann.send(Buffer.from([byte]))
      yield* bob.sees(`${ann.front}一个字节`)
      yield* bob.send("one\ntwo\nthree\n")
      yield* ann.sees(`${ann.front}一个字节`, `${bob.front}one`, `${bob.front}two`, `${bob.front}three`)
    }))

  for (const who of ["who", "/who"]) {
    it.scopedLive(`lists who is online in order of arrival, to the asker: ${who}`, () =>
      Effect.gen(function*() {
        const { ann, bob } = yield* two
        yield* ann.send(`${who}\n`)
        yield* ann.sees(`${bob.front}在线...`, `${ann.front}在线...`)
        yield* seesNothingElse(bob)
      }))
  }

  for (const rename of ["rename|", "/rename ", "/nick "]) {
    it.scopedLive(`renames the asker and tells nobody else: ${rename}`, () =>
      Effect.gen(function*() {
        const { ann, bob } = yield* two
        yield* ann.send(`${rename}张三\nhello\nwho\n`)
        yield* ann.sees(
          "您已经更新用户名:张三",
          `[${ann.address}]张三:hello`,
          `${bob.front}在线...`,
          `[${ann.address}]张三:在线...`
        )
        yield* bob.sees(`[${ann.address}]张三:hello`)
      }))
  }

  it.scopedLive("gives a name to one user only, however it is written", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("rename|Bob\nrename|BOB\n")
      yield* ann.sees("您已经更新用户名:Bob", "您已经更新用户名:BOB")
      yield* bob.send("rename|bob\nrename|Ｂｏｂ\n")
      yield* bob.sees("当前用户名被使用", "当前用户名被使用")
      yield* ann.send("rename|ann\n")
      yield* ann.sees("您已经更新用户名:ann")
      yield* bob.send("rename|bob\n")
      yield* bob.sees("您已经更新用户名:bob")
    }))

  it.scopedLive("refuses a name that is not allowed", () =>
    Effect.gen(function*() {
      const { ann } = yield* two
      for (const name of ["", "a b", "a|b", "[x]", "1.2.3.4:5", "10.0.0.1", "x".repeat(33)]) {
        yield* ann.send(`rename|${name}\n`)
        yield* ann.sees("用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。")
      }
      yield* ann.send("rename|SYSTEM\n")
      yield* ann.sees("*** 该用户名为系统保留")
    }))

  for (const [to, bar] of [["to|", "|"], ["/to ", " "], ["/msg ", " "]]) {
    it.scopedLive(`brings a private message to its recipient only: ${to}`, () =>
      Effect.gen(function*() {
        const { ann, bob, port } = yield* two
        const eve = yield* arrive(port)
        yield* ann.sees(`${eve.front}已上线`)
        yield* bob.sees(`${eve.front}已上线`)
        yield* bob.send("rename|bob\n")
        yield* bob.sees("您已经更新用户名:bob")
        yield* ann.send(`${to}bob${bar}你好|再见\n\n`)
        yield* bob.sees(`${ann.address}对您说:你好|再见`)
        yield* seesNothingElse(eve)
        yield* ann.sees(`${eve.front}nothing else`)
        yield* seesNothingElse(ann)
      }))
  }

  it.scopedLive("says what is wrong with a private message: form, then name, then text", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      const malformed = "消息格式不正确，请使用 \"to|张三|你好啊\"格式。"
      yield* ann.send(
        `to|\nto|bob\nto||\nto||hi\n/to\nto|nobody|\nto|nobody|hi\nto|${bob.address}|\n/to ${bob.address}\n`
      )
      yield* ann.sees(malformed, malformed, malformed, malformed, malformed)
      yield* ann.sees("该用户名不存在", "该用户名不存在", "无消息内容，请重发", "无消息内容，请重发")
      yield* seesNothingElse(bob)
    }))

  it.scopedLive("takes words that only look like commands for words", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("who is there\nrename\nto\n//etc/hosts\nWho\n")
      for (const text of ["who is there", "rename", "to", "/etc/hosts", "Who"]) yield* bob.sees(`${ann.front}${text}`)
    }))

  it.scopedLive("names help to who types an unknown command, and nobody hears of it", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("/xyz abc\n")
      yield* ann.sees("*** 未知命令 /xyz，输入 /help 查看帮助")
      yield* seesNothingElse(bob)
    }))

  it.scopedLive("lists the commands, one a line", () =>
    Effect.gen(function*() {
      const { ann } = yield* two
      yield* ann.send("/help\n")
      const lines = yield* Effect.replicateEffect(ann.line, 24)
      assert.deepStrictEqual(lines.filter((line) => !line.startsWith("***  ")), [
        "*** 说话",
        "*** 房间和用户",
        "*** 我",
        "*** 连接"
      ])
      for (const usage of ["who, /who [ROOM]", "/join ROOM, /j ROOM", "/nick NAME#SECRET", "/json", "//TEXT"]) {
        assert.strictEqual(lines.filter((line) => line.startsWith(`***   ${usage}  `)).length, 1, usage)
      }
      yield* seesNothingElse(ann)
    }))

  it.scopedLive("tells who asks how the server and its connection do, and nobody else", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("/stats\n")
      yield* ann.sees("*** 在线 2 人")
      assert.match(yield* ann.line, /^\*\*\* 全服每秒收到 \d+\.\d 行$/)
      yield* ann.sees("*** 您的积压 0 字节，已跳过 0 行", "*** 再 300 秒未发言将被踢出")
      yield* seesNothingElse(bob)
      yield* ann.sees(`${bob.front}nothing else`)
      yield* seesNothingElse(ann)
    }))

  it.scopedLive("ignores blank lines", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("\n \t \r\n\r\nhere\n")
      yield* bob.sees(`${ann.front}here`)
    }))

  it.scopedLive("does not send a line that is too long, tells its sender once, and goes on", () =>
    Effect.gen(function*() {
      const port = yield* start({ maxLine: 100 })
      const bob = yield* arrive(port)
      const ann = yield* arrive(port)
      yield* bob.sees(`${ann.front}已上线`)
      yield* ann.send(`${"x".repeat(101)}\n${"y".repeat(100)}\n${"z".repeat(1000)}`)
      yield* ann.sees("*** 消息过长（上限 100 字节），未发送", `${ann.front}${"y".repeat(100)}`)
      yield* ann.sees("*** 消息过长（上限 100 字节），未发送")
      yield* ann.send(`${"z".repeat(1000)}\nalive\n`)
      yield* bob.sees(`${ann.front}${"y".repeat(100)}`, `${ann.front}alive`)
    }))

  it.scopedLive("makes text safe for terminals, and leaves emoji alone", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send(Buffer.from("\ufeffa\u001b[2Jb\u0000c\rd\u2028e\u202ef\tg👩‍👩‍👧\n"))
      yield* bob.sees(`${ann.front}a\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf\tg👩‍👩‍👧`)
      yield* ann.send(Buffer.from([0xc0, 0xaf, 0x41, 0x0a]))
      yield* bob.sees(`${ann.front}\ufffd\ufffdA`)
    }))

  it.scopedLive("carries out all that came before the end of input, an unterminated last line too", () =>
    Effect.gen(function*() {
      const { bob, port } = yield* two
      const eve = yield* connect(port)
      yield* eve.send(`to|${bob.address}|hi\nwho\nbye`)
      yield* eve.end
      const front = eve.front
      yield* bob.sees(`${front}已上线`, `${eve.address}对您说:hi`, `${front}bye`, `${front}下线`)
      yield* eve.sees(`${front}已上线`, `${bob.front}在线...`)
      assert.match(yield* eve.line, /在线\.\.\.$/)
      yield* eve.sees(`${front}在线...`, `${front}bye`)
      yield* eve.ended
    }))

  it.scopedLive("lets a user quit, and forgets what came after", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("rename|ann\nbye\n/quit\nnever\n")
      yield* ann.sees("您已经更新用户名:ann", `[${ann.address}]ann:bye`)
      yield* ann.ended
      yield* bob.sees(`[${ann.address}]ann:bye`, `[${ann.address}]ann:下线`)
      yield* bob.send("rename|ann\n")
      yield* bob.sees("您已经更新用户名:ann")
    }))

  it.scopedLive("notices a reset at once", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("rename|ann\n")
      yield* ann.sees("您已经更新用户名:ann")
      yield* ann.reset
      yield* bob.sees(`[${ann.address}]ann:下线`)
      yield* bob.send("rename|ann\n")
      yield* bob.sees("您已经更新用户名:ann")
      yield* seesNothingElse(bob, "ann")
    }))

  it.scopedLive("speaks English when asked to", () =>
    Effect.gen(function*() {
      const port = yield* start({ lang: "en" })
      const ann = yield* connect(port)
      yield* ann.sees(`${ann.front}online`)
      yield* ann.send(`who\nrename|ann\nto|bob|hi\nto|x\nto|ann|\nto|ann|hi\nrename|?\n/xyz\n`)
      yield* ann.sees(
        `${ann.front}online...`,
        "your name is now:ann",
        "no such user",
        "malformed, use \"to|name|text\".",
        "empty message, send again",
        "ann to you:hi",
        "name not allowed, use 1-32 letters, digits, \"_\", \"-\" or \".\".",
        "*** unknown command /xyz, try /help"
      )
      const bob = yield* connect(port)
      yield* bob.sees(`${bob.front}online`)
      yield* bob.send("rename|ANN\n")
      yield* bob.sees("that name is taken")
      yield* bob.send("/quit\n")
      yield* ann.sees(`${bob.front}online`, `${bob.front}offline`)
    }))

  it.scopedLive("prints IPv6 addresses in brackets, and IPv4-mapped ones as IPv4", () =>
    Effect.gen(function*() {
      const port = yield* start({ host: "::" })
      const six = yield* connect(port, { host: "::1" })
      assert.match(six.front, /^\[\[::1\]:\d+\]\[::1\]:\d+:$/)
      yield* six.sees(`${six.front}已上线`)
      const four = yield* connect(port)
      assert.match(four.front, /^\[127\.0\.0\.1:\d+\]/)
      yield* six.sees(`${four.front}已上线`)
    }))

  it.scopedLive("shows broadcasts to all in one order", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const clients: Array<Client> = []
      for (let i = 0; i < 8; i++) clients.push(yield* arrive(port))
      const words = 50
      yield* Effect.forEach(clients, (client) =>
        Effect.forEach(
          Array.from({ length: words }, (_, i) => i),
          (i) => Effect.zipRight(client.send(`${i}\n`), Effect.yieldNow()),
          { discard: true }
        ), {
        concurrency: "unbounded",
        discard: true
      })
      const seen = yield* Effect.forEach(clients, (client, index) =>
        Effect.gen(function*() {
          for (let later = index + 1; later < clients.length; later++) yield* client.line
          const lines: Array<string> = []
          while (lines.length < words * clients.length) lines.push(yield* client.line)
          return lines
        }))
      for (const lines of seen) assert.deepStrictEqual(lines, seen[0])
      for (const { front } of clients) {
        assert.deepStrictEqual(
          seen[0]?.filter((line) => line.startsWith(front)),
          Array.from({ length: words }, (_, i) => `${front}${i}`)
        )
      }
    }))

  const old = (line: string) => {
    const [, said] = /^\*\*\* \d\d-\d\d \d\d:\d\d:\d\d (.*)$/.exec(line) ?? []
    return said
  }

  it.scopedLive("tells a newcomer the last lines behind its own arrival and the welcome, and then what is said", () =>
    Effect.gen(function*() {
      const port = yield* start({ replay: 2, welcome: { text: "hello" } })
      const ann = yield* connect(port)
      yield* ann.sees(`${ann.front}已上线`, "*** hello")
      yield* ann.send("one\ntwo\nrename|ann\nthree\n")
      yield* ann.sees(`${ann.front}one`, `${ann.front}two`, "您已经更新用户名:ann", `[${ann.address}]ann:three`)
      const bob = yield* connect(port)
      yield* bob.sees(`${bob.front}已上线`, "*** hello")
      assert.strictEqual(old(yield* bob.line), `${ann.front}two`)
      assert.strictEqual(old(yield* bob.line), `[${ann.address}]ann:three`)
      yield* ann.send("four\n")
      yield* bob.sees(`[${ann.address}]ann:four`)
    }))

  it.scopedLive("shows as many old lines as were asked for, to the asker alone, and says if there are none", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      yield* ann.send("/history\n")
      yield* ann.sees("*** 还没有消息")
      for (let n = 0; n < 25; n++) {
        yield* ann.send(`${n}\n`)
        yield* ann.sees(`${ann.front}${n}`)
        yield* bob.sees(`${ann.front}${n}`)
      }
      const shows = (ask: string, from: number) =>
        Effect.gen(function*() {
          yield* ann.send(`${ask}\n`)
          for (let n = from; n < 25; n++) assert.strictEqual(old(yield* ann.line), `${ann.front}${n}`)
        })
      yield* shows("/history", 5)
      yield* shows("/History 3", 22)
      yield* shows("/history 99999", 0)
      for (const ask of ["/history 0", "/history abc", "/history -1", "/history 1 2"]) {
        yield* ann.send(`${ask}\n`)
        yield* ann.sees("*** 用法：/history [N]")
      }
      yield* seesNothingElse(ann)
      yield* bob.sees(`${ann.front}nothing else`)
    }))

  it.scopedLive("shows the time before each line to whoever wants it, and to nobody else", () =>
    Effect.gen(function*() {
      const { ann, bob } = yield* two
      const timed = (text: string) => new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${text.replaceAll(/[[\]*.]/g, "\\$&")}$`)
      yield* ann.send("/time on\nhi\n/history 1\n")
      assert.match(yield* ann.line, timed("*** 已显示时间"))
      assert.match(yield* ann.line, timed(`${ann.front}hi`))
      assert.strictEqual(old(yield* ann.line), `${ann.front}hi`)
      yield* bob.sees(`${ann.front}hi`)
      yield* bob.send("to|" + ann.address + "|psst\n")
      assert.match(yield* ann.line, timed(`${bob.address}对您说:psst`))
      yield* ann.send("/time off\nbye\n")
      yield* ann.sees("*** 已不显示时间", `${ann.front}bye`)
      yield* bob.sees(`${ann.front}bye`)
    }))
})
