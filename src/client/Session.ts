/**
 * A talk that outlives its connections: who I am, in which room, what was read and what waits to be said. After each
 * `hello` it takes name and room again and fetches exactly what was missed, as `src/wire/README.md` tells programs to do.
 * Knows neither sockets nor elements.
 */
import type { Answer, Asked, Done, NoticeCode, Person, Refused, Told } from "../wire/JsonLines.ts"
import { isDoubtful, Outbox, type Waiting, type Words } from "./Outbox.ts"
import type { Move } from "./Presence.ts"
import { Reading } from "./Reading.ts"
import type { Key, Words as Wording } from "./Words.ts"

export type Of<Kind extends Told["kind"]> = Extract<Told, { readonly kind: Kind }>
export type Spoken = Of<"said"> | Of<"past">
export type Private = Omit<Of<"private">, "kind">

/** What the page shows of it. */
export interface View {
  /** Another room: nothing of what is shown stays. */
  readonly cleared: () => void
  /** At the end. */
  readonly said: (lines: ReadonlyArray<Spoken>, isOld: boolean) => void
  /** Before all others. */
  readonly older: (lines: ReadonlyArray<Spoken>, isStart: boolean) => void
  readonly told: (message: Private) => void
  readonly moved: (move: Move, name: string) => void
  /** `isInVain`: something that was typed or asked for is given up. */
  readonly note: (text: string, isLoud?: boolean, isInVain?: boolean) => void
  /** People, rooms, my name or what waits is not what it was. */
  readonly changed: () => void
  /** The name needs its secret. */
  readonly naming: (name: string, text: string) => void
  /** The connection ends, and is not to come back by itself. */
  readonly over: (text: string) => void
}

export interface Answered {
  readonly answer: Answer
  readonly lines: ReadonlyArray<Spoken>
  /** Some lines that were asked for are not kept any more. */
  readonly isGap: boolean
}

/** A name, and the secret of whoever owns it. */
interface Called {
  readonly name: string
  readonly secret?: string
}

interface Pending {
  readonly asked: Asked
  readonly lines: Array<Spoken>
  readonly hear: (told: Told) => void
  readonly answered: (answer: Answered | undefined) => void
  isGap: boolean
}

/** Whether it is called as it came: by its address, or the second of those who are hidden behind the same one. */
export const isUnnamed = ({ addr, name }: Person): boolean => name.startsWith(addr)

/** Where everybody arrives. */
export const lobby = "lobby"
const firstPage = 60
const nextPage = 100
const wholePage = 1000
/** After a break the old connection may still hold the name: so often it is tried again, each second. */
const nameTries = 8
const historyTries = 30

const pause = (ms: number) => new Promise<void>((resume) => setTimeout(resume, ms))

export class Session {
  me: Person | undefined
  room = lobby
  wantedRoom = lobby
  maxLine = 4096
  rooms: Of<"rooms">["rooms"] = []
  /** What is typed is sent at once. */
  isReady = false
  /** Old lines before the first that is shown. */
  isOlderThere = false
  isOwned = false
  readonly people = new Map<string, Person>()
  readonly outbox = new Outbox()

  readonly #view: View
  readonly #words: Wording
  #send: ((line: string) => void) | undefined
  #name: Called | undefined
  #log: string | undefined
  #version: string | undefined
  #isLogReplaced = false
  /** Everything behind it comes as it is said. */
  #place = 0
  #reading = new Reading<Spoken>()
  /** The room whose lines are shown; not the one that I am in while waiting lines are said elsewhere. */
  #shown: string | undefined
  #isEmpty = true
  /** Between `hello` and the end of what that brings. */
  #isEntering = false
  /** Why it was not let in. */
  #refused: NoticeCode | undefined
  /** In a room only to say what waits for it. */
  #isHopping = false
  #isLoading = false
  #hasHole = false
  /** All lines of this room that were missed, if that is known. */
  #missed: Array<Spoken> | undefined
  readonly #pending = new Map<number, Pending>()
  #ids = 0
  /** Grows with each connection: what waits for an earlier one stops. */
  #turn = 0

  constructor(view: View, words: Wording) {
    this.#view = view
    this.#words = words
  }

  opened(send: (line: string) => void): void {
    this.#send = send
  }

  closed(): void {
    this.#send = undefined
    this.isReady =
      this.#isLoading =
      this.#isHopping =
      this.#isEntering =
        false
    this.#turn++
    this.#reading.broken()
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { answered } of pending) answered(undefined)
    this.#view.changed()
  }

  /** Asks, and gives the answer; `undefined` if the connection is gone before it. */
  ask(asked: Asked, hear: (told: Told) => void = () => {}): Promise<Answered | undefined> {
    const send = this.#send
    if (send === undefined) return Promise.resolve(undefined)
    const id = ++this.#ids
    return new Promise((answered) => {
      this.#pending.set(id, { asked, hear, answered, lines: [], isGap: false })
      send(`${JSON.stringify({ ...asked, id })}\n`)
    })
  }

  /** Says it now, or as soon as there is a connection. */
  say(asked: Words): void {
    const waiting = this.outbox.add(asked, this.wantedRoom)
    if (this.isReady && this.room === this.wantedRoom) void this.#post(waiting)
    this.#view.changed()
  }

  /** Before the first connection: the name to begin with. */
  begin(name: string | undefined, secret: string | undefined, room: string): void {
    if (name !== undefined) this.#name = secret === undefined ? { name } : { name, secret }
    this.wantedRoom = room === "" ? lobby : room
  }

  /** Takes a name, now and after each break. */
  async rename(name: string, secret?: string): Promise<Answer | undefined> {
    const wanted = secret === undefined || secret === "" ? { name } : { name, secret }
    const got = await this.ask({ do: "rename", ...wanted })
    if (got?.answer.ok === true) this.#named(wanted, got.answer.owned === true)
    return got?.answer
  }

  async changeSecret(secret: string): Promise<Answer | undefined> {
    const got = await this.ask({ do: "secret", secret })
    if (got?.answer.ok === true && this.me !== undefined) this.#name = { name: this.me.name, secret }
    return got?.answer
  }

  /** My name is nobody's own any more, and needs no secret. */
  disowned(): void {
    if (this.me !== undefined) this.#named({ name: this.me.name }, false)
  }

  async go(room: string): Promise<void> {
    const before = this.wantedRoom
    this.wantedRoom = room
    if (!this.isReady) return
    this.isReady = false
    const turn = this.#turn
    const got = await this.ask({ do: "join", room })
    if (turn !== this.#turn || got === undefined) return
    if (!this.#joined(room, got.answer)) this.wantedRoom = before
    else if (got.answer.room !== undefined) this.#view.note(this.#say("already", got.answer.room))
    this.wantedRoom = this.room
    this.#ready()
  }

  /** What waits for a room goes to it, however its name was typed; or nowhere, if nobody may go there. */
  #joined(room: string, answer: Answer): answer is Done {
    for (const waiting of this.outbox.all.filter((waiting) => waiting.room === room)) {
      if (answer.ok) waiting.room = this.room
      else this.#failed(waiting, answer)
    }
    if (!answer.ok) this.#view.note(this.refusal(answer), true, true)
    return answer.ok
  }

  #failed(waiting: Waiting, answer: Refused): void {
    this.outbox.remove(waiting)
    this.#view.note(this.#say("failed", waiting.asked.text, this.refusal(answer)), true, true)
  }

  /** Fetches what stands before the first line that is shown. */
  async older(): Promise<void> {
    const [reading, turn] = [this.#reading, this.#turn]
    const before = reading.oldest
    if (!this.isOlderThere || this.#isLoading || !this.isReady || before === undefined) return
    this.#isLoading = true
    const got = await this.ask({ do: "history", limit: nextPage, before })
    if (turn !== this.#turn) return
    this.#isLoading = false
    if (got?.answer.ok !== true || reading !== this.#reading) return
    this.isOlderThere = got.answer.more === true
    this.#view.older(reading.older(got.lines), !this.isOlderThere)
  }

  /** The first lines are not shown any more. */
  dropped(oldest: number): void {
    this.#reading.oldest = oldest
    this.isOlderThere = true
  }

  async listRooms(): Promise<void> {
    if (!this.isReady) return
    const all: Array<Of<"rooms">["rooms"][number]> = []
    const got = await this.ask({ do: "rooms" }, (told) => told.kind === "rooms" && all.push(...told.rooms))
    if (got?.answer.ok !== true) return
    this.rooms = all
    this.#view.changed()
  }

  refusal({ code, text }: Refused): string {
    return this.#words(code) ?? text
  }

  isMe({ name }: Person): boolean {
    return name === this.me?.name
  }

  take(told: Told): void {
    switch (told.kind) {
      case "hello":
        return void this.#enter(told)
      case "said":
        if (told.room === this.room && this.room === this.#shown) this.#show(this.#reading.said(told), false)
        return
      case "past":
        if (typeof told.id === "number") this.#pending.get(told.id)?.lines.push(told)
        return
      case "private":
        if (this.isMe(told.from)) this.outbox.seen(told.to, told.text)
        return this.#view.told(told)
      case "came":
        if (this.isMe(told.who)) return this.#arrived(told)
        return this.#moved("came", told.who)
      case "online":
        return this.#moved("came", told.who)
      case "offline":
      case "went":
        return this.#moved("left", told.who)
      case "renamed":
        return this.#renamed(told)
      case "users":
      case "rooms":
        for (const { asked, hear } of this.#pending.values()) {
          if (asked.do === (told.kind === "users" ? "who" : "rooms")) return hear(told)
        }
        return
      case "notice":
        return this.#noticed(told)
      case "answer": {
        const pending = typeof told.id === "number" ? this.#pending.get(told.id) : undefined
        if (pending === undefined || typeof told.id !== "number") return
        this.#pending.delete(told.id)
        return pending.answered({ answer: told, lines: pending.lines, isGap: pending.isGap })
      }
    }
  }

  #named(name: Called, isOwned: boolean): void {
    this.#name = name
    this.isOwned = isOwned
    this.#view.changed()
  }

  #say(key: Key | NoticeCode, ...values: ReadonlyArray<string | number>): string {
    return this.#words(key, ...values) ?? key
  }

  #moved(move: Move, who: Person): void {
    // My own arrival is no news to me.
    if (this.isMe(who)) return
    if (move === "came") this.people.set(who.name, who)
    else this.people.delete(who.name)
    this.#view.moved(move, who.name)
    this.#view.changed()
  }

  #renamed({ name, who }: Of<"renamed">): void {
    if (name === who.name) return
    const isMe = this.isMe(who)
    const person = { ...who, name }
    this.people.delete(who.name)
    this.people.set(name, person)
    if (isMe) this.me = person
    else this.#view.note(this.#say("renamed", who.name, name))
    this.#view.changed()
  }

  #noticed({ code, lines = 0, seconds = 0, text }: Of<"notice">): void {
    const told = this.#words(code, seconds + lines) ?? text
    switch (code) {
      case "away":
        // They are fetched.
        if (this.#isEntering && this.#reading.last !== undefined) return
        return this.#view.note(told, true)
      case "owned":
      case "welcome":
        return
      case "gap":
        for (const one of this.#pending.values()) {
          if (one.asked.do === "history") return void (one.isGap = true)
        }
        return
      case "elsewhere":
      case "removed":
      case "banned":
      case "idle-kick":
        return this.#view.over(told)
      case "skipped":
        this.#view.note(told, true)
        this.#hasHole = true
        if (!this.#reading.isCatchingUp) {
          this.#reading.catchUp()
          void this.#settle(this.#turn)
        }
        return
      case "log-lost":
        this.#reading = new Reading()
        this.isOlderThere = false
        this.#isLogReplaced = true
        return this.#view.note(told, true)
      default:
        // Whoever is not let in is told so at each try.
        if (!this.isReady && code === this.#refused) return
        this.#refused = this.isReady ? undefined : code
        return this.#view.note(told, true)
    }
  }

  /** A new connection. */
  async #enter(hello: Of<"hello">): Promise<void> {
    const turn = ++this.#turn
    const isFirst = this.#log === undefined
    const isOther = !isFirst && !this.#isLogReplaced && hello.log !== this.#log
    this.me = hello.you
    this.room = hello.room
    this.#place = hello.seq
    this.maxLine = hello.maxLine
    this.#log = hello.log
    this.#isLogReplaced = this.isOwned = false
    if (this.#version !== undefined && this.#version !== hello.version) {
      this.#view.note(this.#say("newVersion", hello.version), true)
    }
    this.#version = hello.version
    if (isOther) {
      this.#reading = new Reading()
      this.isOlderThere = false
      this.#view.note(this.#say("log-lost"), true)
    }
    this.#reading.catchUp()
    this.#isEntering = true
    // At once: what is said from here on belongs to it.
    if (this.room === this.wantedRoom && this.room !== this.#shown) this.#open()
    this.#view.changed()
    if (!await this.#callMe(turn)) return
    this.#isHopping = true
    for (const room of new Set(this.outbox.all.map(({ room }) => room))) {
      if (room === this.wantedRoom) continue
      if (room !== this.room) {
        const got = await this.ask({ do: "join", room })
        if (turn !== this.#turn || got === undefined) return
        if (!this.#joined(room, got.answer)) continue
      }
      await this.#postAll(undefined)
      if (turn !== this.#turn) return
    }
    this.#isHopping = false
    if (this.room !== this.wantedRoom) {
      const got = await this.ask({ do: "join", room: this.wantedRoom })
      if (turn !== this.#turn || got === undefined) return
      this.#joined(this.wantedRoom, got.answer)
      this.wantedRoom = this.room
    }
    if (this.room !== this.#shown) this.#open()
    const missed = await this.#settle(turn)
    if (turn !== this.#turn) return
    if (!isFirst && missed !== undefined) {
      this.#view.note(missed === 0 ? this.#say("caughtUp") : this.#say("resumed", missed))
    }
    this.#ready()
  }

  #ready(): void {
    this.isReady = true
    this.#isEntering = false
    void this.listRooms()
    void this.#postAll(this.#missed)
    this.#view.changed()
  }

  /** Says what waits for this room; `missed`: all lines that were missed here, if that is known. */
  #postAll(missed: ReadonlyArray<Spoken> | undefined): Promise<unknown> {
    const waiting = this.outbox.all.filter(({ room }) => room === this.room)
    return Promise.all(waiting.map((one) => this.#isPast(one, missed) || this.#post(one)))
  }

  /** Whether it was said, or may have been. */
  #isPast(waiting: Waiting, missed: ReadonlyArray<Spoken> | undefined): boolean {
    const { asked, sentAs } = waiting
    if (!isDoubtful(waiting, Date.now())) return false
    const isSaid = asked.do === "say" &&
      missed?.some(({ from, text }) => from.name === sentAs && text === asked.text) === true
    if (!isSaid && asked.do === "say" && missed !== undefined) return false
    this.outbox.remove(waiting)
    if (!isSaid) this.#view.note(this.#say("doubtful", asked.text), true, true)
    return true
  }

  async #post(waiting: Waiting): Promise<void> {
    const { asked } = waiting
    waiting.sentAt ??= Date.now()
    waiting.sentAs ??= this.me?.name
    const got = await this.ask(asked)
    // It waits for the next connection.
    if (got === undefined) return
    this.outbox.remove(waiting)
    const { answer } = got
    if (!answer.ok) this.#failed(waiting, answer)
    else if (asked.do === "to") {
      if (!waiting.isSeen && this.me !== undefined) {
        this.#view.told({ time: new Date().toISOString(), from: this.me, to: asked.name, text: asked.text })
      }
      if (answer.kept === true) this.#view.note(this.#say("keptFor", asked.name))
    }
    this.#view.changed()
  }

  /** Takes the name again. `false`: the connection is gone. */
  async #callMe(turn: number): Promise<boolean> {
    for (let tries = 1; this.#name !== undefined; tries++) {
      const { name } = this.#name
      const got = await this.ask({ do: "rename", ...this.#name })
      if (turn !== this.#turn || got === undefined) return false
      const { answer } = got
      if (answer.ok) {
        this.isOwned = answer.owned === true
        return true
      }
      if (tries < nameTries && (answer.code === "name-taken" || answer.code === "busy")) {
        await pause(1000)
        if (turn !== this.#turn) return false
        continue
      }
      this.#name = undefined
      const text = this.refusal(answer)
      this.#view.note(`${name}: ${text}`, true)
      if (answer.code !== "name-taken") this.#view.naming(name, text)
    }
    return true
  }

  /** I came to a room. */
  #arrived({ room, seq = 0 }: Of<"came">): void {
    this.room = room
    this.#place = seq
    if (this.#isHopping) return
    this.wantedRoom = room
    if (room !== this.#shown) this.#open()
    if (!this.#isEntering) void this.#settle(this.#turn)
  }

  /** Shows the room that I am in, from scratch. */
  #open(): void {
    this.#shown = this.room
    this.#reading = new Reading()
    this.#reading.catchUp()
    this.isOlderThere = false
    this.#isEmpty = true
    this.#hasHole = false
    this.people.clear()
    this.#view.cleared()
  }

  /** Fetches what is not there: old lines, then people. How many lines were missed; `undefined` if it came to nothing. */
  async #settle(turn: number): Promise<number | undefined> {
    const reading = this.#reading
    const isStale = () => turn !== this.#turn || reading !== this.#reading
    let missed = 0
    this.#missed = reading.last === undefined ? undefined : []
    do {
      const hadHole = this.#hasHole
      this.#hasHole = false
      let more = true
      for (let tries = 1; more; tries++) {
        const after = reading.last
        const got = await this.ask({
          do: "history",
          limit: after === undefined ? firstPage : wholePage,
          ...after === undefined ? {} : { after },
          // What is missing in a hole may be behind that place.
          ...hadHole ? {} : { before: this.#place + 1 }
        })
        if (isStale() || got === undefined) return undefined
        const { answer, isGap, lines } = got
        if (!answer.ok) {
          if (tries >= historyTries) return undefined
          await pause(1000)
          if (isStale()) return undefined
          continue
        }
        more = answer.more === true
        if (after === undefined && this.#isEmpty) {
          this.isOlderThere = more
          this.#view.older(reading.older(lines), !more)
          // All up to that place is known, even if that is nothing.
          reading.last ??= this.#place
          this.#isEmpty = false
          more = false
          continue
        }
        if (after === undefined) more = false
        if (isGap && after !== undefined) {
          this.#missed = undefined
          this.#view.note(this.#say("gap"), true)
        }
        this.#missed?.push(...lines)
        missed += lines.length
        this.#show(reading.past(lines), true)
      }
    } while (this.#hasHole)
    const aside = reading.caughtUp()
    this.#show(aside, false)
    let isFirst = true
    await this.ask({ do: "who" }, (told) => {
      if (told.kind !== "users" || isStale()) return
      if (isFirst) this.people.clear()
      isFirst = false
      for (const { addr, name } of told.users) this.people.set(name, { addr, name })
      this.#view.changed()
    })
    if (!isStale()) void this.listRooms()
    return isStale() ? undefined : missed
  }

  #show(lines: ReadonlyArray<Spoken>, isOld: boolean): void {
    if (lines.length === 0) return
    this.#isEmpty = false
    this.#view.said(lines, isOld)
  }
}
