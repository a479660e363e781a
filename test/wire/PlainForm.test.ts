import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer } from "effect"
import { address } from "../../src/domain/Address.ts"
import { alone, Seq, UserId } from "../../src/domain/Event.ts"
import { Name, nameKey } from "../../src/domain/Name.ts"
import type { Output } from "../../src/domain/Output.ts"
import { lobby } from "../../src/domain/Room.ts"
import { terminalSafe } from "../../src/domain/Text.ts"
import { defaults } from "../../src/Flags.ts"
import { groups, topics } from "../../src/wire/Command.ts"
import * as PlainForm from "../../src/wire/PlainForm.ts"
import { chosenName, text } from "../support/arbitraries.ts"
import { config } from "../support/server.ts"

const bob = { address: address("127.0.0.1", 4000), name: Name("Bob") }
const stranger = { address: address("::1", 4001), name: Name("[::1]:4001") }

const zh = PlainForm.make({ ...defaults, lang: "zh" })
const en = PlainForm.make({ ...defaults, lang: "en" })

const standing = { online: 3, linesPerSecond: 12.34, backlog: 500, skipped: 7, idleLeft: 300 }

const line = { seq: Seq(1), at: new Date(2026, 10, 4, 9, 8, 7).getTime(), room: lobby.key, who: bob, text: "hi" }

const dev = { key: nameKey("dev"), name: "dev" }

/** The table of the protocol, row by row. */
const table: ReadonlyArray<readonly [event: string, output: Output, zh: string, en: string]> = [
  ["online", { _tag: "Online", who: bob, room: lobby }, "[127.0.0.1:4000]Bob:已上线", "[127.0.0.1:4000]Bob:online"],
  [
    "online, IPv6",
    { _tag: "Online", who: stranger, room: lobby },
    "[[::1]:4001][::1]:4001:已上线",
    "[[::1]:4001][::1]:4001:online"
  ],
  [
    "offline",
    { _tag: "Offline", who: bob, room: lobby, reason: "quit" },
    "[127.0.0.1:4000]Bob:下线",
    "[127.0.0.1:4000]Bob:offline"
  ],
  [
    "message",
    { _tag: "Said", who: bob, room: lobby, seq: Seq(1), text: "hi|*** 你好" },
    "[127.0.0.1:4000]Bob:hi|*** 你好",
    "[127.0.0.1:4000]Bob:hi|*** 你好"
  ],
  [
    "who",
    {
      _tag: "Users",
      room: lobby,
      users: [{ user: UserId(1), who: bob, room: lobby.key, since: Seq(1), at: line.at, node: alone }]
    },
    "[127.0.0.1:4000]Bob:在线...",
    "[127.0.0.1:4000]Bob:online..."
  ],
  [
    "welcome",
    { _tag: "Welcome", users: 3 },
    "*** 在线 3 人，消息保存 90 天，输入 /help 查看命令",
    "*** 3 online, what is said is kept for 90 days, /help lists the commands"
  ],
  [
    "an old line",
    { _tag: "Past", room: lobby, lines: [line] },
    "*** 11-04 09:08:07 [127.0.0.1:4000]Bob:hi",
    "*** 11-04 09:08:07 [127.0.0.1:4000]Bob:hi"
  ],
  ["no old lines", { _tag: "PastEnd", any: false, more: false }, "*** 还没有消息", "*** nothing yet"],
  ["too busy", { _tag: "Busy" }, "*** 服务器忙，请稍后再试", "*** busy, try again shortly"],
  ["renamed", { _tag: "Renamed", name: Name("Bob") }, "您已经更新用户名:Bob", "your name is now:Bob"],
  ["name taken", { _tag: "NameTaken" }, "当前用户名被使用", "that name is taken"],
  [
    "name not allowed",
    { _tag: "NameNotAllowed" },
    "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。",
    "name not allowed, use 1-32 letters, digits, \"_\", \"-\" or \".\"."
  ],
  ["name reserved", { _tag: "NameReserved" }, "*** 该用户名为系统保留", "*** that name is reserved"],
  ["private message", { _tag: "Private", from: bob, to: "Eve", text: "hi" }, "Bob对您说:hi", "Bob to you:hi"],
  [
    "`to` malformed",
    { _tag: "TellMalformed" },
    "消息格式不正确，请使用 \"to|张三|你好啊\"格式。",
    "malformed, use \"to|name|text\"."
  ],
  ["unknown name", { _tag: "NoSuchUser" }, "该用户名不存在", "no such user"],
  ["`to` empty text", { _tag: "TellEmpty" }, "无消息内容，请重发", "empty message, send again"],
  ["time on", { _tag: "TimeShown" }, "*** 已显示时间", "*** time is shown"],
  ["time off", { _tag: "TimeHidden" }, "*** 已不显示时间", "*** time is not shown"],
  ["usage", { _tag: "Usage", usage: "/nick NAME" }, "*** 用法：/nick NAME", "*** usage: /nick NAME"],
  [
    "unknown command",
    { _tag: "UnknownCommand", command: "/xyz" },
    "*** 未知命令 /xyz，输入 /help 查看帮助",
    "*** unknown command /xyz, try /help"
  ],
  [
    "line too long",
    { _tag: "LineTooLong", limit: 4096 },
    "*** 消息过长（上限 4096 字节），未发送",
    "*** line too long (limit 4096 bytes), not sent"
  ],
  [
    "idle warning",
    { _tag: "IdleWarning", seconds: 60 },
    "*** 60 秒内未发言将被踢出",
    "*** idle, you will be dropped in 60 s"
  ],
  ["idle kick", { _tag: "Kicked" }, "你被踢了", "you were kicked"],
  ["skipped lines", { _tag: "Skipped", lines: 7 }, "*** 接收过慢，已跳过 7 行", "*** too slow, 7 lines skipped"],
  [
    "lines cannot be kept",
    { _tag: "KeepingFails" },
    "*** 新消息暂时无法保存",
    "*** new messages cannot be kept right now"
  ],
  ["they can again", { _tag: "KeepingWorks" }, "*** 新消息已恢复保存", "*** new messages are kept again"],
  [
    "the log of all nodes is out of reach",
    { _tag: "CutOff" },
    "*** 暂时无法发言，正在重试",
    "*** nothing can be said right now, trying again"
  ],
  ["it is back", { _tag: "Back" }, "*** 已恢复", "*** all is well again"],
  [
    "it is another one",
    { _tag: "Replaced" },
    "*** 聊天记录已更换，旧消息不再可见",
    "*** the history was replaced, older lines are gone"
  ],
  [
    "another node does not answer",
    { _tag: "Unreachable", name: "张三" },
    "*** 暂时联系不到 张三，可能未送达",
    "*** 张三 cannot be reached right now, it may not have arrived"
  ],
  ["some could not", { _tag: "NotKept", lines: 7 }, "*** 7 行未能保存", "*** 7 lines could not be kept"],
  ["server full", { _tag: "ServerFull" }, "*** 服务器已满，请稍后再试", "*** server full, try later"],
  [
    "too many from one address",
    { _tag: "AddressFull" },
    "*** 同一地址连接过多",
    "*** too many connections from your address"
  ],
  [
    "too fast from one address",
    { _tag: "TooFast" },
    "*** 同一地址连接过快，请稍后再试",
    "*** too many visits from your address, try later"
  ],
  [
    "goes to another room",
    { _tag: "Went", who: bob, room: lobby, to: dev },
    "[127.0.0.1:4000]Bob:去了 #dev",
    "[127.0.0.1:4000]Bob:went to #dev"
  ],
  [
    "comes to a room",
    { _tag: "Came", who: bob, room: dev, from: lobby },
    "[127.0.0.1:4000]Bob:来到 #dev",
    "[127.0.0.1:4000]Bob:came to #dev"
  ],
  ["a room", { _tag: "Rooms", rooms: [{ room: dev, users: 3 }] }, "*** #dev 3 人", "*** #dev 3"],
  [
    "more was missed",
    { _tag: "OlderMissed" },
    "*** 更早还有未读消息，用 /history 查看",
    "*** older lines are missed too, see /history"
  ],
  [
    "`/missed` without an owned name",
    { _tag: "NeverOwned" },
    "*** 用户名未归您所有，无法记录",
    "*** only for names with an owner"
  ],
  [
    "name now owned",
    { _tag: "Owned", name: Name("Bob") },
    "*** Bob 归您所有，口令可随时取回",
    "*** Bob is yours, the secret gets it back"
  ],
  [
    "owned by somebody else",
    { _tag: "NameOwned", name: "Bob" },
    "*** Bob 已有主人，请用 rename|Bob#口令",
    "*** Bob has an owner, use rename|Bob#SECRET"
  ],
  ["wrong secret", { _tag: "WrongSecret" }, "*** 口令不对", "*** wrong secret"],
  [
    "bad secret",
    { _tag: "BadSecret" },
    "*** 口令需至少 6 个字符，至多 128 字节",
    "*** a secret has at least 6 characters and at most 128 bytes"
  ],
  ["no more names to own", { _tag: "TooManyNames" }, "*** 暂不能登记更多用户名", "*** no more names can be owned now"],
  ["taken over", { _tag: "TakenOver" }, "*** 您已在别处登录", "*** you came in from elsewhere"],
  ["secret changed", { _tag: "SecretChanged" }, "*** 口令已更改", "*** secret changed"],
  ["disowned", { _tag: "Disowned", name: "Bob" }, "*** Bob 不再归您所有", "*** Bob is not yours any more"],
  ["not mine", { _tag: "NotOwner", name: "Bob" }, "*** Bob 不归您所有", "*** Bob is not yours"],
  [
    "away lines",
    { _tag: "Away", lines: 7, isAll: true },
    "*** 您离开后这里有 7 行，输入 /missed 查看",
    "*** 7 lines while you were away, /missed shows them"
  ],
  [
    "more than 1000 away lines",
    { _tag: "Away", lines: 1000, isAll: false },
    "*** 您离开后这里有 1000+ 行，输入 /missed 查看",
    "*** 1000+ lines while you were away, /missed shows them"
  ],
  [
    "kept for an owner",
    { _tag: "Delivered", to: "Bob", kept: true },
    "*** Bob 不在线，已留言",
    "*** Bob is offline, the message is kept"
  ],
  ["mailbox full", { _tag: "MailboxFull", name: "Bob" }, "*** Bob 的留言已满", "*** the mailbox of Bob is full"],
  [
    "a kept message",
    { _tag: "Kept", from: bob, to: "Eve", text: "hi", at: line.at },
    "*** 11-04 09:08:07 Bob对您说:hi",
    "*** 11-04 09:08:07 Bob to you:hi"
  ],
  [
    "whois",
    { _tag: "Whois", who: bob, room: dev, at: line.at },
    "*** [127.0.0.1:4000]Bob 在 #dev，11-04 09:08:07 上线",
    "*** [127.0.0.1:4000]Bob in #dev, online since 11-04 09:08:07"
  ],
  ["ignore", { _tag: "Ignored", name: "Bob" }, "*** 已屏蔽 Bob", "*** Bob is ignored"],
  ["unignore", { _tag: "Unignored", name: "Bob" }, "*** 已取消屏蔽 Bob", "*** Bob is not ignored any more"],
  ["whom I ignore", { _tag: "Ignoring", names: ["Bob", "Eve"] }, "*** Bob\n*** Eve", "*** Bob\n*** Eve"],
  ["nobody is ignored", { _tag: "Ignoring", names: [] }, "*** 没有屏蔽任何人", "*** nobody is ignored"],
  ["ignore list full", { _tag: "IgnoreFull" }, "*** 屏蔽名单已满", "*** your ignore list is full"],
  ["own room joined again", { _tag: "AlreadyThere", room: dev }, "*** 您已在 #dev", "*** you are in #dev already"],
  ["bad room name", { _tag: "RoomNotAllowed" }, "*** 房间名不合法", "*** room name not allowed"],
  ["no such room", { _tag: "NoSuchRoom" }, "*** 没有这个房间", "*** no such room"],
  ["too many rooms", { _tag: "TooManyRooms" }, "*** 房间数量已达上限", "*** too many rooms"],
  [
    "stats",
    { _tag: "Stats", standing },
    "*** 在线 3 人\n*** 全服每秒收到 12.3 行\n*** 您的积压 500 字节，已跳过 7 行\n*** 再 300 秒未发言将被踢出",
    "*** online: 3\n*** lines a second, from all users: 12.3\n*** your backlog: 500 bytes, 7 lines skipped\n*** idle time left: 300 s"
  ],
  [
    "stats, any time",
    { _tag: "Stats", standing: { ...standing, idleLeft: undefined } },
    "*** 在线 3 人\n*** 全服每秒收到 12.3 行\n*** 您的积压 500 字节，已跳过 7 行\n*** 不会因未发言被踢出",
    "*** online: 3\n*** lines a second, from all users: 12.3\n*** your backlog: 500 bytes, 7 lines skipped\n*** idle time left: no limit"
  ],
  ["shutting down", { _tag: "ShuttingDown" }, "*** 服务器即将关闭", "*** server shutting down"]
]

/** Every line that holds what a user typed. */
const linesWith = (name: string, text: string) => {
  const speaker = { address: bob.address, name: Name(name) }
  return [zh, en].flatMap(({ plain, timed }) =>
    [plain, timed].flatMap(({ render }) => [
      render({ _tag: "Said", who: speaker, room: lobby, seq: Seq(1), text }, 0),
      render({ _tag: "Private", from: speaker, to: name, text }, 0),
      render({ _tag: "Kept", from: speaker, to: name, text, at: 0 }, 0),
      render({ _tag: "MailboxFull", name: text }, 0),
      render({ _tag: "UnknownCommand", command: text }, 0),
      render({
        _tag: "Past",
        room: lobby,
        lines: [{ ...line, who: { address: line.who.address, name: Name(text) }, text }]
      }, 0)
    ])
  )
}

// By the properties of Unicode, not by the ranges that the source lists: TAB is the one control that may stay.
const control = /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

describe("PlainForm", () => {
  for (const [event, output, ofZh, ofEn] of table) {
    it(`words "${event}" as the protocol does`, () => {
      assert.strictEqual(zh.plain.render(output, 0), `${ofZh}\n`)
      assert.strictEqual(en.plain.render(output, 0), `${ofEn}\n`)
    })
  }

  it("says that nothing is kept by not saying for how long", () => {
    const words = (lang: "zh" | "en") =>
      PlainForm.make({ ...defaults, lang, data: "none" }).plain.render({ _tag: "Welcome", users: 3 }, 0)
    assert.strictEqual(words("zh"), "*** 在线 3 人，输入 /help 查看命令\n")
    assert.strictEqual(words("en"), "*** 3 online, /help lists the commands\n")
  })

  it("puts the time before each line, but for old ones, which have their own", () => {
    const at = new Date(2026, 0, 2, 3, 4, 5).getTime()
    for (const [, output, ofZh] of table) {
      const isOld = output._tag === "Past" || output._tag === "Kept"
      const expected = isOld ? ofZh : ofZh.replaceAll(/^/gm, "03:04:05 ")
      assert.strictEqual(zh.timed.render(output, at), `${expected}\n`)
    }
  })

  it("explains every command in a notice of one line, grouped, all of them on one screen", () => {
    // A character of Chinese takes two columns.
    const width = (line: string) => Array.from(line, (c) => c > "\u024f" ? 2 : 1).reduce((a, b) => a + b, 0)
    for (const { plain } of [zh, en]) {
      const lines = plain.render({ _tag: "Help" }, 0).split("\n").slice(0, -1)
      assert.isAtMost(lines.length, 24)
      for (const line of lines) assert.isAtMost(width(line), 80)
      for (const { usage } of topics) {
        assert.strictEqual(lines.filter((line) => line.startsWith(`***   ${usage}  `)).length, 1, usage)
      }
      assert.strictEqual(lines.filter((line) => !line.startsWith("***  ")).length, groups.length)
    }
  })

  it.effect("speaks the language of the configuration", () =>
    Effect.gen(function*() {
      for (const lang of ["zh", "en"] as const) {
        const { plain } = yield* Effect.provide(
          PlainForm.PlainForm,
          Layer.provide(PlainForm.PlainForm.layer, config({ lang }))
        )
        assert.strictEqual(plain.render({ _tag: "Kicked" }, 0), lang === "zh" ? "你被踢了\n" : "you were kicked\n")
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
    const words = (output: Output) => en.plain.render(output, 0)
    assert.strictEqual(
      words({ _tag: "Said", who: bob, room: lobby, seq: Seq(1), text }),
      "[127.0.0.1:4000]Bob:a\ufffd[2Jb\ufffdc\ufffdd\ufffde\tf\n"
    )
    assert.strictEqual(
      words({ _tag: "Private", from: bob, to: "Eve", text }),
      "Bob to you:a\ufffd[2Jb\ufffdc\ufffdd\ufffde\tf\n"
    )
    assert.strictEqual(
      words({ _tag: "UnknownCommand", command: "/\u001bx" }),
      "*** unknown command /\ufffdx, try /help\n"
    )
  })

  it("keeps emoji and joiners", () => {
    const text = "👩‍👩‍👧 ❤️ नमस्ते क्‍ष می‌خواهم 张é"
    assert.strictEqual(terminalSafe(text), text)
  })

  it.prop("begins every line about a user with the user, whatever is said", [chosenName, text], ([name, text]) => {
    FastCheck.pre(text !== "")
    const speaker = { address: bob.address, name: Name(name) }
    for (const { plain } of [zh, en]) {
      const words = (output: Output) => plain.render(output, 0)
      for (
        const line of [
          words({ _tag: "Said", who: speaker, room: lobby, seq: Seq(1), text }),
          words({ _tag: "Online", who: speaker, room: lobby }),
          words({ _tag: "Offline", who: speaker, room: lobby, reason: "quit" })
        ]
      ) {
        assert.isTrue(line.startsWith(`[127.0.0.1:4000]${name}:`))
      }
      assert.isTrue(words({ _tag: "Private", from: speaker, to: name, text }).startsWith(name))
    }
  })
})
