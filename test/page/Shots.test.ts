/** Five pictures of the page in `test/page/shots`, to be looked at: `npm run shots`. */
import { afterAll, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { arrive } from "../support/client.ts"
import { act, browser, close, site, type Tab, visit } from "../support/page.ts"

const talk = (port: number) =>
  Effect.gen(function*() {
    const people = new Map<string, Effect.Effect.Success<ReturnType<typeof arrive>>>()
    for (const name of ["张三", "Ada", "王小明", "Grace", "老陈"]) {
      const client = yield* arrive(port)
      yield* client.send(`/nick ${name}\n`)
      people.set(name, client)
    }
    for (
      const [name, text] of [
        ["张三", "大家早上好"],
        ["张三", "今天谁来评审这个补丁？https://git.example.org/tellnet/pull/42。我下午有会"],
        [
          "Ada",
          "I can. Is the rate limiter in it already, or does that come in a second one? I'd rather read both together."
        ],
        ["王小明", "rate 在里面，`--burst` 还没有"],
        ["王小明", "<b>不是</b> <img src=x onerror=alert(1)> & \"标记\" 只是文字"],
        ["Grace", "try  nc 127.0.0.1 8888   — spaces   stay"],
        ["Ada", "Lin，你看一下第 3 点可以吗？"]
      ] as const
    ) {
      yield* people.get(name)!.send(`${text}\n`)
      yield* Effect.sleep("40 millis")
    }
    return people
  })

const take = (tab: Tab, name: string) => act(name, () => tab.page.screenshot({ path: `test/page/shots/${name}.png` }))

const becomes = (page: Page, name: string) =>
  act(name, () => page.waitForFunction((name) => document.getElementById("me")?.textContent === name, name))

const main = Effect.gen(function*() {
  const { plain, server, url } = yield* site("--lang", "zh")
  const people = yield* talk(plain)
  const chromium = yield* browser
  const timezoneId = "Asia/Shanghai"
  const light = yield* visit(chromium, url, { locale: "zh-CN", colorScheme: "light", timezoneId })
  yield* light.type("rename|Lin")
  yield* becomes(light.page, "Lin")
  yield* people.get("Ada")!.send("Lin，还有一件事\n/to Lin 只跟你说：周五发布\n")
  yield* light.type("好，我看完就回你")
  yield* light.shows("好，我看完就回你")
  yield* act("rest", () => light.page.waitForTimeout(500))
  yield* take(light, "zh-light")
  const dark = yield* visit(chromium, url, { locale: "en-GB", colorScheme: "dark", timezoneId })
  yield* dark.type("/nick Tom")
  yield* becomes(dark.page, "Tom")
  yield* dark.type("/to Ada I'll take it from here")
  yield* dark.shows("I'll take it from here")
  yield* dark.type("/whois Ada")
  yield* act("several lines", () => dark.page.fill("#input", "line one\nline two\nline three"))
  yield* act("rest", () => dark.page.waitForTimeout(500))
  yield* take(dark, "en-dark")
  const phone = {
    viewport: { width: 390, height: 780 },
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
    timezoneId
  }
  const small = yield* visit(chromium, url, { locale: "zh-CN", colorScheme: "light", ...phone })
  yield* act("rest", () => small.page.waitForTimeout(500))
  yield* take(small, "phone")
  yield* act("people", async () => {
    await small.page.click("#count")
    await small.page.waitForTimeout(500)
  })
  yield* take(small, "people")
  yield* server.signal("SIGTERM")
  yield* act("the bar", () => light.page.waitForSelector("#retry:not([hidden])"))
  yield* light.type("这一条等服务器回来再发")
  yield* act("rest", () => light.page.waitForTimeout(500))
  yield* take(light, "offline")
})

afterAll(close)
it.scopedLive.skipIf(process.env["SHOTS"] === undefined)("pictures of the page are taken", () => main)
