/** The talk of a program in a pipe: lines in, lines out, and an exit code. Nothing here depends on a language but notices. */
import { createInterface } from "node:readline"
import * as Doing from "../client/Doing.ts"
import { type Private, Session, type Spoken } from "../client/Session.ts"
import { timeText } from "../client/times.ts"
import { terminalSafe } from "../domain/Text.ts"
import { endsOf, Link } from "./Link.ts"
import type { Beginning } from "./Talk.ts"
import { troubleText } from "./troubles.ts"

/** Once no more comes in, what waits for a connection has so long, in ms. */
const patience = 30_000

/** A blank behind the colon: no name has one, and an address holds colons. */
export const saidLine = ({ from, text }: Spoken): string => terminalSafe(`${from.name}: ${text}`)
export const privateLine = ({ from, text, to }: Private): string => terminalSafe(`${from.name} -> ${to}: ${text}`)

/** Gives the exit code, once it is over. */
export const pipe = (
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  errors: NodeJS.WritableStream,
  { name, room, secret, target, wording }: Beginning
): Promise<number> =>
  new Promise((exit) => {
    const { locale, say, words } = wording
    let code = 0
    let isOver = false
    let wasOpen = false
    let wasReady = false
    let hasEnded = false
    let look = () => {}

    const print = (line: string) => void output.write(`${terminalSafe(line)}\n`)
    const complain = (text: string) => void errors.write(`*** ${terminalSafe(text)}\n`)
    const end = (last: number) => {
      if (isOver) return
      isOver = true
      const { length } = session.outbox.all
      if (length > 0) complain(say("unsaid", length))
      link.close()
      exit(length > 0 ? 1 : last)
    }
    const fail = (text: string) => {
      complain(text)
      end(1)
    }
    const others = (lines: ReadonlyArray<Spoken>) => lines.filter((line) => !session.isMe(line.from))

    const session: Session = new Session({
      cleared: () => {},
      said: (lines) => others(lines).forEach((line) => print(saidLine(line))),
      // Nothing of before its time.
      older: () => {},
      told: (message) => session.isMe(message.from) || print(privateLine(message)),
      moved: () => {},
      note: (text, isLoud = false, isUnsaid = false) => {
        if (isLoud) complain(text)
        if (isUnsaid) code = 1
      },
      changed: () => {
        const { me } = session
        if (!wasReady && session.isReady) {
          wasReady = true
          // Why was told already.
          if (name !== undefined && me?.name === me?.addr) return end(1)
        }
        look()
      },
      naming: () => wasReady || end(1),
      over: fail
    }, words)
    const until = (isSo: () => boolean) =>
      new Promise<void>((resume) => {
        look = () => {
          if (isSo()) resume()
        }
        look()
      })

    const refuse = (text: string) => {
      complain(text)
      code = 1
    }
    const place: Doing.Place = {
      session,
      view: {
        note: (text, isLoud = false) => isLoud ? refuse(text) : print(`*** ${text}`),
        over: () => end(code)
      },
      naming: {
        open: (name, typed = "", error = "") => {
          if (typed === "") return refuse(error === "" ? say("usage", "/nick NAME") : error)
          waiting = session.rename(name, typed).then((answer) => {
            if (answer?.ok !== true) refuse(answer === undefined ? say("connecting") : session.refusal(answer))
          })
        },
        change: (typed) => {
          waiting = session.changeSecret(typed).then((answer) => {
            if (answer?.ok !== true) refuse(answer === undefined ? say("connecting") : session.refusal(answer))
          })
        }
      },
      say,
      moment: (ms) => timeText(locale, "moment", ms),
      times: () => {},
      help: () => wording.help.forEach(([usage, text]) => print(`*** ${usage}  ${text}`)),
      named: () => {}
    }
    let waiting: Promise<void> | undefined

    const read = async () => {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        await until(() => session.isReady && session.outbox.free > 0)
        if (Buffer.byteLength(line) > session.maxLine) {
          refuse(say("tooLong", Buffer.byteLength(line) - session.maxLine))
          continue
        }
        await Doing.type(place, line)
        await waiting
      }
      hasEnded = true
      const late = setTimeout(() => end(1), patience)
      await until(() => session.isReady && session.outbox.all.length === 0)
      clearTimeout(late)
      await Doing.type(place, "/quit")
    }

    const link = new Link(target, {
      ...endsOf(session),
      trouble: (why) => {
        if (!wasOpen) fail(troubleText(wording, target, why))
        else if (!hasEnded) complain(troubleText(wording, target, why))
      },
      state: ({ is }) => {
        if (is === "open") wasOpen = true
      }
    })
    output.on("error", () => end(1))
    session.begin(name, secret, room)
    link.now()
    void read()
  })
