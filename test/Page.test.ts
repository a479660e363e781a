/** The web page in a real browser, at a real server, beside people at a netcat. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import axe from "axe-core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import * as Proxy from "./soak/nodes/Proxy.ts"
import { arrive, type Client } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import { act, again, browser, close, isAbsent, isOpen, pageAt, site, visit } from "./support/page.ts"

const named = (client: Client, name: string) =>
  Effect.zipRight(client.send(`/nick ${name}\n`), until(client, (line) => line.includes(name)))

const until = (client: Client, isMeant: (line: string) => boolean) => Effect.repeat(client.line, { until: isMeant })

const takeName = (page: Page, name: string, secret = "") =>
  act(`the name ${name}`, async () => {
    await page.click("#me")
    await page.fill("#newName", name)
    await page.fill("#newSecret", secret)
    await page.press("#newSecret", "Enter")
    await page.waitForFunction((name) => document.getElementById("me")?.textContent === name, name)
  })

/** As if the window had lost the focus, and got it again. */
const away = (page: Page) =>
  act("going away", () =>
    page.evaluate(() => {
      document.hasFocus = () => false
    }))
const back = (page: Page) =>
  act("coming back", () =>
    page.evaluate(() => {
      document.hasFocus = () => true
      dispatchEvent(new Event("focus"))
    }))

const scroll = (page: Page, top: number) =>
  act("scrolling", async () => {
    await page.mouse.move(400, 400)
    await page.evaluate((top) => {
      const log = document.getElementById("log")
      if (log !== null) log.scrollTop = top
    }, top)
  })

/** What is read at the top, and where it stands. */
const read = (page: Page) =>
  act("what is read", () =>
    page.evaluate(() => {
      const top = document.getElementById("log")?.getBoundingClientRect().top ?? 0
      const line = [...document.querySelectorAll("#log .lines p")]
        .find((line) => line.getBoundingClientRect().bottom > top + 40)
      return [line?.textContent, Math.round(line?.getBoundingClientRect().top ?? 0)]
    }))

describe("The web page", () => {
  afterAll(close)
  const test = it.scopedLive.skipIf(isAbsent)

  test("talks with people at a netcat, in both directions, and shows all text as text", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      const { errors, page, shows, type } = yield* visit(yield* browser, url)
      const evil = "<img src=x onerror=alert(1)> <b>x</b> javascript:alert(1) https://a.example/\"><i>"
      yield* ann.send(`hello\n${evil}\n`)
      yield* shows("hello", evil)
      assert.strictEqual(yield* act("markup", () => page.locator("#log :is(img, script, i, .lines b)").count()), 0)
      assert.deepStrictEqual(
        yield* act("links", () =>
          page.$$eval("#log a", (links) =>
            links.map((link) => [link.getAttribute("href"), link.getAttribute("rel")]))),
        [["https://a.example/", "noopener noreferrer nofollow ugc"]]
      )
      yield* type("你好 from the page")
      yield* until(ann, (line) =>
        line.endsWith(":你好 from the page"))
      yield* shows("hello", evil, "你好 from the page")
      yield* type("//slash")
      yield* until(ann, (line) => line.endsWith(":/slash"))
      assert.deepStrictEqual(errors, [])
    }))

  test("never sends by an Enter that belongs to an input method", () =>
    Effect.gen(function*() {
      const { url } = yield* site()
      const { page, shows, texts } = yield* visit(yield* browser, url)
      yield* act("a composition", async () => {
        const cdp = await page.context().newCDPSession(page)
        await page.focus("#input")
        await cdp.send("Input.imeSetComposition", { text: "nihao", selectionStart: 5, selectionEnd: 5 })
        for (const windowsVirtualKeyCode of [229, 13]) {
          await cdp.send("Input.dispatchKeyEvent", {
            type: "rawKeyDown",
            key: "Enter",
            code: "Enter",
            windowsVirtualKeyCode
          })
        }
        await cdp.send("Input.insertText", { text: "你好" })
      })
      assert.strictEqual(yield* act("the field", () => page.inputValue("#input")), "你好")
      assert.deepStrictEqual(yield* texts, [])
      // Safari ends the composition first, and tells of its Enter then.
      yield* act("Safari's order", () =>
        page.evaluate(() => {
          const input = document.getElementById("input")
          input?.dispatchEvent(new CompositionEvent("compositionstart"))
          input?.dispatchEvent(new CompositionEvent("compositionend", { data: "好" }))
          input?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }))
        }))
      assert.strictEqual(yield* act("the field", () => page.inputValue("#input")), "你好")
      yield* act("Enter", async () => {
        await page.waitForTimeout(60)
        await page.press("#input", "Enter")
      })
      yield* shows("你好")
    }))

  test("asks before it sends several lines", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      const { page, shows } = yield* visit(yield* browser, url)
      const paste = act("a paste", async () => {
        await page.fill("#input", "one\n\n  two  \nthree")
        await page.press("#input", "Enter")
        await page.waitForSelector("#asking[open]")
      })
      yield* paste
      yield* act("Escape", () => page.keyboard.press("Escape"))
      assert.strictEqual(yield* act("the field", () => page.inputValue("#input")), "one\n\n  two  \nthree")
      yield* paste
      yield* act("yes", () => page.keyboard.press("Enter"))
      yield* shows("one", "  two", "three")
      yield* until(ann, (line) => line.endsWith(":one"))
      yield* until(ann, (line) => line.endsWith(":  two"))
      yield* paste
      yield* act("as one", () => page.click("#asking [value=one]"))
      yield* shows("three", "one two three")
    }))

  test("has the room in its address, and shows its people, its rooms and what was said there", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* named(ann, "Ann")
      yield* ann.send("/join dev\nbefore\n")
      yield* until(ann, (line) => line.endsWith("Ann:before"))
      const { notes, page, shows, type } = yield* visit(yield* browser, `${url}#dev`)
      yield* shows("before")
      yield* act("Ann", () => page.waitForSelector("#list >> text=Ann"))
      yield* act("its name", () => page.waitForFunction(() => document.getElementById("title")?.textContent === "#dev"))
      yield* ann.send("here\n")
      yield* shows("before", "here")
      yield* type("/join tea")
      yield* act("the address", () => page.waitForURL(/#tea$/))
      yield* until(ann, (line) => line.endsWith("去了 #tea"))
      yield* type("alone")
      yield* shows("alone")
      yield* act("the way back", () => page.goBack())
      yield* until(ann, (line) => line.endsWith("来到 #dev"))
      yield* shows("before", "here")
      yield* type("/join a room")
      yield* notes("/join ROOM")
      yield* type("/leave")
      yield* act(
        "the lobby",
        () => page.waitForFunction(() => document.getElementById("title")?.textContent === "#lobby")
      )
      assert.strictEqual(yield* act("the address", () => page.evaluate(() => location.hash)), "")
    }))

  test("sends and shows private messages, and has them in the next room too", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* named(ann, "Ann")
      const { page, shows, type } = yield* visit(yield* browser, url)
      yield* takeName(page, "Web")
      yield* act("Ann", () => page.click("#list >> text=Ann"))
      yield* type("psst")
      yield* until(ann, (line) => line === "Web对您说:psst")
      yield* shows("psst")
      yield* act("Escape", () => page.keyboard.press("Escape"))
      yield* ann.send("/to Web back\n")
      yield* shows("psst", "back")
      yield* type("to|Ann|again")
      yield* until(ann, (line) => line === "Web对您说:again")
      yield* shows("psst", "back", "again")
      yield* type("/join dev")
      yield* act("the address", () => page.waitForURL(/#dev$/))
      yield* shows("psst", "back", "again")
      assert.strictEqual(yield* act("marked", () => page.locator(".group.private").count()), 3)
    }))

  test("fetches older lines when the reader scrolls up, and moves nothing", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* ann.send(Array.from({ length: 400 }, (_, n) => `line ${n}\n`).join(""))
      yield* until(ann, (line) => line.endsWith(":line 399"))
      const { page, shows, texts, until: waits } = yield* visit(yield* browser, url)
      yield* shows("line 398", "line 399")
      assert.strictEqual((yield* texts).length, 60)
      yield* scroll(page, 200)
      const before = yield* read(page)
      yield* waits("more", () => document.querySelectorAll("#log .lines p").length >= 160)
      assert.deepStrictEqual(yield* read(page), before)
      yield* Effect.repeat(Effect.zipRight(scroll(page, 0), Effect.delay(texts, "100 millis")), {
        until: ({ length }) => length >= 400
      })
      assert.deepStrictEqual(yield* texts, Array.from({ length: 400 }, (_, n) => `line ${n}`))
      yield* act("the end", () => page.click("#jump"))
      yield* ann.send("last\n")
      yield* shows("last")
    }))

  test("fetches older lines for whoever scrolled up before it could", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* ann.send(Array.from({ length: 400 }, (_, n) => `line ${n}\n`).join(""))
      yield* until(ann, (line) => line.endsWith(":line 399"))
      const { page, shows, texts, until: waits } = yield* visit(yield* browser, url)
      // The people come late, and with them all that the page waits for before it asks for more.
      const held: Array<() => void> = []
      let isHeld = true
      yield* act("a way to hold them", () =>
        page.routeWebSocket("**/chat", (ws) => {
          const server = ws.connectToServer()
          server.onMessage((message) => {
            const give = () => ws.send(message)
            if (isHeld && (held.length > 0 || message.includes("\"users\""))) held.push(give)
            else give()
          })
        }))
      yield* act("a new visit", () => page.reload())
      yield* shows("line 398", "line 399")
      yield* scroll(page, 200)
      yield* act("a while", () => page.waitForTimeout(500))
      assert.strictEqual((yield* texts).length, 60)
      isHeld = false
      for (const give of held) give()
      yield* waits("more", () => document.querySelectorAll("#log .lines p").length >= 160)
    }))

  test("counts what is unread in the title, mentions too, and presence never, which is folded", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      const { notes, page } = yield* visit(yield* browser, url)
      const title = act("the title", () => page.title())
      yield* takeName(page, "Web")
      yield* away(page)
      const others = yield* Effect.all(Array.from({ length: 5 }, () => arrive(plain)))
      yield* notes("5 in all, came")
      yield* others[4]!.end
      yield* notes("4 in all, came")
      assert.isFalse((yield* title).startsWith("("))
      yield* ann.send("one\ntwo\n")
      yield* act("the title", () => page.waitForFunction(() => document.title.startsWith("(2) ")))
      assert.strictEqual(yield* act("a mark", () => page.locator(".mark").count()), 1)
      yield* ann.send("web, are you there?\nwebbing\n")
      yield* act("the title", () => page.waitForFunction(() => document.title.startsWith("(4@) ")))
      assert.strictEqual(yield* act("mentions", () => page.locator(".mention").count()), 1)
      yield* back(page)
      assert.isFalse((yield* title).startsWith("("))
    }))

  test("recalls what was sent but no secrets, and completes names and commands", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* named(ann, "Annabel")
      const { notes, page, shows, type } = yield* visit(yield* browser, url)
      const field = act("the field", () => page.inputValue("#input"))
      const press = (...keys: ReadonlyArray<string>) =>
        act("keys", async () => {
          for (const key of keys) await page.press("#input", key)
        })
      yield* type("one")
      yield* type("two")
      yield* shows("one", "two")
      yield* type("/op a long secret indeed")
      yield* notes("/op")
      yield* type("op a long secret indeed")
      yield* notes("Usage: /op SECRET")
      yield* type("/rename Bob hunter2hunter2")
      yield* notes("Usage: /rename NAME")
      yield* press("ArrowUp")
      assert.strictEqual(yield* field, "two")
      yield* press("ArrowUp")
      assert.strictEqual(yield* field, "one")
      yield* press("ArrowDown", "ArrowDown")
      assert.strictEqual(yield* field, "")
      yield* act("a name", () => page.locator("#input").pressSequentially("/to ann"))
      yield* press("Tab")
      assert.strictEqual(yield* field, "/to Annabel ")
      yield* act("a command", async () => {
        await page.fill("#input", "")
        await page.locator("#input").pressSequentially("/unig")
      })
      yield* press("Tab")
      assert.strictEqual(yield* field, "/unignore ")
      yield* act("a secret", async () => {
        await page.fill("#input", "")
        await page.locator("#input").pressSequentially("/nick Carl#secret7")
      })
      assert.deepStrictEqual(
        yield* act("its fields", () => Promise.all([page.inputValue("#newName"), page.inputValue("#newSecret")])),
        ["Carl", "secret7"]
      )
      yield* act("Enter", () => page.press("#newSecret", "Enter"))
      yield* notes("Your name is Carl, and it is yours")
      assert.strictEqual(yield* act("the storage", () => page.evaluate(() => JSON.stringify(localStorage))), "{}")
    }))

  test("takes an owned name with its secret, gets kept messages and what was missed, and remembers only by wish", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* named(ann, "Ann")
      const chromium = yield* browser
      const first = yield* Effect.scoped(Effect.gen(function*() {
        const { page } = yield* visit(chromium, url)
        yield* takeName(page, "Olga", "open sesame")
        yield* until(ann, (line) => line.endsWith("已上线"))
        return yield* act("the page", () => page.content())
      }))
      assert.notInclude(first, "open sesame")
      yield* until(ann, (line) => line.endsWith("Olga:下线"))
      yield* ann.send("/to Olga are you there?\nwhile away\n")
      yield* until(ann, (line) => line.endsWith("while away"))
      const { notes, page, shows, type } = yield* visit(chromium, url)
      yield* type("/nick Olga")
      yield* act("a window", () => page.waitForSelector("#naming[open]"))
      yield* act("a wrong one", async () => {
        await page.fill("#newSecret", "close sesame")
        await page.press("#newSecret", "Enter")
        await page.waitForFunction(() => document.getElementById("namingError")?.textContent === "Wrong secret")
      })
      yield* act("the right one", async () => {
        await page.fill("#newSecret", "open sesame")
        await page.check("#remember")
        await page.press("#newSecret", "Enter")
      })
      yield* shows("are you there?")
      yield* notes("1 lines while you were away")
      yield* type("/missed")
      yield* notes("Ann: while away")
      yield* act("a new visit", () => page.reload())
      yield* act("the name", () => page.waitForFunction(() => document.getElementById("me")?.textContent === "Olga"))
      yield* type("/disown")
      yield* notes("Olga is not yours any more")
    }))

  test("says exactly once what was typed while the server was away, and shows exactly what was missed", () =>
    Effect.gen(function*() {
      const data = ["--data", `${yield* folder}/talk.db`]
      const { plain, server, url, web } = yield* site(...data)
      const tab = yield* visit(yield* browser, `${url}#dev`)
      const { notes, page, shows, texts, type } = tab
      yield* takeName(page, "Web")
      yield* type("before")
      yield* shows("before")
      yield* server.signal("SIGKILL")
      yield* act("the bar", () => page.waitForSelector("#bar:not([hidden]) #retry:not([hidden])"))
      for (const text of ["one", "two", "three"]) yield* type(text)
      yield* act("what waits", () => page.waitForFunction(() => document.querySelectorAll("#waits li").length === 3))
      yield* again({ plain, web }, ...data)
      const bob = yield* arrive(plain)
      yield* named(bob, "Bob")
      const missed = Arr.makeBy(50, (n) => `missed ${n}`)
      yield* bob.send(`/join dev\n${missed.join("\n")}\n`)
      yield* until(bob, (line) => line.endsWith("missed 49"))
      yield* act("now", () => page.click("#retry", { timeout: 1000 }).catch(() => {}))
      yield* isOpen(tab)
      yield* shows("before", ...missed, "one", "two", "three")
      yield* until(bob, (line) => line.endsWith("]Web:one"))
      yield* until(bob, (line) => line.endsWith("]Web:two"))
      yield* until(bob, (line) => line.endsWith("]Web:three"))
      yield* notes("Connected again, lines caught up on: 50")
      assert.deepStrictEqual(yield* texts, ["before", ...missed, "one", "two", "three"])
      yield* act("nothing waits", () => page.locator("#waits").waitFor({ state: "hidden" }))
    }))

  test("says each line once, however often the connection breaks while it is sent", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* site()
      const bob = yield* arrive(plain)
      const way = yield* Proxy.make(web)
      const tab = yield* visit(yield* browser, pageAt(way.port))
      for (let n = 0; n < 5; n++) {
        yield* tab.type(`x${n}`)
        yield* way.reset
        yield* bob.send(`y${n}\n`)
        yield* act("now", () => tab.page.click("#retry", { timeout: 3000 }).catch(() => {}))
        yield* isOpen(tab)
      }
      // Where the page saw the break late, it says several at once, behind what others said.
      yield* tab.until("ten lines", () => document.querySelectorAll("#log .lines p").length >= 10)
      const all = yield* tab.texts
      for (const who of ["x", "y"]) {
        assert.deepStrictEqual(all.filter((text) => text.startsWith(who)), Arr.makeBy(5, (n) => `${who}${n}`))
      }
    }))

  test("tells that the server stops, and that the log is another one", () =>
    Effect.gen(function*() {
      const { plain, server, url, web } = yield* site()
      const tab = yield* visit(yield* browser, url)
      const { notes, page, shows, texts, type } = tab
      yield* type("old")
      yield* shows("old")
      yield* server.signal("SIGTERM")
      yield* notes("The server is stopping")
      yield* server.over
      yield* again({ plain, web })
      const bob = yield* arrive(plain)
      yield* bob.send("new\n")
      yield* act("now", () => page.click("#retry", { timeout: 1000 }).catch(() => {}))
      yield* notes("The history was replaced")
      yield* shows("old", "new")
      assert.deepStrictEqual(yield* texts, ["old", "new"])
    }))

  test("is left by the owner of its name from elsewhere, and does not fight", () =>
    Effect.gen(function*() {
      const { url } = yield* site()
      const chromium = yield* browser
      const one = yield* visit(chromium, url)
      const two = yield* visit(chromium, url)
      yield* takeName(one.page, "Olga", "open sesame")
      yield* two.type("from two")
      yield* one.shows("from two")
      yield* one.type("from one")
      yield* two.shows("from two", "from one")
      yield* takeName(two.page, "Olga", "open sesame")
      yield* act("the end", () => one.page.waitForSelector("[data-state=over]"))
      assert.include(yield* act("the bar", () => one.page.textContent("#bar")), "You came in from elsewhere")
      yield* act("two is still there", () => two.page.waitForTimeout(1500))
      assert.strictEqual(yield* act("open", () => two.page.locator("[data-state=open]").count()), 1)
      assert.strictEqual(yield* act("over", () => one.page.locator("[data-state=over]").count()), 1)
    }))

  test("knows the commands of the terminal", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* named(ann, "Ann")
      const { notes, page, type } = yield* visit(yield* browser, url)
      yield* type("rename|Web")
      yield* notes("Your name is Web")
      yield* type("who")
      yield* notes("#lobby: Ann")
      yield* type("/rooms")
      yield* notes("#lobby 2")
      yield* type("/whois Ann")
      yield* notes("Ann [127.0.0.1:")
      yield* type("/stats")
      yield* notes("2 online")
      yield* type("/ignore Ann")
      yield* notes("Ann is ignored")
      yield* type("/ignore")
      yield* notes("Ignored: Ann")
      yield* type("/unignore Ann")
      yield* notes("Ann is not ignored any more")
      yield* type("/to nobody hi")
      yield* notes("There is nobody of that name")
      yield* type("/nick admin")
      yield* notes("reserved")
      yield* type("/fly")
      yield* notes("Unknown command /fly")
      yield* type("/time on")
      yield* act("times", () => page.waitForSelector("#log.times"))
      yield* type("/help")
      yield* act("help", () => page.waitForSelector("#help[open] >> text=/join ROOM"))
      yield* act("closed", () => page.keyboard.press("Escape"))
      yield* type("/quit")
      yield* until(ann, (line) => line.endsWith("Web:下线"))
      yield* act("back", async () => {
        await page.waitForSelector("[data-state=over]")
        await page.click("#retry")
        await page.waitForSelector("[data-state=open]")
      })
    }))

  test("leaves what is read where it is in a flood of 200 lines a second", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      const { page, until: waits } = yield* visit(yield* browser, url)
      yield* ann.send(Array.from({ length: 300 }, (_, n) => `first ${n} ${"words ".repeat(n % 30)}\n`).join(""))
      yield* waits("the first", () => document.querySelectorAll("#log .lines p").length >= 300)
      let sent = 0
      const flood = Effect.delay(
        Effect.suspend(() =>
          ann.send(Array.from({ length: 5 }, () => `flood ${sent++} ${"words ".repeat(sent % 30)}\n`).join(""))
        ),
        "25 millis"
      )
      yield* Effect.fork(Effect.repeatN(flood, 120))
      yield* act("one turn of the wheel", async () => {
        await page.waitForTimeout(200)
        await page.mouse.move(400, 400)
        await page.mouse.wheel(0, -400)
        await page.waitForTimeout(200)
      })
      const before = yield* read(page)
      yield* act("a while", () => page.waitForTimeout(1500))
      assert.deepStrictEqual(yield* read(page), before)
      assert.match((yield* act("how many", () => page.textContent("#jump"))) ?? "", /New messages: \d{2,}/)
      yield* act("to the end", () => page.click("#jump"))
      yield* waits("all", () => document.querySelector("#log .lines p:last-child") !== null)
    }))

  test("holds 10,000 lines without lag", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      const { page, shows } = yield* visit(yield* browser, url)
      const cdp = yield* act("figures", () => page.context().newCDPSession(page))
      const busy = act("figures", async () => {
        const { metrics } = await cdp.send("Performance.getMetrics")
        return 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0)
      })
      // What the thread itself works: others use the cores too.
      yield* act("figures", () => cdp.send("Performance.enable", { timeDomain: "threadTicks" }))
      for (let block = 0; block < 10; block++) {
        yield* ann.send(
          Array.from({ length: 1000 }, (_, n) => `${block} ${n} ${"some words ".repeat(1 + n % 4)}\n`).join("")
        )
        yield* until(ann, (line) => line.includes(`:${block} 999 `))
      }
      yield* ann.send("end\n")
      yield* shows("end")
      yield* act("rest", () => page.waitForTimeout(1000))
      const cost = (run: Effect.Effect<unknown>) =>
        Effect.gen(function*() {
          const before = yield* busy
          yield* run
          yield* act("its frames", () => page.waitForTimeout(300))
          return (yield* busy) - before
        })
      const ofLine: Array<number> = []
      for (let n = 0; n < 5; n++) {
        // To look for the line in the page would cost more than the line.
        ofLine.push(yield* cost(ann.send(`one ${n}\n`)))
        yield* shows(`one ${n}`)
      }
      const ofKeys = yield* cost(
        act("keys", () => page.locator("#input").pressSequentially("hello there this is typed", { delay: 10 }))
      )
      const line = ofLine.toSorted((a, b) => a - b)[2]!
      console.log(`10,000 lines: one more ${line.toFixed(1)} ms, a key ${(ofKeys / 25).toFixed(1)} ms`)
      assert.isBelow(line, 30)
      assert.isBelow(ofKeys / 25, 16)
    }))

  for (
    const [what, options, open] of [
      ["in light", { colorScheme: "light" }, undefined],
      ["in dark", { colorScheme: "dark", locale: "zh-CN" }, undefined],
      ["on a phone", { colorScheme: "dark", viewport: { width: 360, height: 740 } }, "#count"],
      ["at 200 %", { colorScheme: "light", viewport: { width: 600, height: 380 } }, undefined],
      ["with its window open", { colorScheme: "light" }, "#me"]
    ] as const
  ) {
    test(`has nothing that axe finds ${what}, and no line too wide`, () =>
      Effect.gen(function*() {
        const { plain, url } = yield* site()
        const ann = yield* arrive(plain)
        yield* named(ann, "Ann")
        const { page, shows, type } = yield* visit(yield* browser, url, {
          ...options,
          bypassCSP: true,
          reducedMotion: "reduce"
        })
        yield* type("rename|Web")
        yield* act("the name", () => page.waitForFunction(() => document.getElementById("me")?.textContent === "Web"))
        yield* ann.send(`Web: see https://example.org/\n${"x".repeat(300)}\n/to Web psst\n`)
        yield* shows("psst")
        yield* type("/who")
        yield* type("/fly")
        if (open !== undefined) yield* act("opened", () => page.click(open))
        yield* act("axe", () => page.evaluate(axe.source))
        const found = yield* act("its findings", () =>
          page.evaluate(() =>
            Reflect.get(globalThis, "axe").run(document).then((results: axe.AxeResults) =>
              results.violations.map(({ id, nodes }) =>
                `${id}: ${
                  nodes.map(({ target }) => String(target)).join(", ")
                }`
              )
            )
          ))
        assert.deepStrictEqual(found, [])
        assert.isTrue(
          yield* act("the width", () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
        )
      }))
  }

  test("can be used by the keyboard alone, and in both languages", () =>
    Effect.gen(function*() {
      const { plain, url } = yield* site()
      const ann = yield* arrive(plain)
      yield* named(ann, "Ann")
      const { page } = yield* visit(yield* browser, url, { locale: "zh-CN" })
      assert.strictEqual(yield* act("Chinese", () => page.textContent("#send")), "发送")
      yield* act("Ann", () => page.waitForSelector("#list >> text=Ann"))
      yield* act("Tab", async () => {
        await page.focus("#input")
        for (const id of ["send", undefined, "filter"]) {
          await page.keyboard.press("Tab")
          if (id !== undefined) await page.waitForFunction((id) => document.activeElement?.id === id, id)
        }
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
      })
      assert.strictEqual(yield* act("whom", () => page.textContent("#targetName")), "私信给 Ann")
      yield* act("English", () => page.click("#language"))
      assert.deepStrictEqual(
        yield* act("English", () =>
          page.evaluate(() => [document.documentElement.lang, document.getElementById("send")?.textContent])),
        ["en", "Send"]
      )
    }))

  test("lets nothing run that is not its own", () =>
    Effect.gen(function*() {
      const { url } = yield* site()
      const { page } = yield* visit(yield* browser, url)
      assert.deepStrictEqual(
        yield* act("tries", () =>
          page.evaluate(() => {
            const isStopped = (run: () => void) => {
              try {
                run()
                return false
              } catch {
                return true
              }
            }
            return [
              isStopped(() => document.body.insertAdjacentHTML("beforeend", "<i>")),
              isStopped(() => {
                document.createElement("script").text = "1"
              })
            ]
          })),
        [true, true]
      )
    }))
})
