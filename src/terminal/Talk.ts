/** The talk of a person at a terminal: what each part tells goes to those that show it. */
import type * as Tty from "node:tty"
import * as Commands from "../client/Commands.ts"
import * as Completion from "../client/Completion.ts"
import * as Doing from "../client/Doing.ts"
import type { State } from "../client/Link.ts"
import { isSecret, nameBeforeSecret } from "../client/Recall.ts"
import { isUnnamed, lobby, Session } from "../client/Session.ts"
import { timeText } from "../client/times.ts"
import { terminalSafe } from "../domain/Text.ts"
import type { Wording } from "./Language.ts"
import { endsOf, Link, type Target } from "./Link.ts"
import * as Naming from "./Naming.ts"
import * as OperatorLines from "./OperatorLines.ts"
import { Prompt } from "./Prompt.ts"
import { troubleText } from "./troubles.ts"
import { View } from "./View.ts"

export interface Beginning {
  readonly target: Target
  readonly wording: Wording
  readonly name: string | undefined
  readonly secret: string | undefined
  readonly room: string
}

/** What is typed is said in less, in ms, as long as all is well. */
const soon = 400
/** The server has so long, in ms, to take leave. */
const leave = 2000
const isName = (line: string) => {
  const typed = Commands.read(line)
  return typed.is === "ask" && typed.asked.do === "rename"
}
const commands = Commands.words.filter((word) => word !== "json")

/** Gives the exit code, once it is over. */
export const talk = (input: Tty.ReadStream, output: Tty.WriteStream, beginning: Beginning): Promise<number> =>
  new Promise((exit) => {
    const { name, room, secret, target, wording } = beginning
    const { locale, say, words } = wording
    let state: State = { is: "connecting" }
    let wasOpen = false
    let hasRoom = false
    let isLeaving = false

    const me = () => session.me?.name ?? ""
    const view = new View(
      { wording, depth: output.getColorDepth() },
      (...lines) => prompt.above(...lines),
      me
    )
    const note = (text: string, isLoud?: boolean) => view.note(text, isLoud)
    const session: Session = new Session({
      cleared: () => {
        if (hasRoom || session.room !== lobby) view.heading(`#${session.room}`)
        hasRoom = true
      },
      said: (lines) => view.said(lines, true),
      older: (lines) => view.said(lines, false),
      told: (message) => view.told(message),
      moved: (move, name) => view.moved(move, name),
      note,
      changed: () => showPrompt(),
      // Why was told already.
      naming: (name) => void prompt.hiding((ask) => naming.open(ask, name), false),
      over: (text) => link.over(text)
    }, words)

    const end = (code: number) => {
      if (session.outbox.all.length > 0) note(say("unsaid", session.outbox.all.length), true)
      clearInterval(clock)
      link.close()
      prompt.close()
      exit(session.outbox.all.length > 0 ? 1 : code)
    }

    const place: Doing.Place = {
      session,
      view: { note, over: () => end(0) },
      naming: {
        open: (...asked) => void prompt.hiding((ask) => naming.open(ask, ...asked)),
        change: (...asked) => void prompt.hiding((ask) => naming.change(ask, ...asked))
      },
      say,
      moment: (ms) => timeText(locale, "moment", ms),
      times: (shown) => view.times(shown),
      help: () => {
        for (const [usage, text] of wording.help) note(`${usage}  ${text}`)
        for (const [, usage, text] of operator.topics()) note(`${usage}  ${text}`)
      },
      named: () => {}
    }

    const operator = OperatorLines.make(place, wording.language)

    const done = async (line: string): Promise<true> => {
      await (operator.type(line) ?? Doing.type(place, line))
      return true
    }

    const type = (lines: ReadonlyArray<string>) => {
      // What is typed brings it back.
      if (state.is === "over") link.now()
      if (lines.length > session.outbox.free) return note(say("tooMany"), true)
      for (const line of lines) {
        const over = Buffer.byteLength(line) - session.maxLine
        if (over > 0) note(say("tooLong", over), true)
        // Its name may have an owner, whose secret follows.
        else if (isName(line)) void prompt.hiding(() => done(line))
        else void done(line)
      }
      setTimeout(showPrompt, soon)
    }

    const prompt: Prompt = new Prompt(input, output, {
      line: (text) => type([text]),
      pasted: async (lines) => {
        for (const line of lines.slice(0, 3)) note(isSecret(line) ? "…" : line)
        if (lines.length > 3) note(say("andMore", lines.length - 3))
        const answer = await prompt.choose(say("sendMany", lines.length), "yon")
        if (answer === "y") type(lines)
        if (answer === "o") type([lines.map((line) => line.trim()).join(" ")])
      },
      hides: (text) => {
        const called = nameBeforeSecret(text)
        if (called !== undefined) return (ask) => naming.open(ask, called)
        const [, word = ""] = /^\s*[/／](secret|op)\s$/iu.exec(text) ?? []
        if (word === "") return undefined
        return word.toLowerCase() === "op" ? naming.operate : (ask) => naming.change(ask, "")
      },
      complete: (head) => {
        const others = [...session.people.keys()].filter((name) => name !== me()).map(terminalSafe)
        return Completion.candidates(head, others, [...commands, ...operator.topics().map(([word]) => word)])
      },
      isSecret,
      leave: () => {
        const { length } = session.outbox.all
        if (!isLeaving && length > 0) note(say("stillWaits", length), true)
        else if (state.is !== "open") end(0)
        else {
          void Doing.type(place, "/quit")
          setTimeout(() => end(1), leave).unref()
        }
        isLeaving = true
      }
    })
    const naming = Naming.make(session, wording, {
      note,
      operate: async (secret) => operator.type(`/op ${secret}`),
      isPrivate: target.isTls || /^(?:localhost|127\..*|::1)$/.test(target.host)
    })

    const showPrompt = () => {
      const { outbox, room } = session
      const now = Date.now()
      const late = outbox.all.filter(({ sentAt }) => !session.isReady || sentAt === undefined || now - sentAt >= soon)
      if (outbox.all.length === 0) isLeaving = false
      const where = session.me === undefined || isUnnamed(session.me) ? `#${room}` : `#${room} ${me()}`
      const text = state.is === "waiting"
        ? say("retry", Math.max(0, Math.ceil((state.at - now) / 1000)))
        : state.is === "over"
        ? say("comeBack")
        : state.is === "connecting"
        ? say("connecting")
        : where
      prompt.set(`${text}${late.length > 0 ? say("waits", late.length) : ""}> `)
    }
    const clock = setInterval(() => state.is === "waiting" && showPrompt(), 1000)

    let trouble = ""
    const link = new Link(target, {
      ...endsOf(session),
      trouble: (why) => {
        const text = troubleText(wording, target, why)
        // Each try that fails says the same.
        if (text !== trouble) note(text, true)
        trouble = text
        if (!wasOpen) end(1)
      },
      state: (next) => {
        state = next
        if (next.is === "open") {
          trouble = ""
          wasOpen = true
        }
        if (next.is === "over") note(next.text, true)
        showPrompt()
      }
    })
    note(say("hint"))
    prompt.flush()
    session.begin(name, secret, room)
    link.now()
  })
