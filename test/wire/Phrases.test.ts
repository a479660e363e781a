import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer } from "effect"
import { address } from "../../src/domain/Domain.ts"
import { Name } from "../../src/domain/Name.ts"
import { topics } from "../../src/wire/Command.ts"
import { Phrases, terminalSafe } from "../../src/wire/Phrases.ts"
import { chosenName, text } from "../support/arbitraries.ts"
import { config } from "../support/server.ts"

const bob = { address: address("127.0.0.1", 4000), name: Name("Bob") }
const stranger = { address: address("::1", 4001), name: Name("[::1]:4001") }

const standing = { online: 3, linesPerSecond: 12.34, backlog: 500, skipped: 7, idleLeft: 300 }

type Language = typeof Phrases.Service

/** The table of the protocol, row by row. */
const table: ReadonlyArray<readonly [event: string, render: (phrases: Language) => string, zh: string, en: string]> = [
  ["online", (p) => p.online(bob), "[127.0.0.1:4000]Bob:已上线", "[127.0.0.1:4000]Bob:online"],
  ["online, IPv6", (p) => p.online(stranger), "[[::1]:4001][::1]:4001:已上线", "[[::1]:4001][::1]:4001:online"],
  ["offline", (p) => p.offline(bob), "[127.0.0.1:4000]Bob:下线", "[127.0.0.1:4000]Bob:offline"],
  ["message", (p) => p.said(bob, "hi|*** 你好"), "[127.0.0.1:4000]Bob:hi|*** 你好", "[127.0.0.1:4000]Bob:hi|*** 你好"],
  ["who", (p) => p.present(bob), "[127.0.0.1:4000]Bob:在线...", "[127.0.0.1:4000]Bob:online..."],
  ["renamed", (p) => p.renamed("Bob"), "您已经更新用户名:Bob", "your name is now:Bob"],
  ["name taken", (p) => p.nameTaken, "当前用户名被使用", "that name is taken"],
  [
    "name not allowed",
    (p) => p.nameNotAllowed,
    "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。",
    "name not allowed, use 1-32 letters, digits, \"_\", \"-\" or \".\"."
  ],
  ["private message", (p) => p.told(bob, "hi"), "Bob对您说:hi", "Bob to you:hi"],
  [
    "`to` malformed",
    (p) => p.tellMalformed,
    "消息格式不正确，请使用 \"to|张三|你好啊\"格式。",
    "malformed, use \"to|name|text\"."
  ],
  ["`to` unknown name", (p) => p.tellNobody, "该用户名不存在", "no such user"],
  ["`to` empty text", (p) => p.tellEmpty, "无消息内容，请重发", "empty message, send again"],
  [
    "unknown command",
    (p) => p.unknownCommand("/xyz"),
    "*** 未知命令 /xyz，输入 /help 查看帮助",
    "*** unknown command /xyz, try /help"
  ],
  [
    "line too long",
    (p) => p.lineTooLong(4096),
    "*** 消息过长（上限 4096 字节），未发送",
    "*** line too long (limit 4096 bytes), not sent"
  ],
  ["idle warning", (p) => p.idleWarning(60), "*** 60 秒内未发言将被踢出", "*** idle, you will be dropped in 60 s"],
  ["idle kick", (p) => p.kicked, "你被踢了", "you were kicked"],
  ["skipped lines", (p) => p.skipped(7), "*** 接收过慢，已跳过 7 行", "*** too slow, 7 lines skipped"],
  ["server full", (p) => p.serverFull, "*** 服务器已满，请稍后再试", "*** server full, try later"],
  [
    "too many from one address",
    (p) => p.tooManyFromAddress,
    "*** 同一地址连接过多",
    "*** too many connections from your address"
  ],
  [
    "stats, users",
    (p) => p.stats(standing)[0],
    "*** 在线 3 人",
    "*** online: 3"
  ],
  [
    "stats, pace",
    (p) => p.stats(standing)[1],
    "*** 全服每秒收到 12.3 行",
    "*** lines a second, from all users: 12.3"
  ],
  [
    "stats, backlog",
    (p) => p.stats(standing)[2],
    "*** 您的积压 500 字节，已跳过 7 行",
    "*** your backlog: 500 bytes, 7 lines skipped"
  ],
  ["stats, idle time", (p) => p.stats(standing)[3], "*** 再 300 秒未发言将被踢出", "*** idle time left: 300 s"],
  [
    "stats, any time",
    (p) => p.stats({ ...standing, idleLeft: undefined })[3],
    "*** 不会因未发言被踢出",
    "*** idle time left: no limit"
  ],
  ["shutting down", (p) => p.shuttingDown, "*** 服务器即将关闭", "*** server shutting down"]
]

/** Every line that holds what a user typed. */
const linesWith = (name: string, text: string) => {
  const speaker = { address: bob.address, name: Name(name) }
  return [Phrases.zh, Phrases.en].flatMap((phrases) => [
    phrases.said(speaker, text),
    phrases.told(speaker, text),
    phrases.unknownCommand(text)
  ])
}

// By the properties of Unicode, not by the ranges that the source lists: TAB is the one control that may stay.
const control = /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

describe("Phrases", () => {
  for (const [event, render, zh, en] of table) {
    it(`words "${event}" as the protocol does`, () => {
      assert.strictEqual(render(Phrases.zh), `${zh}\n`)
      assert.strictEqual(render(Phrases.en), `${en}\n`)
    })
  }

  it("explains every command in a notice of one line", () => {
    for (const phrases of [Phrases.zh, Phrases.en]) {
      for (const { topic, usage } of topics) {
        const line = phrases.help(usage, topic)
        assert.isTrue(line.startsWith(`*** ${usage}  `) && line.endsWith("\n"))
        assert.match(line.slice(`*** ${usage}  `.length, -1), /^[^\n]+$/)
      }
    }
  })

  it.effect("speaks the language of the configuration", () =>
    Effect.gen(function*() {
      for (const lang of ["zh", "en"] as const) {
        const layer = Layer.provide(Phrases.layer, config({ lang }))
        assert.strictEqual(yield* Effect.provide(Phrases, layer), Phrases[lang])
      }
    }))

  it.prop("renders any text as one line without control characters", [chosenName, text], ([name, text]) => {
    for (const line of linesWith(name, text)) {
      assert.strictEqual(line.indexOf("\n"), line.length - 1)
      assert.notMatch(line.slice(0, -1), control)
    }
  }, { fastCheck: { numRuns: 1000 } })

  it("lets no single control character through, and keeps every other character", () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const character = String.fromCodePoint(code)
      const expected = control.test(character) ? "\ufffd" : character
      if (terminalSafe(character) !== expected) assert.fail(`U+${code.toString(16)} becomes ${terminalSafe(character)}`)
    }
  })

  it("puts U+FFFD in the place of each control character", () => {
    const text = "a\u001b[2Jb\rc\u202ed\u2028e\tf"
    assert.strictEqual(Phrases.en.said(bob, text), "[127.0.0.1:4000]Bob:a\ufffd[2Jb\ufffdc\ufffdd\ufffde\tf\n")
    assert.strictEqual(Phrases.en.told(bob, text), "Bob to you:a\ufffd[2Jb\ufffdc\ufffdd\ufffde\tf\n")
    assert.strictEqual(Phrases.en.unknownCommand("/\u001bx"), "*** unknown command /\ufffdx, try /help\n")
  })

  it("keeps emoji and joiners", () => {
    const text = "👩‍👩‍👧 ❤️ नमस्ते क्‍ष می‌خواهم 张é"
    assert.strictEqual(terminalSafe(text), text)
  })

  it.prop("begins every line about a user with the user, whatever is said", [chosenName, text], ([name, text]) => {
    FastCheck.pre(text !== "")
    const speaker = { address: bob.address, name: Name(name) }
    for (const phrases of [Phrases.zh, Phrases.en]) {
      for (const line of [phrases.said(speaker, text), phrases.online(speaker), phrases.offline(speaker)]) {
        assert.isTrue(line.startsWith(`[127.0.0.1:4000]${name}:`))
      }
      assert.isTrue(phrases.told(speaker, text).startsWith(name))
    }
  })
})
