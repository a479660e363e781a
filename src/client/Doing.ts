/** Does what was typed, and tells how that went. Knows neither a page nor a terminal. */
import type { Asked, Person, Told } from "../wire/JsonLines.ts"
import { read } from "./Commands.ts"
import { type Answered, isUnnamed, lobby, type Session, type View } from "./Session.ts"
import type { Say } from "./Words.ts"

/** Asks for a name and its secret where nobody can read along. */
export interface Naming {
  readonly open: (name: string, secret?: string, error?: string) => void
  /** For another secret of the name that I own. */
  readonly change: (secret: string) => void
}

export interface Place {
  readonly session: Session
  readonly view: Pick<View, "note" | "over">
  readonly naming: Naming
  readonly say: Say
  /** A day with its time, as people read it; `ms`: since 1970. */
  readonly moment: (ms: number) => string
  readonly times: (shown: boolean) => void
  readonly help: () => void
  /** A name was taken, without a secret. */
  readonly named: (name: string) => void
}

/** A line of somebody who writes to `to`, or to all. What is asked for is done when the promise is. */
export const type = (place: Place, line: string, to?: string): Promise<void> | void => {
  const { naming, say, session, view } = place
  if (to !== undefined && !/^\s*[/／]/.test(line)) return session.say({ do: "to", name: to, text: line })
  const typed = read(line)
  switch (typed.is) {
    case "naming":
      naming.open(typed.name, typed.secret)
      break
    case "secret":
      naming.change(typed.secret)
      break
    case "time":
      place.times(typed.shown)
      view.note(say(typed.shown ? "timeOn" : "timeOff"))
      break
    case "help":
      place.help()
      break
    case "json":
      view.note(say("noJson"))
      break
    case "misused":
      view.note(say("usage", typed.usage), true)
      break
    case "unknown":
      view.note(say("unknown", typed.word), true)
      break
    case "ask": {
      const { asked } = typed
      if (asked.do === "say") session.say(asked)
      else if (asked.do !== "to") return ask(place, asked)
      else if (asked.name !== "" && /\S/.test(asked.text)) session.say(asked)
      else view.note(say("usage", "/to NAME TEXT"), true)
    }
  }
}

const ask = async (place: Place, asked: Asked): Promise<void> => {
  const { naming, say, session, view } = place
  if (asked.do === "join") return session.go(asked.room.replace(/^[#＃]/, ""))
  if (asked.do === "leave") return session.go(lobby)
  if (asked.do === "rename") {
    const answer = await session.rename(asked.name)
    if (answer?.ok === true) {
      place.named(answer.name ?? asked.name)
      view.note(say(answer.owned === true ? "calledMine" : "called", answer.name ?? asked.name))
    } else if (answer?.code === "name-owned") naming.open(asked.name, "", session.refusal(answer))
    else view.note(answer === undefined ? say("connecting") : session.refusal(answer), true)
    return
  }
  const users: Array<Person> = []
  const rooms: Array<string> = []
  const got = await session.ask(asked, (told: Told) => {
    if (told.kind === "users") users.push(...told.users)
    if (told.kind === "rooms") rooms.push(...told.rooms.map(({ room, users }) => `#${room} ${users}`))
  })
  if (got === undefined) return asked.do === "quit" ? view.over(say("gone")) : view.note(say("connecting"), true)
  if (!got.answer.ok) return view.note(session.refusal(got.answer), true)
  answered(place, asked, got, users.map(({ name }) => name), rooms)
}

const answered = (
  { moment, say, session, view }: Place,
  asked: Asked,
  { answer, lines }: Answered,
  users: ReadonlyArray<string>,
  rooms: ReadonlyArray<string>
): void => {
  if (!answer.ok) return
  const list = say("list")
  switch (asked.do) {
    case "who":
      return view.note(say("here", asked.room ?? session.room, users.join(list)))
    case "rooms":
      return view.note(rooms.join(list))
    case "history":
    case "missed":
      view.note(lines.length === 0 ? say("nothing") : say(asked.do === "missed" ? "missed" : "past", lines.length))
      for (const line of lines) view.note(`${moment(Date.parse(line.time))} ${line.from.name}: ${line.text}`)
      if (asked.do === "missed" && answer.more === true) view.note(say("older"))
      return
    case "whois": {
      const { room = "", since = "", who } = answer
      if (who === undefined) return
      const name = isUnnamed(who) ? who.name : `${who.name} [${who.addr}]`
      return view.note(say("whois", name, room, moment(Date.parse(since))))
    }
    case "stats": {
      const { backlog = 0, linesPerSecond = 0, online = 0, skipped = 0 } = answer
      return view.note(say("stats", online, Math.round(linesPerSecond * 10) / 10, backlog, skipped))
    }
    case "ignore":
      return view.note(
        asked.name !== undefined
          ? say("ignored", asked.name)
          : answer.names === undefined || answer.names.length === 0
          ? say("ignoringNobody")
          : say("ignoring", answer.names.join(list))
      )
    case "unignore":
      return view.note(say("unignored", asked.name))
    case "disown":
      session.disowned()
      return view.note(say("disowned", answer.name ?? ""))
    case "quit":
      return view.over(say("gone"))
    default:
      return
  }
}
