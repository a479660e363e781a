import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Command, type HelpTopic, parse, topics } from "../../src/wire/Command.ts"
import { OperatorCommand } from "../../src/wire/OperatorCommand.ts"
import { chosenName, text } from "../support/arbitraries.ts"

const noSecret = { secret: undefined }

/** What each topic of the help promises, for the name and the text in its spelling. */
const promised: { readonly [Topic in HelpTopic]: (name: string, text: string) => Command } = {
  who: () => Command.Who({ room: undefined }),
  rename: (name) => Command.Rename({ name, ...noSecret }),
  own: (name) => Command.Rename({ name, secret: "open sesame" }),
  secret: () => Command.Secret({ secret: "open sesame" }),
  disown: () => Command.Disown(),
  to: (name, text) => Command.Tell({ name, text }),
  history: () => Command.History({ limit: 7 }),
  missed: () => Command.Missed(),
  join: () => Command.Join({ room: "dev" }),
  leave: () => Command.Leave(),
  rooms: () => Command.Rooms(),
  ignore: (name) => Command.Ignore({ name }),
  unignore: (name) => Command.Unignore({ name }),
  whois: (name) => Command.Whois({ name }),
  time: () => Command.Time({ shown: true }),
  json: () => Command.Json(),
  stats: () => Command.Stats(),
  help: () => Command.Help(),
  quit: () => Command.Quit(),
  say: (_, text) => Command.Say({ text: `/${text}` })
}

const operate = (command: string, act: OperatorCommand) => Command.Operate({ command, act })

const spellings = topics.flatMap(({ topic, usage }) => usage.split(", ").map((spelling) => ({ topic, spelling })))

const blanks = FastCheck.stringMatching(/^[\t \u00a0\u3000]{0,3}$/)

describe("Command", () => {
  const rows: ReadonlyArray<readonly [line: string, Command]> = [
    ["who", Command.Who({ room: undefined })],
    ["/who", Command.Who({ room: undefined })],
    ["rename|bob", Command.Rename({ name: "bob", ...noSecret })],
    ["rename|", Command.Rename({ name: "", ...noSecret })],
    ["rename|a|b", Command.Rename({ name: "a|b", ...noSecret })],
    ["/rename bob", Command.Rename({ name: "bob", ...noSecret })],
    ["/rename   bob  ", Command.Rename({ name: "bob", ...noSecret })],
    ["/rename", Command.Misused({ usage: "/rename NAME" })],
    ["/NICK", Command.Misused({ usage: "/nick NAME" })],
    ["/nick bob eve", Command.Misused({ usage: "/nick NAME" })],
    ["/who is there", Command.Misused({ usage: "/who [ROOM]" })],
    ["/who #dev", Command.Who({ room: "#dev" })],
    ["/stats 5", Command.Misused({ usage: "/stats" })],
    ["/exit now", Command.Misused({ usage: "/exit" })],
    ["/exit", Command.Quit()],
    ["/ExIt ", Command.Quit()],
    ["/nick bob", Command.Rename({ name: "bob", ...noSecret })],
    ["to|bob|hi", Command.Tell({ name: "bob", text: "hi" })],
    ["to|a|b|c", Command.Tell({ name: "a", text: "b|c" })],
    ["to|bob|", Command.Tell({ name: "bob", text: "" })],
    ["to||hi", Command.Tell({ name: "", text: "hi" })],
    ["to|127.0.0.1:4000|hi", Command.Tell({ name: "127.0.0.1:4000", text: "hi" })],
    ["to|bob", Command.TellMalformed()],
    ["to|", Command.TellMalformed()],
    ["/to bob hi there", Command.Tell({ name: "bob", text: "hi there" })],
    ["/to bob", Command.Tell({ name: "bob", text: "" })],
    ["/to", Command.Tell({ name: "", text: "" })],
    ["/msg bob a|b", Command.Tell({ name: "bob", text: "a|b" })],
    ["/stats", Command.Stats()],
    ["/history", Command.History({ limit: 20 })],
    ["/History 7 ", Command.History({ limit: 7 })],
    ["/history 99999999999999999999", Command.History({ limit: 1000 })],
    ["/history 0", Command.Misused({ usage: "/history [N]" })],
    ["/history abc", Command.Misused({ usage: "/history [N]" })],
    ["/history -1", Command.Misused({ usage: "/history [N]" })],
    ["/history 1 2", Command.Misused({ usage: "/history [N]" })],
    ["/time ON", Command.Time({ shown: true })],
    ["/time off", Command.Time({ shown: false })],
    ["/time", Command.Misused({ usage: "/time on|off" })],
    ["/time maybe", Command.Misused({ usage: "/time on|off" })],
    ["/help", Command.Help()],
    ["/quit", Command.Quit()],
    ["//who", Command.Say({ text: "/who" })],
    ["//", Command.Say({ text: "/" })],
    ["///", Command.Say({ text: "//" })],
    ["/xyz", Command.Unknown({ command: "/xyz" })],
    ["/xyz some words", Command.Unknown({ command: "/xyz" })],
    ["/WHO", Command.Who({ room: undefined })],
    [" ／who\u3000", Command.Who({ room: undefined })],
    [" \twho ", Command.Who({ room: undefined })],
    ["Who", Command.Say({ text: "Who" })],
    [" To｜Bob｜hi", Command.Tell({ name: "Bob", text: "hi" })],
    ["TO|Ali|x", Command.Tell({ name: "Ali", text: "x" })],
    ["to |Ali|x", Command.Tell({ name: "Ali", text: "x" })],
    ["to｜Ali｜x", Command.Tell({ name: "Ali", text: "x" })],
    ["to| Ali\u3000｜ x|y｜z ", Command.Tell({ name: "Ali", text: " x|y｜z " })],
    ["／MSG Ali  x ", Command.Tell({ name: "Ali", text: "x " })],
    ["Rename ｜ 张三 ", Command.Rename({ name: "张三", ...noSecret })],
    ["　rename|bob", Command.Rename({ name: "bob", ...noSecret })],
    ["/to|bob|hi", Command.Unknown({ command: "/to|bob|hi" })],
    ["  two blanks stay ", Command.Say({ text: "  two blanks stay " })],
    ["／／who", Command.Say({ text: "/who" })],
    [" //who", Command.Say({ text: "/who" })],
    ["rename bob#secret", Command.Misused({ usage: "rename|NAME" })],
    [" Nick：bob＃secret", Command.Misused({ usage: "/nick NAME" })],
    ["//nick bob#secret", Command.Misused({ usage: "/nick NAME" })],
    ["rename: bob #x", Command.Misused({ usage: "rename|NAME" })],
    ["op secret", Command.Misused({ usage: "/op SECRET" })],
    ["op|secret", Command.Misused({ usage: "/op SECRET" })],
    ["/op secret ", operate("/op", OperatorCommand.Op({ secret: "secret" }))],
    ["／Op　a b#c", operate("/Op", OperatorCommand.Op({ secret: "a b#c" }))],
    ["/op", operate("/op", OperatorCommand.Misused({ usage: "/op SECRET" }))],
    ["/kick Bob", operate("/kick", OperatorCommand.Kick({ name: "Bob", reason: "" }))],
    ["/kick  Bob  too  loud ", operate("/kick", OperatorCommand.Kick({ name: "Bob", reason: "too  loud" }))],
    [`/kick Bob ${"x".repeat(257)}`, operate("/kick", OperatorCommand.Misused({ usage: "/kick NAME [REASON]" }))],
    ["/mute Bob", operate("/mute", OperatorCommand.Mute({ name: "Bob", duration: 3_600_000 }))],
    ["/mute Bob 90s", operate("/mute", OperatorCommand.Mute({ name: "Bob", duration: 90_000 }))],
    ["/mute Bob soon", operate("/mute", OperatorCommand.Misused({ usage: "/mute NAME [DURATION]" }))],
    ["/mute Bob 0s", operate("/mute", OperatorCommand.Misused({ usage: "/mute NAME [DURATION]" }))],
    ["/ban Bob", operate("/ban", OperatorCommand.Ban({ target: "Bob", duration: undefined, reason: "" }))],
    ["/ban ::/64 2d", operate("/ban", OperatorCommand.Ban({ target: "::/64", duration: 172_800_000, reason: "" }))],
    ["/ban x 2d 3d", operate("/ban", OperatorCommand.Ban({ target: "x", duration: 172_800_000, reason: "3d" }))],
    ["/ban x 2 d", operate("/ban", OperatorCommand.Ban({ target: "x", duration: undefined, reason: "2 d" }))],
    ["/ban x 2D", operate("/ban", OperatorCommand.Ban({ target: "x", duration: undefined, reason: "2D" }))],
    [
      `/ban x ${"9".repeat(400)}d`,
      operate("/ban", OperatorCommand.Ban({ target: "x", duration: 36_500 * 86_400_000, reason: "" }))
    ],
    ["/bans x", operate("/bans", OperatorCommand.Misused({ usage: "/bans" }))],
    ["/erase 1.2.3.4 1m", operate("/erase", OperatorCommand.Erase({ whose: "1.2.3.4", duration: 60_000 }))],
    ["/announce  a b ", operate("/announce", OperatorCommand.Announce({ text: "a b " }))],
    ["/announce  ", operate("/announce", OperatorCommand.Misused({ usage: "/announce TEXT" }))],
    ["\\nick bob#secret1", Command.Misused({ usage: "/nick NAME" })],
    [".nick bob#secret1", Command.Misused({ usage: "/nick NAME" })],
    [" 、rename bob＃secret1", Command.Misused({ usage: "rename|NAME" })],
    ["ｎｉｃｋ bob#secret1", Command.Misused({ usage: "/nick NAME" })],
    ["\\op secret", Command.Misused({ usage: "/op SECRET" })],
    ["secret new-pass-1", Command.Misused({ usage: "/secret NEW" })],
    ["Secret： newpass1 ", Command.Misused({ usage: "/secret NEW" })],
    ["\\secret new-pass-1", Command.Misused({ usage: "/secret NEW" })],
    ["//secret new-pass-1", Command.Say({ text: "/secret new-pass-1" })],
    ["//msg|a|b", Command.Say({ text: "/msg|a|b" })],
    ["secret garden", Command.Say({ text: "secret garden" })],
    ["secret: 12345", Command.Say({ text: "secret: 12345" })],
    ["secret meeting at 10:30", Command.Say({ text: "secret meeting at 10:30" })],
    ["secrets: 123456", Command.Say({ text: "secrets: 123456" })],
    [" Ｔｏ｜小明｜你好", Command.Tell({ name: "小明", text: "你好" })],
    ["ＴO|小明|ｔｏ", Command.Tell({ name: "小明", text: "ｔｏ" })],
    ["ｒｅｎａｍｅ｜bob#open sesame", Command.Rename({ name: "bob", secret: "open sesame" })],
    ["ｗｈｏ", Command.Say({ text: "ｗｈｏ" })],
    ["msg|小明|p5", Command.Misused({ usage: "to|NAME|TEXT" })],
    [" Ｍsg ｜ 小明 ｜", Command.Misused({ usage: "to|NAME|TEXT" })],
    ["msg | wc -l", Command.Say({ text: "msg | wc -l" })],
    ["msg 小明 p5", Command.Say({ text: "msg 小明 p5" })],
    ["...nick", Command.Say({ text: "...nick" })],
    [".5 #1", Command.Say({ text: ".5 #1" })],
    ["nickbob#secret1", Command.Say({ text: "nickbob#secret1" })],
    ["nick is my friend", Command.Say({ text: "nick is my friend" })],
    ["operators #1", Command.Say({ text: "operators #1" })],
    ["renamed #2", Command.Say({ text: "renamed #2" })],
    ["/constructor", Command.Unknown({ command: "/constructor" })],
    ["/", Command.Unknown({ command: "/" })],
    ["rename|bob#open sesame ", Command.Rename({ name: "bob", secret: "open sesame" })],
    ["/nick bob ＃a#b", Command.Rename({ name: "bob", secret: "a#b" })],
    ["/nick bob#", Command.Rename({ name: "bob", secret: "" })],
    ["/nick #secret", Command.Misused({ usage: "/nick NAME" })],
    ["/nick bob eve#secret", Command.Misused({ usage: "/nick NAME" })],
    ["/secret open  sesame ", Command.Secret({ secret: "open  sesame" })],
    ["/secret", Command.Misused({ usage: "/secret NEW" })],
    ["/disown", Command.Disown()],
    ["/disown bob", Command.Misused({ usage: "/disown" })],
    ["/J #dev", Command.Join({ room: "#dev" })],
    ["/join", Command.Misused({ usage: "/join ROOM" })],
    ["/j a b", Command.Misused({ usage: "/j ROOM" })],
    ["/leave", Command.Leave()],
    ["/leave dev", Command.Misused({ usage: "/leave" })],
    ["/rooms", Command.Rooms()],
    ["/missed", Command.Missed()],
    ["/ignore", Command.Ignore({ name: undefined })],
    ["/ignore bob", Command.Ignore({ name: "bob" })],
    ["/ignore bob eve", Command.Misused({ usage: "/ignore [NAME]" })],
    ["/unignore", Command.Misused({ usage: "/unignore NAME" })],
    ["/whois", Command.Whois({ name: undefined })],
    ["/whois bob", Command.Whois({ name: "bob" })],
    ["/json", Command.Json()],
    ["/json please", Command.Misused({ usage: "/json" })],
    ["", Command.Blank()],
    [" \t\u00a0\u3000", Command.Blank()],
    ["\r", Command.Blank()],
    ["who is there", Command.Say({ text: "who is there" })],
    ["rename", Command.Say({ text: "rename" })],
    ["rename bob", Command.Say({ text: "rename bob" })],
    ["to", Command.Say({ text: "to" })],
    ["to bob hi", Command.Say({ text: "to bob hi" })],
    ["help", Command.Say({ text: "help" })],
    [" who", Command.Who({ room: undefined })],
    ["hello", Command.Say({ text: "hello" })]
  ]
  for (const [line, command] of rows) {
    it(`reads ${JSON.stringify(line)} as ${JSON.stringify(command)}`, () => {
      assert.deepStrictEqual(parse(line), command)
    })
  }

  it("reads lines of many blanks in a time that grows with them, not with their square", () => {
    const blanks = " ".repeat(1_048_576)
    for (
      const line of [
        `rename|${blanks}x`,
        `to|${blanks}x|${blanks}x`,
        `who${blanks}x`,
        `/nick${blanks}x${blanks}x`,
        `secret${blanks}1${blanks}x`
      ]
    ) {
      assert.notStrictEqual(parse(line)._tag, "Unknown")
    }
    assert.deepStrictEqual(parse(`/who${blanks}`), Command.Who({ room: undefined }))
  })

  it.prop("says every text as it is that is no command, whatever it holds", [text], ([text]) => {
    FastCheck.pre(
      text.trim() !== "" &&
        !/^[\t\p{Zs}]*([/／\\＼.．。、]|who[\t\p{Zs}]*$|(rename|to|nick|op|secret|msg)[\t\p{Zs}:：|｜])/iu.test(text)
    )
    assert.deepStrictEqual(parse(text), Command.Say({ text }))
  })

  it.prop("says whatever stands behind a doubled slash, but a secret", [text], ([text]) => {
    FastCheck.pre(!/^[\t\p{Zs}/／\\＼.．。、]*(rename|nick|op)/iu.test(text))
    assert.deepStrictEqual(parse(`//${text}`), Command.Say({ text: `/${text}` }))
  })

  it.prop("takes every near miss of a private message as one, and never says it aloud", [
    blanks,
    FastCheck.constantFrom("to", "To", "tO", "TO", "ｔｏ", "Ｔo"),
    blanks,
    FastCheck.constantFrom("|", "｜"),
    blanks,
    chosenName,
    blanks,
    FastCheck.constantFrom("|", "｜"),
    text
  ], ([before, word, afterWord, bar, beforeName, name, afterName, otherBar, text]) =>
    assert.deepStrictEqual(
      parse(`${before}${word}${afterWord}${bar}${beforeName}${name}${afterName}${otherBar}${text}`),
      Command.Tell({ name, text })
    ))

  it.prop(
    "never says a secret aloud, whatever near miss of a command it stands in",
    [
      FastCheck.stringMatching(/^[\t \u3000/／]{0,4}$/),
      FastCheck.constantFrom("", "\\", ".", "、", "\\/ "),
      FastCheck.constantFrom("rename", "Rename", "nick", "NICK", "op", "Op", "ｎick", "ＯＰ"),
      FastCheck.constantFrom(" ", "\t", "\u3000", ":", "：", "|", "｜"),
      text,
      FastCheck.constantFrom("#", "＃"),
      text
    ],
    ([before, nearSlash, word, separator, name, hash, secret]) =>
      assert.notStrictEqual(parse(`${before}${nearSlash}${word}${separator}${name}${hash}${secret}`)._tag, "Say")
  )

  it.prop("takes everything behind the second | as the text", [chosenName, text], ([name, text]) => {
    assert.deepStrictEqual(parse(`to|${name}|${text}`), Command.Tell({ name, text }))
  })

  it.prop("makes a command of every line that begins like one", [
    FastCheck.constantFrom(
      { start: "to|", tags: ["Tell", "TellMalformed"] },
      { start: "/to ", tags: ["Tell"] },
      { start: "/msg\t", tags: ["Tell"] },
      { start: "rename|", tags: ["Rename"] },
      { start: "/nick ", tags: ["Rename", "Misused"] },
      { start: "/who ", tags: ["Who", "Misused"] },
      { start: "/", tags: [...Object.values(promised).map((make) => make("", "")._tag), "Unknown", "Misused"] }
    ),
    text
  ], ([{ start, tags }, text]) => assert.include(tags, parse(start + text)._tag))

  it.prop("does what the help says, for each spelling in it", [
    FastCheck.constantFrom(...spellings),
    chosenName,
    text
  ], ([{ topic, spelling }, name, text]) => {
    FastCheck.pre(!spelling.startsWith("//") || parse(`//${text}`)._tag === "Say")
    // Blanks around the name belong to nothing.
    FastCheck.pre(!/^[\t\p{Zs}]/u.test(text))
    const line = spelling
      .replace("[N]", "7")
      .replace("[ROOM]", "")
      .replace("ROOM", "dev")
      .replace(/\[(.*)\]/, "$1")
      .replace("SECRET", "open sesame")
      .replace("NEW", "open sesame")
      .replace("on|off", "on")
      // These may look like any of those.
      .replace(/NAME|TEXT/g, (word) => word === "NAME" ? name : text)
    assert.deepStrictEqual(parse(line), promised[topic](name, text))
  })

  it("explains each command in the help", () => {
    assert.sameMembers(topics.map(({ topic }) => topic), Object.keys(promised))
  })
})
