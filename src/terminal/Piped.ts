/** The talk of a program in a pipe: lines in, lines out, and an exit code. Nothing here depends on a language but notices. */
import { createInterface } from "node:readline"
import * as Doing from "../client/Doing.ts"
import { isUnnamed, type Private, Session, type Spoken } from "../client/Session.ts"
import { timeText } from "../client/times.ts"
import { terminalSafe } from "../domain/Text.ts"
import { endsOf, Link } from "./Link.ts"
import * as OperatorLines from "./OperatorLines.ts"
import type { Beginning } from "./Talk.ts"
import { troubleText } from "./troubles.ts"

/** Once no more comes in, what waits for an answer has so long, in ms. */
const usual = 30_000

/** A blank behind the colon: no name has one, and an address holds colons. */
export const saidLine = ({ from, text }: Spoken): string => terminalSafe(`${from.name}: ${text}`)
export const privateLine = ({ from, text, to }: Private): string => terminalSafe(`${from.name} -> ${to}: ${text}`)

/** Gives the exit code, once it is over. */
export const pipe = (
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  errors: NodeJS.WritableStream,
  { name, room, secret, target, wording }: Beginning,
  patience = usual
): Promise<number> =>
  new Promise((exit) => {
    const { locale, say, words } = wording
    let code = 0
    let isOver = false
    let wasOpen = false
    let wasReady = false
    let hasEnded = false
    let isLeaving = false
    let waiting: Promise<void> | undefined
    let unsaid = 0
    let late: NodeJS.Timeout | undefined
    let look = () => {}

    const print = (line: string) => {
      // Whoever does not read is sent nothing more: the server skips lines for it, and says how many.
      if (!output.write(`${terminalSafe(line)}\n`)) link.hold(true)
    }
    const complain = (text: string) => void errors.write(`*** ${terminalSafe(text)}\n`)
    const end = (last: number) => {
      if (isOver) return
      isOver = true
      clearTimeout(late)
      const { length } = session.outbox.all
      if (length > 0) complain(say("unsaid", length))
      link.close()
      exit(length > 0 ? 1 : last)
    }
    const fail = (text: string) => {
      complain(text)
      end(1)
    }
    const hurry = () => {
      clearTimeout(late)
      if (!hasEnded || isOver) return
      late = setTimeout(() => link.isHeld ? hurry() : fail(troubleText(wording, target, { is: "silent" })), patience)
    }
    const others = (lines: ReadonlyArray<Spoken>) => lines.filter((line) => !session.isMe(line.from))

    const session: Session = new Session({
      cleared: () => {},
      said: (lines) => others(lines).forEach((line) => print(saidLine(line))),
      // Nothing of before its time.
      older: () => {},
      told: (message) => session.isMe(message.from) || print(privateLine(message)),
      moved: () => {},
      note: (text, isLoud = false, isInVain = false) => {
        if (isLoud) complain(text)
        if (!isInVain) return
        code = 1
        // Nothing waits yet, so it is the room: what was meant for that is said nowhere else.
        if (!wasReady) end(1)
      },
      changed: () => {
        const { me } = session
        if (!wasReady && session.isReady) {
          wasReady = true
          // Why was told already.
          if (name !== undefined && me !== undefined && isUnnamed(me)) return end(1)
        }
        if (session.outbox.all.length !== unsaid) {
          unsaid = session.outbox.all.length
          hurry()
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
      help: () => {
        for (const [usage, text] of wording.help) print(`*** ${usage}  ${text}`)
        for (const [, usage, text] of operator.topics()) print(`*** ${usage}  ${text}`)
      },
      named: () => {}
    }
    const operator = OperatorLines.make(place, wording.language)
    const lines = createInterface({ input, crlfDelay: Infinity })
    lines.once("close", () => {
      hasEnded = true
      hurry()
    })
    const read = async () => {
      for await (const line of lines) {
        await until(() => session.isReady && session.outbox.free > 0)
        if (Buffer.byteLength(line) > session.maxLine) {
          refuse(say("tooLong", Buffer.byteLength(line) - session.maxLine))
          continue
        }
        await (operator.type(line) ?? Doing.type(place, line))
        await waiting
        hurry()
      }
      await until(() => session.isReady && session.outbox.all.length === 0)
      isLeaving = true
      await Doing.type(place, "/quit")
    }

    const link = new Link(target, {
      ...endsOf(session),
      trouble: (why) => {
        if (!wasOpen) fail(troubleText(wording, target, why))
        else if (!isLeaving) complain(troubleText(wording, target, why))
      },
      state: ({ is }) => {
        if (is === "open") wasOpen = true
      }
    })
    output.on("error", () => end(1)).on("drain", () => link.hold(false))
    // What is said does not depend on somebody who reads the reasons.
    errors.on("error", () => {})
    session.begin(name, secret, room)
    link.now()
    void read()
  })
