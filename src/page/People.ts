/** The panel of rooms and people. A crowd is one stop of the Tab key, and the arrows go through it. */
import { hue } from "../client/hue.ts"
import { isUnnamed, type Session } from "../client/Session.ts"
import { box, find, make } from "./elements.ts"
import { say } from "./Settings.ts"

/** So many names are shown; the others are found by typing. */
const most = 200
const pace = 300

export interface Chooser {
  readonly person: (name: string) => void
  readonly room: (room: string) => void
}

export class People {
  readonly #session: Session
  readonly #chooser: Chooser
  readonly #filter = find("filter", HTMLInputElement)
  readonly #list = box("list")
  readonly #rooms = box("roomList")
  readonly #rest = box("rest")
  readonly #rows = new Map<string, HTMLElement>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(session: Session, chooser: Chooser) {
    this.#session = session
    this.#chooser = chooser
    this.#filter.addEventListener("input", () => this.#draw())
    box("people").addEventListener("keydown", (event) => this.#arrows(event))
  }

  /** Soon: a crowd that comes is drawn once. */
  changed(): void {
    this.#timer ??= setTimeout(() => this.#draw(), pace)
  }

  #draw(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { me, people, room } = this.#session
    const wanted = this.#filter.value.trim().toLowerCase()
    const shown: Array<HTMLElement> = []
    let others = 0
    for (const { addr, name } of [...me === undefined ? [] : [me], ...people.values()]) {
      if (name === me?.name && shown.length > 0 || !`${name} ${addr}`.toLowerCase().includes(wanted)) continue
      if (shown.length < most) shown.push(this.#row(name, addr))
      else others++
    }
    inOrder(this.#list, shown)
    const stay = new Set(shown)
    for (const [key, row] of this.#rows) if (!stay.has(row)) this.#rows.delete(key)
    this.#rest.textContent = others === 0 ? "" : say("more", others)
    // How many are here is known sooner.
    const all = [{ room, users: people.size }, ...this.#session.rooms.filter((other) => other.room !== room)]
    inOrder(this.#rooms, all.slice(0, most).map(({ room, users }) => this.#roomRow(room, users)))
  }

  #row(name: string, addr: string): HTMLElement {
    const isMe = name === this.#session.me?.name
    const small = isMe ? say("me") : isUnnamed({ addr, name }) ? "" : addr
    const key = JSON.stringify([name, small])
    const found = this.#rows.get(key)
    if (found !== undefined) return found
    const button = make(
      "button",
      { type: "button", tabindex: "-1" },
      make("span", { class: "dot", "aria-hidden": "true" }),
      make("span", { class: "who" }, name),
      ...small === "" ? [] : [make("small", {}, small)]
    )
    button.addEventListener("click", () => this.#chooser.person(name))
    const row = make("li", {}, button)
    row.style.setProperty("--hue", String(hue(name)))
    this.#rows.set(key, row)
    return row
  }

  #roomRow(room: string, users: number): HTMLElement {
    const isHere = room === this.#session.room
    const key = JSON.stringify(["", room, users, isHere])
    const found = [...this.#rooms.children].find((row) => row instanceof HTMLElement && row.dataset["key"] === key)
    if (found instanceof HTMLElement) return found
    const button = make(
      "button",
      { type: "button", ...isHere ? { "aria-current": "true" } : {} },
      make("span", { class: "who" }, `#${room}`),
      make("small", {}, String(users))
    )
    button.addEventListener("click", () => this.#chooser.room(room))
    return make("li", { "data-key": key }, button)
  }

  #arrows(event: KeyboardEvent): void {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (by === 0 || !(event.target instanceof HTMLElement)) return
    const buttons = [...this.#list.querySelectorAll("button")]
    const at = buttons.findIndex((button) => button === event.target)
    if (at < 0 && event.target !== this.#filter) return
    event.preventDefault()
    const next = at < 0 ? (by > 0 ? 0 : -1) : at + by
    if (next < 0) this.#filter.focus()
    else buttons[next]?.focus()
  }
}

/** What stands where it is to stand is not moved: it may have the focus. */
const inOrder = (list: HTMLElement, rows: ReadonlyArray<HTMLElement>): void => {
  rows.forEach((row, at) => {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null)
  })
  while (list.children.length > rows.length) list.lastElementChild?.remove()
}
