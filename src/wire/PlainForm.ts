/** The plain lines, for people: in the language of the configuration, and with the time before them for those who want it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Line, Who } from "../domain/Event.ts"
import type { Output, Standing } from "../domain/Output.ts"
import { terminalSafe } from "../domain/Text.ts"
import { ServerConfig, type Settings } from "../ServerConfig.ts"
import * as Command from "./Command.ts"
import type { Form } from "./Form.ts"
import * as Operators from "./OperatorWording.ts"
import { en, type Wording, zh } from "./Wording.ts"

export class PlainForm extends Context.Tag("tellnet/PlainForm")<PlainForm, {
  readonly plain: Form
  /** With the time before each line that is told as it happens. */
  readonly timed: Form
  /** The words of one line, without what marks it as a notice, and without its line break. */
  readonly words: (output: Output) => string
}>() {
  static readonly layer = Layer.effect(PlainForm, Effect.map(ServerConfig, (settings) => make(settings)))
}

type Words = Pick<Settings, "lang" | "welcome" | "data" | "keepDays">

export const make = ({ data, keepDays, lang, welcome }: Words): typeof PlainForm.Service => {
  const wording = { zh, en }[lang]
  const days = data === "none" ? undefined : keepDays
  const greeting = (users: number) => typeof welcome === "object" ? welcome.text : wording.welcome(users, days)
  const render = (output: Output) => words(wording, greeting, output)
  // People read it at each try.
  const shown = (output: Output) => output._tag === "NowMuted" ? "" : render(output)
  const form: Omit<Form, "render"> = { replays: true, timesLists: false, answer: () => "" }
  return {
    plain: { ...form, render: shown },
    timed: {
      ...form,
      timesLists: true,
      render: (output, at) =>
        output._tag === "Past" || output._tag === "Kept"
          ? render(output)
          : shown(output).replaceAll(/^(?=.)/gmu, `${timeOf(new Date(at))} `)
    },
    words: (output) => render(output).replace(/^\*\*\* /, "").replace(/\n$/, "")
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
    case "Came":
      return `${front(output.who)}${wording.came(output.room.name)}\n`
    case "Went":
      return `${front(output.who)}${wording.went(output.to.name)}\n`
    case "Private":
      return `${output.from.name}${wording.told(terminalSafe(output.text))}\n`
    case "Kept":
      return notice(`${momentOf(output.at)} ${output.from.name}${wording.told(terminalSafe(output.text))}`)
    case "Users":
      return output.users.map(({ who }) => `${front(who)}${wording.present}\n`).join("")
    case "Rooms":
      return output.rooms.map(({ room, users }) => notice(wording.room(room.name, users))).join("")
    case "Whois":
      return notice(wording.whois(`[${output.who.address}]${output.who.name}`, output.room.name, momentOf(output.at)))
    case "Past":
      return output.lines.map(past).join("")
    case "PastEnd":
      return output.any ? "" : notice(wording.nothingYet)
    case "Stats":
      return stats(wording, output.standing)
    case "Help":
      return help(wording)
    case "OperatorHelp":
      return help(wording) + Operators.helpOf(wording.operators).map(notice).join("")
    case "Renamed":
      return `${wording.renamed(output.name)}\n`
    case "NameTaken":
      return `${wording.nameTaken}\n`
    case "NameNotAllowed":
      return `${wording.nameNotAllowed}\n`
    case "NoSuchUser":
      return `${wording.noSuchUser}\n`
    case "TellMalformed":
      return `${wording.tellMalformed}\n`
    case "Malformed":
      return notice(wording.malformed)
    case "TellEmpty":
      return `${wording.tellEmpty}\n`
    case "Kicked":
      return `${wording.kicked}\n`
    case "Delivered":
      return output.kept ? notice(wording.kept(output.to)) : ""
    case "Ignoring":
      return output.names.length === 0 ? notice(wording.ignoringNobody) : output.names.map(notice).join("")
    case "Welcome":
      return notice(greeting(output.users))
    case "NameReserved":
      return notice(wording.nameReserved)
    case "Owned":
      return notice(wording.owned(output.name))
    case "NameOwned":
      return notice(wording.nameOwned(output.name))
    case "WrongSecret":
      return notice(wording.wrongSecret)
    case "BadSecret":
      return notice(wording.badSecret)
    case "SecretChanged":
      return notice(wording.secretChanged)
    case "Disowned":
      return notice(wording.disowned(output.name))
    case "NotOwner":
      return notice(wording.notOwner(output.name))
    case "NeverOwned":
      return notice(wording.neverOwned)
    case "TooManyNames":
      return notice(wording.tooManyNames)
    case "TakenOver":
      return notice(wording.takenOver)
    case "Away":
      return notice(wording.away(output.isAll ? String(output.lines) : `${output.lines}+`))
    case "Gap":
      return notice(wording.gap)
    case "OlderMissed":
      return notice(wording.olderMissed)
    case "MailboxFull":
      return notice(wording.mailboxFull(terminalSafe(output.name)))
    case "Unreachable":
      return notice(wording.unreachable(terminalSafe(output.name)))
    case "Ignored":
      return notice(wording.ignored(output.name))
    case "Unignored":
      return notice(wording.unignored(output.name))
    case "IgnoreFull":
      return notice(wording.ignoreFull)
    case "AlreadyThere":
      return notice(wording.alreadyThere(output.room.name))
    case "NoSuchRoom":
      return notice(wording.noSuchRoom)
    case "RoomNotAllowed":
      return notice(wording.roomNotAllowed)
    case "TooManyRooms":
      return notice(wording.tooManyRooms)
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
    case "CutOff":
      return notice(wording.cutOff)
    case "Back":
      return notice(wording.back)
    case "Replaced":
      return notice(wording.replaced)
    case "ServerFull":
      return notice(wording.serverFull)
    case "AddressFull":
      return notice(wording.addressFull)
    case "TooFast":
      return notice(wording.tooFast)
    case "ShuttingDown":
      return notice(wording.shuttingDown)
    case "Done":
    case "Wrote":
    case "Called":
    case "NowCalled":
    case "Hello":
      return ""
    default:
      return Operators.linesOf(wording.operators, output, minuteOf).map(notice).join("")
  }
}

/** One screen: a line for each topic, under the name of its group. */
const help = (wording: Wording): string =>
  Command.groups.map((group) =>
    notice(wording.groups[group]) +
    Command.topics.filter((topic) => topic.group === group)
      .map(({ topic, usage }) => notice(`  ${usage}  ${wording.help[topic]}`)).join("")
  ).join("")

const front = ({ address, name }: Who) => `[${address}]${name}:`
const notice = (text: string) => `*** ${text}\n`

const two = (n: number) => String(n).padStart(2, "0")
const timeOf = (date: Date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
const dayOf = (date: Date) => `${two(date.getMonth() + 1)}-${two(date.getDate())}`

const minuteOf = (at: number) => momentOf(at).slice(0, -3)

const momentOf = (at: number) => {
  const date = new Date(at)
  return `${dayOf(date)} ${timeOf(date)}`
}

// What was kept comes from a file that others may have written: all of it is made safe again.
const past = ({ at, text, who }: Line) => notice(`${momentOf(at)} ${terminalSafe(`${front(who)}${text}`)}`)

const stats = (wording: Wording, { backlog, idleLeft, linesPerSecond, online, skipped }: Standing) =>
  [
    wording.stats.online(online),
    wording.stats.pace(linesPerSecond.toFixed(1)),
    wording.stats.backlog(backlog, skipped),
    idleLeft === undefined ? wording.stats.idleForEver : wording.stats.idleLeft(idleLeft)
  ].map(notice).join("")
