/**
 * What was said, oldest first. Follows the newest line unless the reader has scrolled up; then nothing that is read moves.
 * Lines stand in blocks, which the browser leaves out of its layout while they are out of sight.
 */
import { hue } from "../client/hue.ts"
import { mentions } from "../client/Mentions.ts"
import { type Crowd, fold, isEmpty, type Move, nobody, tell } from "../client/Presence.ts"
import { isUnnamed, type Private, type Spoken } from "../client/Session.ts"
import { linked, make } from "./elements.ts"
import { say, timeIn } from "./Settings.ts"

const blockLines = 64
/** Some 12,800 lines; beyond that the oldest go. */
const maxBlocks = 200
const mostPrivates = 500
/** So long one heading serves, in ms. */
const together = 5 * 60_000
/** Near enough to the end, or to the beginning, in px. */
const near = 24
const early = 800

interface Group {
  readonly key: string
  readonly time: number
  readonly lines: HTMLElement
}

interface Anchor {
  readonly node: Element
  /** From the top of the window, in px. */
  readonly at: number
}

interface Kept {
  readonly message: Private
  isShown: boolean
}

export interface Reader {
  readonly me: () => string | undefined
  /** The reader nears the first line. */
  readonly early: () => void
  /** The first lines went; `seq` is the first that stays. */
  readonly dropped: (seq: number) => void
  /** A name was chosen. */
  readonly chosen: (name: string) => void
}

export class Timeline {
  readonly #view: HTMLElement
  readonly #jump: HTMLButtonElement
  readonly #reader: Reader
  readonly #all = make("div", { class: "all" })
  readonly #top = make("div", { class: "top", hidden: "" })
  #block: HTMLElement | undefined
  #inBlock = 0
  #group: Group | undefined
  #crowd: { folded: Crowd; readonly node: HTMLElement } | undefined
  #day = ""
  #mark: HTMLElement | undefined
  #below = 0
  #isFollowing = true
  #wasAt = 0
  #isDue = false
  /** Private messages, which the history of no room has: shown again where their time is. */
  readonly #privates: Array<Kept> = []
  #earliest = Infinity
  /** Where blocks go. */
  #into: ParentNode = this.#all

  constructor(view: HTMLElement, jump: HTMLButtonElement, reader: Reader) {
    this.#view = view
    this.#jump = jump
    this.#reader = reader
    view.append(this.#top, this.#all)
    view.addEventListener("scroll", () => this.#scrolled(), { passive: true })
    view.addEventListener("wheel", ({ deltaY }) => {
      // Before the page hears of it by `scroll`, a line may come.
      if (deltaY < 0 && view.scrollHeight > view.clientHeight) this.#isFollowing = false
    }, { passive: true })
    jump.addEventListener("click", () => this.toEnd())
    // A phone that is turned, its keyboard, a longer text below, and blocks that get their true height.
    const sizes = new ResizeObserver(() => this.#isFollowing && this.#pin())
    sizes.observe(view)
    sizes.observe(this.#all)
    view.addEventListener("click", ({ target }) => {
      const name = target instanceof HTMLElement ? target.closest("button")?.dataset["name"] : undefined
      if (name !== undefined) reader.chosen(name)
    })
  }

  /** Another room: empty. */
  clear(): void {
    this.#all.replaceChildren()
    this.#top.hidden = true
    this.#block =
      this.#group =
      this.#crowd =
      this.#mark =
        undefined
    this.#day = ""
    this.#earliest = Infinity
    for (const kept of this.#privates) kept.isShown = false
    this.toEnd()
  }

  /** At the end. `isOld`: not to be read aloud, as it is caught up on. */
  say(lines: ReadonlyArray<Spoken>, isOld: boolean): void {
    if (isOld || lines.length > 50) this.#hush()
    for (const line of lines) this.#line(line)
    this.#added(lines.length)
  }

  tell(message: Private): void {
    const kept = { message, isShown: false }
    this.#privates.push(kept)
    if (this.#privates.length > mostPrivates) this.#privates.shift()
    this.#privately(kept)
    this.#added(1)
  }

  /** Before all others. What is read stays where it is. `empty`: what to show if there is nothing at all. */
  older(lines: ReadonlyArray<Spoken>, isStart: boolean, empty: string): void {
    const from = isStart ? -Infinity : lines[0] === undefined ? this.#earliest : Date.parse(lines[0].time)
    const between = this.#privates.filter(({ isShown, message }) => !isShown && Date.parse(message.time) >= from)
    const kept = [this.#block, this.#inBlock, this.#group, this.#crowd, this.#day] as const
    const firstDay = this.#all.querySelector<HTMLElement>(".day")
    const isFirst = this.#all.childElementCount === 0
    const anchor = this.#anchor()
    this.#hush()
    // They are written as a talk of their own, which then goes before the rest.
    const before = document.createDocumentFragment()
    this.#into = before
    this.#block = this.#group = this.#crowd = undefined
    this.#day = ""
    let at = 0
    for (const line of lines) {
      for (let next = between[at]; next !== undefined && next.message.time < line.time; next = between[++at]) {
        this.#privately(next)
      }
      this.#line(line)
    }
    for (const rest of between.slice(at)) this.#privately(rest)
    if (firstDay?.dataset["day"] === this.#day) firstDay.remove()
    this.#into = this.#all
    this.#all.prepend(before)
    this.#earliest = from
    if (!isFirst) [this.#block, this.#inBlock, this.#group, this.#crowd, this.#day] = kept
    this.#top.textContent = empty
    this.#top.hidden = this.#all.childElementCount > 0
    this.#hold(anchor)
    this.#settle()
  }

  move(move: Move, name: string): void {
    if (this.#crowd === undefined) {
      this.#crowd = { folded: nobody, node: make("p", { class: "note" }) }
      this.#group = undefined
      this.#put(this.#crowd.node)
    }
    const { node } = this.#crowd
    this.#crowd.folded = fold(this.#crowd.folded, move, name)
    node.textContent = tell(this.#crowd.folded, say)
    node.hidden = isEmpty(this.#crowd.folded)
    this.#settle()
  }

  note(text: string, isLoud = false): void {
    this.#group = this.#crowd = undefined
    this.#put(make("p", { class: isLoud ? "note loud" : "note" }, ...linked(text)))
    this.#settle()
  }

  /** From here on it is new to the reader. */
  markUnread(): void {
    this.unmark()
    this.#group = this.#crowd = undefined
    this.#mark = make("div", { class: "mark" }, make("span", {}, say("unread")))
    this.#put(this.#mark)
  }
  unmark(): void {
    this.#mark?.remove()
    this.#mark = undefined
  }

  toEnd(): void {
    this.#isFollowing = true
    this.#offer()
    this.#pin()
  }

  /** A way to the end, for whoever is not there. */
  #offer(): void {
    if (this.#isFollowing) this.#below = 0
    this.#jump.hidden = this.#isFollowing
    this.#jump.textContent = `↓ ${this.#below === 0 ? say("latest") : say("below", this.#below)}`
  }

  #scrolled(): void {
    const { clientHeight, scrollHeight, scrollTop } = this.#view
    const left = scrollHeight - scrollTop - clientHeight
    // Only whoever goes up goes away: the end can also move away from the reader, when lines wrap anew.
    if (left <= 1) this.#isFollowing = true
    else if (scrollTop < this.#wasAt) this.#isFollowing = false
    else if (left < near) this.#isFollowing = true
    this.#wasAt = scrollTop
    this.#offer()
    this.look()
  }

  /** Whoever is near the first line is to have those before it, as soon as they can be had. */
  look(): void {
    if (this.#view.scrollTop < early) this.#reader.early()
  }

  #pin(): void {
    this.#view.scrollTop = this.#view.scrollHeight
    this.#wasAt = this.#view.scrollTop
  }

  #added(count: number): void {
    this.#below += count
    this.#offer()
    this.#settle()
  }

  /** Once a frame: what the reader does is known by then. */
  #settle(): void {
    if (this.#isDue) return
    this.#isDue = true
    const done = () => {
      this.#isDue = false
      this.#shorten()
      if (this.#isFollowing) this.#pin()
      this.look()
      requestAnimationFrame(() => this.#view.removeAttribute("aria-busy"))
    }
    if (document.hidden) setTimeout(done)
    else requestAnimationFrame(done)
  }

  #hush(): void {
    this.#view.setAttribute("aria-busy", "true")
  }

  #shorten(): void {
    let over = this.#all.childElementCount - maxBlocks
    if (over <= 0) return
    const anchor = this.#anchor()
    const top = this.#view.getBoundingClientRect().top
    for (; over > 0; over--) {
      const first = this.#all.firstElementChild
      if (first === null || !this.#isFollowing && first.getBoundingClientRect().bottom > top - early) break
      first.remove()
    }
    const seq = this.#all.querySelector<HTMLElement>("[data-seq]")?.dataset["seq"]
    if (seq !== undefined) this.#reader.dropped(Number(seq))
    this.#hold(anchor)
  }

  /** The block that is read, and where it stands. */
  #anchor(): Anchor | undefined {
    if (this.#isFollowing) return undefined
    const { top } = this.#view.getBoundingClientRect()
    for (const block of this.#all.children) {
      if (block.getBoundingClientRect().bottom <= top) continue
      for (const node of block.querySelectorAll("p")) {
        const { bottom, top: at } = node.getBoundingClientRect()
        if (bottom > top) return { node, at }
      }
    }
    return undefined
  }
  #hold(anchor: Anchor | undefined): void {
    if (anchor?.node.isConnected !== true) return
    this.#view.scrollTop += anchor.node.getBoundingClientRect().top - anchor.at
    this.#wasAt = this.#view.scrollTop
  }

  #line({ from, seq, text, time }: Spoken): void {
    this.#speak(from.name, from.addr, text, Date.parse(time), undefined).dataset["seq"] = String(seq)
  }

  #privately(one: Kept): void {
    const { from, kept, text, time, to } = one.message
    one.isShown = true
    const tag = from.name === this.#reader.me() ? say("to", to) : kept === true ? say("kept") : say("private")
    this.#speak(from.name, from.addr, text, Date.parse(time), tag)
  }

  #speak(name: string, addr: string, text: string, time: number, tag: string | undefined): HTMLElement {
    this.#newDay(time)
    const me = this.#reader.me()
    const isOwn = name === me
    const key = JSON.stringify([name, addr, tag])
    const isNew = this.#group?.key !== key || Math.abs(time - this.#group.time) > together ||
      this.#group.lines.childElementCount >= blockLines
    const group = !isNew && this.#group !== undefined ? this.#group : this.#newGroup(name, addr, key, time, tag, isOwn)
    this.#group = group
    this.#crowd = undefined
    this.#inBlock++
    const isMention = !isOwn && me !== undefined && mentions(text, me)
    const line = make(
      "p",
      {
        dir: "auto",
        title: timeIn("moment", time),
        "data-time": timeIn("seconds", time),
        ...isMention ? { class: "mention" } : {}
      },
      ...isMention ? [make("span", { class: "sr" }, say("mention"))] : [],
      ...linked(text)
    )
    group.lines.append(line)
    return line
  }

  #newGroup(
    name: string,
    addr: string,
    key: string,
    time: number,
    tag: string | undefined,
    isOwn: boolean
  ): Group {
    const lines = make("div", { class: "lines" })
    const face = make(
      "span",
      { class: "face", "aria-hidden": "true" },
      isUnnamed({ addr, name }) ? "#" : [...name][0] ?? "?"
    )
    const node = make(
      "div",
      { class: `group${isOwn ? " own" : ""}${tag === undefined ? "" : " private"}` },
      face,
      make(
        "div",
        { class: "head" },
        make("button", { type: "button", class: "name", "data-name": name, tabindex: "-1" }, name),
        ...tag === undefined ? [] : [make("span", { class: "tag" }, tag)],
        ...isUnnamed({ addr, name }) ? [] : [make("span", { class: "addr" }, addr)],
        make("time", { datetime: new Date(time).toISOString() }, timeIn("clock", time))
      ),
      lines
    )
    node.style.setProperty("--hue", String(hue(name)))
    this.#put(node)
    this.#inBlock--
    return { key, time, lines }
  }

  #newDay(time: number): void {
    const day = new Date(time).toDateString()
    if (day === this.#day) return
    this.#day = day
    this.#group = this.#crowd = undefined
    this.#put(make("div", { class: "day", "data-day": day }, make("span", {}, timeIn("date", time))))
  }

  #put(node: HTMLElement): void {
    this.#top.hidden = true
    if (this.#block === undefined || this.#inBlock >= blockLines) {
      this.#inBlock = 0
      this.#block = make("div", { class: "block" })
      this.#into.append(this.#block)
    }
    this.#inBlock++
    this.#block.append(node)
  }
}
