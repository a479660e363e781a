/** The plain lines, for people: in the language of the configuration, and with the time before them for those who want it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Line, Who } from "../domain/Event.ts"
import type { Output, Standing } from "../domain/Output.ts"
import { ServerConfig, type Settings } from "../ServerConfig.ts"
import * as Command from "./Command.ts"
import type { Form } from "./Form.ts"
import { terminalSafe } from "./Text.ts"
import { en, type Wording, zh } from "./Wording.ts"

export class PlainForm extends Context.Tag("tellnet/PlainForm")<PlainForm, {
  readonly plain: Form
  /** With the time before each line that is told as it happens. */
  readonly timed: Form
}>() {
  static readonly layer = Layer.effect(PlainForm, Effect.map(ServerConfig, (settings) => make(settings)))
}

type Words = Pick<Settings, "lang" | "welcome" | "data" | "keepDays">

export const make = ({ data, keepDays, lang, welcome }: Words): typeof PlainForm.Service => {
  const wording = { zh, en }[lang]
  const days = data === "none" ? undefined : keepDays
  const greeting = (users: number) => typeof welcome === "object" ? welcome.text : wording.welcome(users, days)
  const render = (output: Output) => words(wording, greeting, output)
  return {
    plain: { render },
    timed: {
      render: (output, at) =>
        output._tag === "Past" ? render(output) : render(output).replaceAll(/^(?=.)/gmu, `${timeOf(new Date(at))} `)
    }
  }
}

const words = (wording: Wording, greeting: (users: number) => string, output: Output): string => {
  switch (output._tag) {
    case "Said":
      return `${front(output.who)}${terminalSafe(output.text)}\n`
    case "Online":
      return `${front(output.who)}${wording.online}\n`
    case "Offline":
      return `${front(output.who)}${wording.offline}\n`
    case "Private":
      return `${output.from.name}${wording.told(terminalSafe(output.text))}\n`
    case "Users":
      return output.users.map((who) => `${front(who)}${wording.present}\n`).join("")
    case "Past":
      return output.lines.map(past).join("")
    case "Stats":
      return stats(wording, output.standing)
    case "Help":
      return Command.topics.map(({ topic, usage }) => notice(`${usage}  ${wording.help[topic]}`)).join("")
    case "Welcome":
      return notice(greeting(output.users))
    case "Renamed":
      return `${wording.renamed(output.name)}\n`
    case "NameTaken":
      return `${wording.nameTaken}\n`
    case "NameNotAllowed":
      return `${wording.nameNotAllowed}\n`
    case "NameReserved":
      return notice(wording.nameReserved)
    case "NoSuchUser":
      return `${wording.noSuchUser}\n`
    case "TellMalformed":
      return `${wording.tellMalformed}\n`
    case "TellEmpty":
      return `${wording.tellEmpty}\n`
    case "Kicked":
      return `${wording.kicked}\n`
    case "Usage":
      return notice(wording.usage(output.usage))
    case "UnknownCommand":
      return notice(wording.unknownCommand(terminalSafe(output.command)))
    case "LineTooLong":
      return notice(wording.lineTooLong(output.limit))
    case "IdleWarning":
      return notice(wording.idleWarning(output.seconds))
    case "Skipped":
      return notice(wording.skipped(output.lines))
    case "NotKept":
      return notice(wording.notKept(output.lines))
    case "NothingYet":
      return notice(wording.nothingYet)
    case "Busy":
      return notice(wording.busy)
    case "TimeShown":
      return notice(wording.timeShown)
    case "TimeHidden":
      return notice(wording.timeHidden)
    case "KeepingFails":
      return notice(wording.keepingFails)
    case "KeepingWorks":
      return notice(wording.keepingWorks)
    case "ServerFull":
      return notice(wording.serverFull)
    case "AddressFull":
      return notice(wording.addressFull)
    case "ShuttingDown":
      return notice(wording.shuttingDown)
  }
}

const front = ({ address, name }: Who) => `[${address}]${name}:`
const notice = (text: string) => `*** ${text}\n`

const two = (n: number) => String(n).padStart(2, "0")
const timeOf = (date: Date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
const dayOf = (date: Date) => `${two(date.getMonth() + 1)}-${two(date.getDate())}`

// What was kept comes from a file that others may have written: all of it is made safe again.
const past = ({ at, text, who }: Line) => {
  const date = new Date(at)
  return notice(`${dayOf(date)} ${timeOf(date)} ${terminalSafe(`${front(who)}${text}`)}`)
}

const stats = (wording: Wording, { backlog, idleLeft, linesPerSecond, online, skipped }: Standing) =>
  [
    wording.stats.online(online),
    wording.stats.pace(linesPerSecond.toFixed(1)),
    wording.stats.backlog(backlog, skipped),
    idleLeft === undefined ? wording.stats.idleForEver : wording.stats.idleLeft(idleLeft)
  ].map(notice).join("")
