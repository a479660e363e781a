/** The web page in a real browser, at a real server. */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { bundled, port, webPort } from "./child.ts"
import { within } from "./client.ts"

const executablePath = "/usr/bin/chromium"

/** In CI an absent browser is a failure. */
export const isAbsent = !existsSync(executablePath) && process.env["CI"] === undefined

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run"
]

let running: Promise<Browser> | undefined
/** One for all tests of a file: each visit has a profile of its own. */
export const browser: Effect.Effect<Browser> = within(
  "a browser",
  Effect.promise(() => running ??= chromium.launch({ executablePath, args }))
)
/** Behind all tests. */
export const close = (): Promise<void> | undefined => running?.then((browser) => browser.close())

/** A server with its page. */
export const site = (...flags: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const server = yield* bundled(["--port", "0", "--web-port", "0", "--rate", "0", ...flags])
    const plain = yield* port(server)
    const web = yield* webPort(server)
    return { server, plain, web, url: pageAt(web) }
  })

export const pageAt = (port: number) => `http://127.0.0.1:${port}/`

/** Starts a server again where one was. */
export const again = (
  { plain, web }: { readonly plain: number; readonly web: number },
  ...flags: ReadonlyArray<string>
) => Effect.tap(bundled(["--port", String(plain), "--web-port", String(web), "--rate", "0", ...flags]), webPort)

/** Something done with a page, or looked up in it. */
export const act = <A>(what: string, run: () => Promise<A>): Effect.Effect<A> => within(what, Effect.promise(run))

/** What a page has to say for itself: an error is a defect. */
export interface Tab {
  readonly page: Page
  readonly errors: ReadonlyArray<string>
  /** The texts of all messages that are shown, in order. */
  readonly texts: Effect.Effect<ReadonlyArray<string>>
  /** Waits until this is true in the page. */
  readonly until: (what: string, isSo: () => boolean) => Effect.Effect<void>
  /** Waits until the last messages are these. */
  readonly shows: (...texts: ReadonlyArray<string>) => Effect.Effect<void>
  /** Waits for a note that holds this. */
  readonly notes: (text: string) => Effect.Effect<void>
  readonly type: (text: string) => Effect.Effect<void>
}

export const visit = (browser: Browser, url: string, options: BrowserContextOptions = {}) =>
  Effect.gen(function*() {
    const context = yield* Effect.acquireRelease(
      act(
        "a context",
        () => browser.newContext({ locale: "en-GB", viewport: { width: 1200, height: 760 }, ...options })
      ),
      (context) => Effect.promise(() => context.close())
    )
    const page = yield* act("a page", () => context.newPage())
    const errors: Array<string> = []
    page.on("pageerror", (error) => errors.push(error.message))
    page.on("console", (message) => {
      // A server that is away is what some tests are about.
      if (message.type() === "error" && !/WebSocket|ERR_CONNECTION/.test(message.text())) errors.push(message.text())
    })
    yield* act("the page", () => page.goto(url))
    return yield* Effect.tap(Effect.succeed(tab(page, errors)), isOpen)
  })

/** Waits until the page is connected, and people are there. */
export const isOpen = ({ page }: Tab) =>
  act(
    "a connection",
    () =>
      page.waitForFunction(() =>
        document.documentElement.dataset["state"] === "open" && document.querySelector("#list li") !== null
      )
  )

const textsOf = () => [...document.querySelectorAll("#log .lines p")].map((line) => line.textContent ?? "")

const tab = (page: Page, errors: ReadonlyArray<string>): Tab => {
  const texts = act("texts", () => page.evaluate(textsOf))
  return {
    page,
    errors,
    texts,
    until: (what, isSo) => Effect.asVoid(act(what, () => page.waitForFunction(isSo))),
    shows: (...wanted) =>
      Effect.asVoid(act(`${wanted.join(", ")} at the end`, () =>
        page.waitForFunction((wanted) => {
          const texts = [...document.querySelectorAll("#log .lines p")].map((line) => line.textContent ?? "")
          return JSON.stringify(texts.slice(-wanted.length)) === JSON.stringify(wanted)
        }, [...wanted]))),
    notes: (text) =>
      Effect.asVoid(
        act(`a note of ${text}`, () =>
          page.waitForFunction((text) =>
            [...document.querySelectorAll("#log .note")].some((note) =>
              note.textContent?.includes(text)
            ), text))
      ),
    type: (text) =>
      act(`typing ${text}`, async () => {
        await page.fill("#input", text)
        await page.press("#input", "Enter")
      })
  }
}
