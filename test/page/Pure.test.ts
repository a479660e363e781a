/** The parts of the page that know no element: laws. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { readFileSync } from "node:fs"
import { dirname } from "node:path"
import { backoff } from "../../src/client/Backoff.ts"
import * as Commands from "../../src/client/Commands.ts"
import * as Completion from "../../src/client/Completion.ts"
import { mentions } from "../../src/client/Mentions.ts"
import { type Crowd, fold, type Move, nobody } from "../../src/client/Presence.ts"
import { Reading } from "../../src/client/Reading.ts"
import { isSecret, Recall } from "../../src/client/Recall.ts"
import { isUnnamed } from "../../src/client/Session.ts"
import words from "../../src/client/words.json" with { type: "json" }
import { parts } from "../../src/page/Links.ts"
import * as Command from "../../src/wire/Command.ts"
import { chosenName, text } from "../support/arbitraries.ts"
import { bundle } from "../support/bundle.ts"

const { array, boolean, constant, constantFrom, integer, nat, oneof, record, tuple } = FastCheck

describe("What the page knows", () => {
  const move = tuple(constantFrom<Move>("came", "left"), constantFrom("Ann", "Bob", "Cem"))

  it.prop("folds presence to what is different in the end", [array(move)], ([moves]) => {
    const crowd = moves.reduce((crowd: Crowd, [move, name]) => fold(crowd, move, name), nobody)
    // A name is counted by its moves in turn; the same one twice changes nothing.
    for (const name of ["Ann", "Bob", "Cem"]) {
      const last = moves.findLast(([, other]) => other === name)?.[0]
      const inCame = crowd.came.filter((other) => other === name).length
      const inLeft = crowd.left.filter((other) => other === name).length
      assert.isAtMost(inCame + inLeft, 1)
      if (last === undefined) assert.strictEqual(inCame + inLeft, 0)
      if (last === "came") assert.strictEqual(inLeft, 0)
      if (last === "left") assert.strictEqual(inCame, 0)
    }
  })

  it("takes whoever is called by its address for unnamed, the second of those behind a hidden one too", () => {
    for (const name of ["~k2fqv7ha", "~k2fqv7ha#2"]) assert.isTrue(isUnnamed({ addr: "~k2fqv7ha", name }))
    for (const [addr, name] of [["~k2fqv7ha", "k2fqv7ha"], ["127.0.0.1:5", "127"]] as const) {
      assert.isFalse(isUnnamed({ addr, name }))
    }
  })

  const piece = oneof(
    text,
    constantFrom(
      "https://a.example/x?y=(z)",
      "http://b.example/路径",
      "javascript:alert(1)",
      "https://user@c.example/",
      "https://evil.example\\@d.example/",
      "（https://d.example。",
      " "
    )
  )
  it.prop("finds links without changing a text, and only http and https", [array(piece)], ([pieces]) => {
    const whole = pieces.join("")
    const found = parts(whole)
    assert.strictEqual(found.map(({ text }) => text).join(""), whole)
    for (const { isLink, text } of found) {
      if (isLink === undefined) continue
      const { password, protocol, username } = new URL(text)
      assert.match(protocol, /^https?:$/)
      assert.strictEqual(username + password, "")
      assert.notMatch(text, /[\s，。（）]|^https?:\/\/[^/?#]*\\/i)
    }
  })
  it("ends a link where a sentence ends", () => {
    const links = (text: string) => parts(text).filter(({ isLink }) => isLink).map(({ text }) => text)
    assert.deepStrictEqual(links("见 https://a.example/x，好。"), ["https://a.example/x"])
    assert.deepStrictEqual(links("(https://a.example/x). https://a.example/(y), "), [
      "https://a.example/x",
      "https://a.example/(y)"
    ])
    assert.deepStrictEqual(links("https://bank.example@evil.example/ ftp://x"), [])
  })

  it("knows a mention from a part of a word", () => {
    for (
      const [text, name, is] of [
        ["Bob, hi", "bob", true],
        ["hi @bob!", "Bob", true],
        ["bobbing", "Bob", false],
        ["abob", "Bob", false],
        ["请张三看", "张三", true],
        ["问Bob吧", "Bob", true],
        ["nothing", "", false]
      ] as const
    ) {
      assert.strictEqual(mentions(text, name), is, `${text} ${name}`)
    }
  })

  it.prop("waits from 1 to 30 s, never the same for all", [
    nat(1000),
    FastCheck.double({ min: 0, max: 1, noNaN: true })
  ], (
    [tries, random]
  ) => {
    assert.isTrue(backoff(tries, random) >= 1000 && backoff(tries, random) <= 30_000)
    if (tries > 1) assert.notStrictEqual(backoff(tries, 0), backoff(tries, 1))
  })

  it.prop("completes a word to one that begins with it, and leaves the rest of the line", [
    array(chosenName),
    text.filter((text) => !/\s$/.test(text)),
    text
  ], ([names, head, tail]) => {
    const { start, words } = Completion.candidates(head, names, Commands.words)
    for (const word of words) {
      assert.isTrue(word.toLowerCase().startsWith(head.slice(start).toLowerCase()))
      const done = Completion.put(head + tail, start, head.length, word)
      assert.strictEqual(done.text.slice(0, done.cursor), `${head.slice(0, start)}${word} `)
      assert.isTrue(tail.endsWith(done.text.slice(done.cursor)))
    }
  })

  it.prop("recalls no line that holds a secret", [
    constantFrom(
      "/nick Bob#",
      "rename|Bob#",
      "/rename Bob ",
      "/secret ",
      "/op ",
      "op ",
      " ／ＮＩＣＫ Bob＃".normalize("NFKC")
    ),
    FastCheck.stringMatching(/^[a-z]{6,20}[0-9]$/)
  ], ([head, secret]) => {
    const recall = new Recall()
    recall.add(`${head}${secret}`)
    recall.add("plain words")
    assert.isTrue(isSecret(`${head}${secret}`))
    assert.strictEqual(recall.step(-1, ""), "plain words")
    assert.isUndefined(recall.step(-1, "plain words"))
  })
})

describe("The lines of a room", () => {
  const step = oneof(
    record({ is: constant("said" as const) }),
    record({ is: constant("break" as const) }),
    record({ is: constant("resume" as const), page: integer({ min: 1, max: 4 }) })
  )

  // The world says lines all the time; the reader is cut off and comes back at any moment.
  it.prop(
    "are shown each once and in order, however often the connection breaks",
    [array(step), boolean()],
    ([steps]) => {
      const reading = new Reading<{ readonly seq: number }>()
      const shown: Array<number> = []
      const show = (lines: ReadonlyArray<{ readonly seq: number }>) => shown.push(...lines.map(({ seq }) => seq))
      let said = 0
      let isOpen = true
      const resume = (page: number) => {
        if (isOpen) return
        isOpen = true
        reading.catchUp()
        const place = said
        // One more while the old ones are fetched.
        show(reading.said({ seq: ++said }))
        for (let after = reading.last ?? 0; after < place; after += page) {
          show(reading.past(Array.from({ length: Math.min(page, place - after) }, (_, n) => ({ seq: after + 1 + n }))))
        }
        show(reading.caughtUp())
      }
      for (const { is, ...more } of steps) {
        if (is === "said") {
          said++
          if (isOpen) show(reading.said({ seq: said }))
        } else if (is === "break") {
          isOpen = false
          reading.broken()
        } else resume("page" in more ? more.page : 1)
      }
      resume(2)
      assert.deepStrictEqual(shown, Array.from({ length: said }, (_, n) => n + 1))
    }
  )

  it.prop("take older ones before the first, none twice", [integer({ min: 1, max: 50 }), integer({ min: 1, max: 9 })], (
    [total, page]
  ) => {
    const reading = new Reading<{ readonly seq: number }>()
    const shown: Array<number> = []
    for (let before = total + 1; before > 1; before = reading.oldest ?? 0) {
      const from = Math.max(1, before - page)
      // The page before overlaps by one.
      const lines = Array.from({ length: Math.min(total, before) - from + 1 }, (_, n) => ({ seq: from + n }))
      shown.unshift(...reading.older(lines).map(({ seq }) => seq))
    }
    assert.deepStrictEqual(shown, Array.from({ length: total }, (_, n) => n + 1))
  })
})

describe("A typed line", () => {
  const anyLine = oneof(
    text,
    tuple(
      constantFrom("/", "／", " /", "", "//"),
      constantFrom(...Commands.words, "say", "rename|", "to|", "who", "TO｜", "fly"),
      constantFrom("", " ", "　"),
      oneof(text, chosenName, constantFrom("", "7", "0", "on", "Off", "Bob hi", "Bob|hi", "Bob｜hi", "a b"))
    ).map((all) => all.join(""))
  ).filter((line) => !/[\r\n]/.test(line))

  /** What the server makes of it, as the page has it. */
  const expected = (line: string): unknown => {
    const command = Command.parse(line)
    switch (command._tag) {
      case "Say":
        return { is: "ask", asked: { do: "say", text: command.text } }
      case "Tell":
        return { is: "ask", asked: { do: "to", name: command.name, text: command.text } }
      case "Unknown":
        return { is: "unknown", word: command.command }
      case "Blank":
        return { is: "nothing" }
      case "Join":
        return { is: "ask", asked: { do: "join", room: command.room } }
      case "Time":
        return { is: "time", shown: command.shown }
      default:
        return undefined
    }
  }

  it.prop("means what the server takes it for", [anyLine], ([line]) => {
    const typed = Commands.read(line)
    const wanted = expected(line)
    if (wanted !== undefined) assert.deepStrictEqual<unknown>(typed, wanted)
    // Nothing is said to everyone that the server would not say.
    else assert.isFalse(typed.is === "ask" && typed.asked.do === "say", line)
  })
})

describe("The words of the page", () => {
  const html = readFileSync(`${dirname(bundle)}/page/index.html`, "utf8")

  it("stand there in both languages", () => {
    for (const [tag] of html.matchAll(/<[a-z][^>]*data-(?:zh|en)=[^>]*>/g)) {
      assert.match(tag, /data-zh="[^"]+" data-en="[^"]+"/)
    }
  })

  it("are those that the script asks for", () => {
    for (const key of Object.keys({ ...words.both, ...words.page })) assert.include(html, `<p id="${key}" data-zh=`)
    assert.notInclude(html, "<!--")
  })

  it("list the commands that the server knows", () => {
    const listed = [...html.matchAll(/<dt>([^<]+)<\/dt>/g)].flatMap(([, usage = ""]) => usage.split(", "))
    const known = Command.topics
      .filter(({ topic }) => topic !== "json")
      .flatMap(({ usage }) => usage.split(", "))
      .filter((usage) => usage.startsWith("/"))
    assert.sameMembers([...new Set(listed)], [
      ...new Set(known.map((usage) => usage.replace("NAME#SECRET", "NAME#SECRET")))
    ])
  })
})
