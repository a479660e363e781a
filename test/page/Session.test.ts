/** The talk of the page at a server that says what real ones say seldom, or late. */
import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { Session, type Spoken, type View } from "../../src/page/Session.ts"
import type { Told } from "../../src/wire/JsonLines.ts"

const [web, bob] = ["Web", "Bob"].map((name) => ({ name, addr: `${name}:1` })) as [Of, Of]
type Of = Spoken["from"]
const time = "2026-11-26T00:00:00.000Z"

interface Sent {
  readonly do: string
  readonly id: number
  readonly text?: string
  readonly after?: number
  readonly nonce?: string
}

/** A session and a server for it, which knows these lines and answers what is asked. */
const talk = () => {
  const shown: Array<string> = []
  const notes: Array<string> = []
  let over: string | undefined
  const asked: Array<Sent> = []
  const log: Array<string> = []
  let oldest = 1
  let isDeaf = false
  const view: View = {
    cleared: () => {},
    said: (lines) => shown.push(...lines.map(({ text }) => text)),
    older: (lines) => shown.unshift(...lines.map(({ text }) => text)),
    told: () => {},
    moved: () => {},
    note: (text) => void notes.push(text),
    changed: () => {},
    naming: () => {},
    over: (text) => over = text
  }
  // Words come as their keys.
  const session = new Session(view, (key, ...values) => [key, ...values].join(" "))
  const tell = (told: Told) => session.take(told)
  const said = (seq: number) => ({ seq, room: "lobby", time, from: bob, text: log[seq - 1] ?? "" })
  /** What others say; who is not told of it misses it. */
  const say = (text: string, isTold = true) => {
    log.push(text)
    if (isTold) tell({ kind: "said", ...said(log.length) })
  }
  const answer = (line: string) => {
    const sent: Sent & { readonly before?: number } = JSON.parse(line)
    asked.push(sent)
    if (isDeaf) return
    const { after = 0, before = Infinity, id } = sent
    if (sent.do === "history") {
      if (after + 1 < oldest && sent.after !== undefined) tell({ kind: "notice", code: "gap", text: "gap" })
      for (let seq = Math.max(oldest, after + 1); seq < before && seq <= log.length; seq++) {
        tell({ kind: "past", id, ...said(seq) })
      }
    }
    if (sent.do === "say") {
      log.push(sent.text ?? "")
      tell({ kind: "said", ...said(log.length), from: web })
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
    over: () => over,
    forget: (seq: number) => void (oldest = seq + 1),
    deaf: (is: boolean) => void (isDeaf = is),
    connect: async (seq = log.length) => {
      session.opened((line) => queueMicrotask(() => answer(line)))
      tell({ kind: "hello", v: 1, version: "0", log: "a", you: web, room: "lobby", seq, maxLine: 4096 })
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
      const { asked, connect, deaf, notes, session, shown, tell } = talk()
      await connect()
      tell({ kind: "said", seq: 1, room: "lobby", time, from: bob, text: "before" })
      deaf(true)
      session.say({ do: "say", text: "mine" })
      await vi.waitFor(() => assert.lengthOf(nonces(asked), 1))
      session.closed()
      deaf(false)
      const [waiting] = session.outbox.all
      assert.isDefined(waiting)
      waiting.sentAt = Date.now() - 10 * 60_000
      session.opened((line) => {
        const sent: Sent = JSON.parse(line)
        asked.push(sent)
        queueMicrotask(() => {
          if (sent.do === "history" && isSaid) {
            tell({ kind: "past", id: sent.id, seq: 2, room: "lobby", time, from: web, text: "mine" })
          }
          tell({ kind: "answer", id: sent.id, ok: true })
        })
      })
      tell({ kind: "hello", v: 1, version: "0", log: "a", you: web, room: "lobby", seq: 2, maxLine: 4096 })
      await vi.waitFor(() => assert.isTrue(session.isReady))
      await vi.waitFor(() => assert.lengthOf(session.outbox.all, 0))
      // The missed lines are whole: where it is not among them, it was never said.
      assert.lengthOf(nonces(asked), isSaid ? 1 : 2)
      assert.deepStrictEqual(shown, isSaid ? ["before", "mine"] : ["before"])
      assert.notInclude(notes.join(), "doubtful")
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
