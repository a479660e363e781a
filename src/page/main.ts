/** Puts the page together: what each part tells goes to those that show it. */
import { words as commands } from "../client/Commands.ts"
import * as Doing from "../client/Doing.ts"
import type { State } from "../client/Link.ts"
import { mentions } from "../client/Mentions.ts"
import { nameBeforeSecret } from "../client/Recall.ts"
import { isUnnamed, lobby, type Private, Session, type Spoken } from "../client/Session.ts"
import type { Told } from "../wire/JsonLines.ts"
import * as Asking from "./Asking.ts"
import { Composer } from "./Composer.ts"
import { box, button, find, make } from "./elements.ts"
import { Link } from "./Link.ts"
import * as Naming from "./Naming.ts"
import { People } from "./People.ts"
import {
  inLanguage,
  keepName,
  keptName,
  locale,
  nextTheme,
  say,
  switchLanguage,
  theme,
  timeIn,
  words
} from "./Settings.ts"
import { Timeline } from "./Timeline.ts"
import * as Unread from "./Unread.ts"

const log = box("log")
const input = find("input", HTMLTextAreaElement)
/** For screen readers, and for whoever rests the mouse on it. */
const label = (element: HTMLElement, text: string) => {
  element.ariaLabel = text
  if (element instanceof HTMLButtonElement) element.title = text
}
const bytes = (text: string) => new TextEncoder().encode(text).length

// --- what was said ---
const unread = Unread.make(() => timeline.markUnread())
const counts = (messages: ReadonlyArray<Pick<Spoken, "from" | "text">>) => {
  const others = messages.filter(({ from }) => !session.isMe(from))
  unread.add(others.length, others.some(({ text }) => mentions(text, session.me?.name ?? "")))
}
const timeline = new Timeline(log, button("jump"), {
  me: () => session.me?.name,
  early: () => void session.older(),
  dropped: (seq) => session.dropped(seq),
  chosen: (name) => aim(name)
})
const session: Session = new Session({
  cleared: () => {
    timeline.clear()
    showAddress()
    showPlace()
  },
  said: (lines, isOld) => {
    counts(lines)
    timeline.say(lines, isOld)
  },
  older: (lines, isStart) => timeline.older(lines, isStart, say("nothing")),
  told: (message: Private) => {
    counts([message])
    timeline.tell(message)
  },
  moved: (move, name) => timeline.move(move, name),
  note: (text, isLoud) => timeline.note(text, isLoud),
  changed: () => changed(),
  naming: (name, text) => naming.open(name, "", text),
  over: (text) => link.over(text)
}, words)

// --- who, where ---
/** The room that I am in, or go to once there is a connection. */
const showAddress = () => {
  const hash = session.wantedRoom === lobby ? "" : `#${encodeURIComponent(session.wantedRoom)}`
  if (hash !== location.hash) history.pushState(null, "", hash === "" ? location.pathname : hash)
}
const aim = (name: string | undefined) => {
  target = name === session.me?.name ? undefined : name
  showTarget()
  openPeople(false)
  composer.focus()
}
let target: string | undefined
const showTarget = () => {
  box("target").hidden = target === undefined
  box("targetName").textContent = say("to", target ?? "")
  input.placeholder = target === undefined ? say("message") : say("messageTo", target)
  input.ariaLabel = input.placeholder
}
const go = (room: string) => {
  openPeople(false)
  if (room !== session.room) void session.go(room).then(showAddress)
}
const people = new People(session, { person: aim, room: go })
const panel = box("people")
const openPeople = (isOpen: boolean) => {
  panel.classList.toggle("open", isOpen)
  button("count").setAttribute("aria-expanded", String(isOpen))
}
button("count").addEventListener("click", () => {
  openPeople(!panel.classList.contains("open"))
  void session.listRooms()
  if (panel.classList.contains("open")) find("filter", HTMLInputElement).focus()
})
button("shut").addEventListener("click", () => {
  openPeople(false)
  button("count").focus()
})
button("targetOff").addEventListener("click", () => aim(undefined))
addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && document.querySelector("dialog[open]") === null) aim(undefined)
})
const roomOfAddress = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)) || lobby
  } catch {
    return lobby
  }
}
addEventListener("hashchange", () => go(roomOfAddress()))
addEventListener("popstate", () => go(roomOfAddress()))

const naming = Naming.make(session, (text) => timeline.note(text))
button("me").addEventListener("click", () => {
  const { me } = session
  naming.open(me === undefined || isUnnamed(me) ? "" : me.name)
})

// --- what is written ---
const place: Doing.Place = {
  session,
  view: { note: (text, isLoud) => timeline.note(text, isLoud), over: (text) => link.over(text) },
  naming,
  say,
  moment: (ms) => timeIn("moment", ms),
  times: (shown) => void log.classList.toggle("times", shown),
  help: () => find("help", HTMLDialogElement).showModal(),
  named: (name) => keepName(name, undefined)
}
const linesOf = (text: string) =>
  text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "").map((line) => line.trimEnd())
const send = (lines: ReadonlyArray<string>) => {
  timeline.toEnd()
  timeline.unmark()
  for (const line of lines) void Doing.type(place, line, target)
}
const composer = new Composer(find("form", HTMLFormElement), input, {
  names: () => [...session.people.keys()].filter((name) => name !== session.me?.name),
  commands,
  send: (text) => {
    const lines = linesOf(text)
    if (lines.some((line) => bytes(line) > session.maxLine)) return
    if (lines.length > session.outbox.free) timeline.note(say("tooMany"), true)
    else if (lines.length < 2) {
      composer.done(text)
      send(lines)
    } else {
      Asking.ask(lines, (lines) => {
        composer.done(text)
        send(lines)
      })
    }
  },
  changed: (text) => {
    const name = nameBeforeSecret(text)
    if (name !== undefined) {
      composer.set("")
      naming.openAt(name)
    }
    showHint()
  }
})
const showHint = () => {
  const lines = linesOf(input.value)
  const over = Math.max(0, ...lines.map(bytes)) - session.maxLine
  const hint = box("hint")
  hint.textContent = over > 0 ? say("tooLong", over) : lines.length > 1 ? say("asMany", lines.length) : say("hint")
  hint.className = over > 0 ? "bad" : lines.length > 1 ? "many" : ""
}

// --- the connection ---
let state: State = { is: "connecting" }
let queue: Array<Told> = []
const take = () => {
  const told = queue
  queue = []
  for (const one of told) session.take(one)
}
const link = new Link(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/chat`, {
  opened: (send) => session.opened(send),
  // What comes within a frame is shown at once. A hidden page has no frames.
  told: (told) => {
    if (queue.length === 0 && !document.hidden) requestAnimationFrame(take)
    queue.push(...told)
    if (document.hidden) take()
  },
  closed: () => {
    take()
    session.closed()
  },
  state: (next) => {
    state = next
    showState()
  }
})
document.addEventListener("visibilitychange", take)
button("retry").addEventListener("click", () => link.now())
const showState = () => {
  const { is } = state
  const waiting = session.outbox.all.length
  document.documentElement.dataset["state"] = is
  box("bar").hidden = is === "open"
  button("retry").hidden = is !== "waiting" && is !== "over"
  button("retry").textContent = is === "over" ? say("comeBack") : say("now")
  const text = state.is === "waiting"
    ? say("retry", Math.max(0, Math.ceil((state.at - Date.now()) / 1000)))
    : state.is === "over"
    ? state.text
    : say("connecting")
  box("barText").textContent = text + (waiting > 0 ? say("waits", waiting) : "")
}
setInterval(() => state.is === "waiting" && showState(), 1000)
// What waits would be lost.
addEventListener("beforeunload", (event) => {
  if (session.outbox.all.length > 0) event.preventDefault()
})

// --- what changes ---
let isDue = false
const changed = () => {
  people.changed()
  if (isDue) return
  isDue = true
  // What is answered at once never waits.
  setTimeout(() => {
    isDue = false
    showPlace()
    showWaiting()
    if (state.is !== "open") showState()
    timeline.look()
  }, 150)
}
const showWaiting = () => {
  const list = box("waits")
  const { all } = session.outbox
  const now = Date.now()
  const waiting = all.filter(({ sentAt }) =>
    state.is !== "open" || !session.isReady || sentAt === undefined || now - sentAt > 400
  )
  list.hidden = waiting.length === 0
  list.replaceChildren(...waiting.slice(-3).map(({ asked }) => make("li", { dir: "auto" }, asked.text)))
}
const showPlace = () => {
  const { me, people, room } = session
  const name = me?.name ?? ""
  const isAlone = me === undefined || people.has(name)
  box("title").textContent = `#${room}`
  button("count").textContent = say("count", people.size + (isAlone ? 0 : 1))
  button("me").textContent = name
  label(button("me"), say("myName", name))
  unread.title(`#${room} · ${say("chat")}`)
}

// --- language and theme ---
const showWords = () => {
  document.documentElement.lang = locale()
  for (const element of document.querySelectorAll<HTMLElement>("[data-zh]")) {
    if (element.dataset["label"] === undefined) element.textContent = inLanguage(element)
    else label(element, inLanguage(element))
  }
  const filter = find("filter", HTMLInputElement)
  filter.placeholder = inLanguage(filter)
  const shown = theme()
  document.documentElement.dataset["theme"] = shown
  button("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[shown]
  label(button("theme"), say("theme", say(shown)))
  showTarget()
  showHint()
  showState()
  showPlace()
  people.changed()
}
button("language").addEventListener("click", () => {
  switchLanguage()
  showWords()
})
button("theme").addEventListener("click", () => {
  nextTheme()
  showWords()
})

const { name, secret } = keptName()
session.begin(name, secret, roomOfAddress())
showWords()
link.now()
if (matchMedia("(pointer: fine)").matches) composer.focus()
