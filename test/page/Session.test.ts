/** The talk of the page at a server that says what real ones say seldom, or late. */
import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { Session, type Spoken, type View } from "../../src/client/Session.ts"
import type { Told } from "../../src/wire/JsonLines.ts"

const [web, bob] = ["Web", "Bob"].map((name) => ({ name, addr: `${name}:1` })) as [Of, Of]
type Of = Spoken["from"]
const time = "2026-11-26T00:00:00.000Z"

interface Sent {
  readonly do: string
  readonly id: number
  readonly text?: string
  readonly room?: string
  readonly after?: number
  readonly nonce?: string
}

/** A session and a server for it, which knows these lines and answers what is asked. */
const talk = (named: Array<string> = []) => {
  const shown: Array<string> = []
  const notes: Array<string> = []
  let over: string | undefined
  const asked: Array<Sent> = []
  const log: Array<{ readonly from: Of; readonly text: string }> = []
  let oldest = 1
  let isDeaf = false
  let refusal: "busy" | undefined
  const closedRooms = new Set<string>()
  const view: View = {
    cleared: () => {},
    said: (lines) => shown.push(...lines.map(({ text }) => text)),
    older: (lines) => shown.unshift(...lines.map(({ text }) => text)),
    told: () => {},
    moved: () => {},
    note: (text) => void notes.push(text),
    changed: () => {},
    naming: (name) => named.push(name),
    over: (text) => over = text
  }
  // Words come as their keys.
  const session = new Session(view, (key, ...values) => [key, ...values].join(" "))
  const tell = (told: Told) => session.take(told)
  const said = (seq: number) => ({ seq, room: "lobby", time, ...log[seq - 1] ?? assert.fail("nothing was said there") })
  /** What others say; who is not told of it misses it. */
  const say = (text: string, isTold = true, from = bob) => {
    log.push({ from, text })
    if (isTold) tell({ kind: "said", ...said(log.length) })
  }
  const answer = (line: string) => {
    const sent: Sent & { readonly before?: number } = JSON.parse(line)
    asked.push(sent)
    if (isDeaf) return
    if (sent.do === "rename" && refusal !== undefined) {
      return tell({ kind: "answer", id: sent.id, ok: false, code: refusal, text: "" })
    }
    if (sent.do === "join" && sent.room !== undefined) {
      if (closedRooms.has(sent.room)) {
        return tell({ kind: "answer", id: sent.id, ok: false, code: "too-many-rooms", text: "" })
      }
      const room = sent.room === "DEV" ? "dev" : sent.room
      tell({ kind: "came", room, who: web, time, from: session.room, seq: log.length })
    }
    const { after = 0, before = Infinity, id } = sent
    if (sent.do === "history") {
      if (after + 1 < oldest && sent.after !== undefined) tell({ kind: "notice", code: "gap", text: "gap" })
      for (let seq = Math.max(oldest, after + 1); seq < before && seq <= log.length; seq++) {
        tell({ kind: "past", id, ...said(seq) })
      }
    }
    if (sent.do === "say") {
      say(sent.text ?? "", true, web)
    }
    tell({ kind: "answer", id, ok: true })
  }
  return {
    session,
    shown,
    notes,
    asked,
    say,
    tell,
    refuse: (code: "busy") => void (refusal = code),
    shut: (room: string) => void closedRooms.add(room),
    over: () => over,
    forget: (seq: number) => void (oldest = seq + 1),
    deaf: (is: boolean) => void (isDeaf = is),
    connect: async (you = web) => {
      session.opened((line) => queueMicrotask(() => answer(line)))
      tell({ kind: "hello", v: 1, version: "0", log: "a", you, room: "lobby", seq: log.length, maxLine: 4096 })
      await vi.waitFor(() => assert.isTrue(session.isReady))
    }
  }
}

const nonces = (asked: ReadonlyArray<Sent>) => asked.filter((one) => one.do === "say").map(({ nonce }) => nonce)

describe("The talk of the page", () => {
  it("fetches what was skipped, shows it once and in its place, and says so", async () => {
    const { connect, notes, say, shown, tell } = talk()
    await connect()
    say("one")
    for (const text of ["two", "three"]) say(text, false)
    tell({ kind: "notice", code: "skipped", lines: 2, text: "" })
    say("four")
    await vi.waitFor(() => assert.deepStrictEqual(shown, ["one", "two", "three", "four"]))
    assert.include(notes, "skipped 2")
  })

  it("tells that some of what was missed is not kept any more, and shows the rest", async () => {
    const { connect, forget, notes, say, session, shown } = talk()
    await connect()
    say("one")
    session.closed()
    for (const text of ["two", "three", "four"]) say(text, false)
    forget(3)
    await connect()
    assert.deepStrictEqual(shown, ["one", "four"])
    assert.include(notes, "gap")
  })

  it("says again by the same nonce what was not answered", async () => {
    const { asked, connect, deaf, session } = talk()
    await connect()
    deaf(true)
    session.say({ do: "say", text: "mine" })
    await vi.waitFor(() => assert.lengthOf(nonces(asked), 1))
    session.closed()
    deaf(false)
    await connect()
    await vi.waitFor(() => assert.lengthOf(session.outbox.all, 0))
    const [first, second] = nonces(asked)
    assert.match(first ?? "", /^[a-z0-9]{16}$/)
    assert.strictEqual(second, first)
  })

  it("does not say again what its nonce may not protect any more: it looks for it among what was missed", async () => {
    for (const isSaid of [true, false]) {
      const { asked, connect, deaf, notes, say, session, shown } = talk()
      await connect()
      say("before")
      deaf(true)
      session.say({ do: "say", text: "mine" })
      await vi.waitFor(() => assert.lengthOf(nonces(asked), 1))
      session.closed()
      deaf(false)
      const [waiting] = session.outbox.all
      assert.isDefined(waiting)
      waiting.sentAt = Date.now() - 10 * 60_000
      if (isSaid) say("mine", false, web)
      // Who has chosen no name has another one by now.
      await connect({ name: "Web:2", addr: "Web:2" })
      await vi.waitFor(() => assert.lengthOf(session.outbox.all, 0))
      // The missed lines are whole: where it is not among them, it was never said.
      assert.lengthOf(nonces(asked), isSaid ? 1 : 2)
      assert.deepStrictEqual(shown, ["before", "mine"])
      assert.notInclude(notes.join(), "doubtful")
    }
  })

  it("says what waits for a room there, however it was typed, or gives it back; and nowhere else", async () => {
    const { asked, connect, notes, session, shut } = talk()
    const saidWhere = () => {
      let room = "lobby"
      return asked.flatMap((one) => {
        if (one.do === "join") room = one.room ?? ""
        return one.do === "say" ? [`${room} ${one.text}`] : []
      })
    }
    await connect()
    void session.go("DEV")
    session.say({ do: "say", text: "to dev" })
    await vi.waitFor(() => assert.lengthOf(session.outbox.all, 0))
    assert.deepStrictEqual([session.room, ...saidWhere()], ["dev", "DEV to dev"])
    shut("full")
    void session.go("full")
    session.say({ do: "say", text: "to full" })
    await vi.waitFor(() => assert.include(notes, "failed to full too-many-rooms"))
    session.closed()
    for (const room of ["full", "lobby"]) {
      void session.go(room)
      session.say({ do: "say", text: `later to ${room}` })
    }
    await connect()
    await vi.waitFor(() => assert.include(notes, "failed later to full too-many-rooms"))
    await vi.waitFor(() => assert.lengthOf(session.outbox.all, 0))
    assert.deepStrictEqual(saidWhere().slice(1).map((line) => line.split(" ").slice(1).join(" ")), ["later to lobby"])
    assert.deepStrictEqual(asked.filter((one) => one.do === "join").map(({ room }) => room), ["DEV", "full", "full"])
  })

  it("does not say again in another room what is too old to be known", async () => {
    const { asked, connect, deaf, notes, session } = talk()
    await connect()
    deaf(true)
    session.say({ do: "say", text: "old" })
    await vi.waitFor(() => assert.lengthOf(nonces(asked), 1))
    session.closed()
    deaf(false)
    void session.go("dev")
    session.outbox.all[0]!.sentAt = Date.now() - 10 * 60_000
    await connect()
    assert.lengthOf(nonces(asked), 1)
    assert.include(notes, "doubtful old")
  })

  it("goes on without its name where the server stays busy, and asks for it", async () => {
    vi.useFakeTimers()
    try {
      const named: Array<string> = []
      const { connect, refuse, session } = talk(named)
      refuse("busy")
      session.begin("Olga", "secret", "")
      const open = connect()
      await vi.advanceTimersByTimeAsync(20_000)
      await open
      assert.isTrue(session.isReady)
      assert.deepStrictEqual(named, ["Olga"])
    } finally {
      vi.useRealTimers()
    }
  })

  it("does not come back by itself where it was told to go, and does where the server ends", async () => {
    for (const code of ["idle-kick", "elsewhere", "shutdown"] as const) {
      const { connect, over, tell } = talk()
      await connect()
      tell({ kind: "notice", code, text: "" })
      assert.strictEqual(over() === undefined, code === "shutdown")
    }
  })
})
