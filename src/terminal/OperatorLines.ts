/** The commands of operators: read as the server reads them, asked as programs ask, and answered in the server's words. */
import type * as Doing from "../client/Doing.ts"
import { trimmedEnd } from "../domain/Text.ts"
import type { Answer, Asked, Done, Refused } from "../wire/JsonLines.ts"
import { type OperatorCommand, operatorTopics, parse } from "../wire/OperatorCommand.ts"
import { en, zh } from "../wire/OperatorWording.ts"
import type { Language } from "./Language.ts"

/** What a line asks for; `undefined`: nothing that is for operators. */
const read = (line: string): OperatorCommand | undefined => {
  const [, word = "", rest = ""] = /^\s*[/／](\S+)\s*(.*)$/su.exec(line) ?? []
  return parse(word, trimmedEnd(rest))
}

export interface OperatorLines {
  /** Does what a line asks for, if it is for operators, and gives the answer; `undefined`: it is not. */
  readonly type: (line: string) => Promise<Answer | undefined> | undefined
  /** For help and completion: of whoever is no operator there are none. */
  readonly topics: () => ReadonlyArray<readonly [word: string, usage: string, text: string]>
}

export const make = ({ moment, say, session, view }: Doing.Place, language: Language): OperatorLines => {
  const wording = language === "zh" ? zh : en
  let isOperator = false
  const told = (command: OperatorCommand, { bans = [], lines = 0 }: Done): ReadonlyArray<string> => {
    switch (command._tag) {
      case "Op":
        isOperator = true
        return [wording.isOperator]
      case "Deop":
        isOperator = false
        return [wording.noOperator]
      case "Kick":
        return [wording.wasRemoved(command.name)]
      case "Mute":
        return [wording.wasMuted(command.name)]
      case "Unmute":
        return [wording.wasUnmuted(command.name)]
      case "Ban":
        return [wording.wasBanned(command.target)]
      case "Unban":
        return [wording.wasUnbanned(command.target)]
      case "Bans":
        return bans.length === 0 ?
          [wording.noBans] :
          bans.map(({ by, reason, target, until }) =>
            [wording.ban(target, until === null ? undefined : moment(Date.parse(until))), reason, `(${by})`]
              .filter((part) => part !== "").join(" ")
          )
      case "Lock":
        return [wording.wasLocked]
      case "Unlock":
        return [wording.wasUnlocked]
      case "Release":
        return [wording.wasReleased(command.name)]
      case "Erase":
        return [wording.wasErased(lines)]
      default:
        // Everybody is told, this one too.
        return []
    }
  }
  const refusal = (answer: Refused, word: string): string => {
    switch (answer.code) {
      case "unknown-command":
        isOperator = false
        return say("unknown", `/${word}`)
      case "usage":
        return say("usage", operatorTopics.find(({ topic }) => topic === word)?.usage ?? "")
      case "no-such-ban":
        return wording.noSuchBan
      case "look-alike":
        return wording.lookAlike
      default:
        return session.refusal(answer)
    }
  }
  const carryOut = async (command: OperatorCommand): Promise<Answer | undefined> => {
    const asked = askedOf(command)
    const got = asked && await session.ask(asked)
    if (asked === undefined) view.note(say("usage", command._tag === "Misused" ? command.usage : ""), true)
    else if (got === undefined) view.note(say("connecting"), true)
    else if (!got.answer.ok) view.note(refusal(got.answer, asked.do), true)
    else for (const text of told(command, got.answer)) view.note(text)
    return got?.answer
  }
  return {
    type: (line) => {
      const command = read(line)
      return command && carryOut(command)
    },
    topics: () =>
      isOperator ? operatorTopics.map(({ topic, usage }) => [topic, usage, wording.help[topic]] as const) : []
  }
}

const inSeconds = (ms: number | undefined) => ms === undefined ? {} : { duration: `${ms / 1000}s` }
const because = (reason: string) => reason === "" ? {} : { reason }

const askedOf = (command: OperatorCommand): Asked | undefined => {
  switch (command._tag) {
    case "Op":
      return { do: "op", secret: command.secret }
    case "Kick":
      return { do: "kick", name: command.name, ...because(command.reason) }
    case "Mute":
      return { do: "mute", name: command.name, ...inSeconds(command.duration) }
    case "Unmute":
      return { do: "unmute", name: command.name }
    case "Ban":
      return { do: "ban", target: command.target, ...inSeconds(command.duration), ...because(command.reason) }
    case "Unban":
      return { do: "unban", target: command.target }
    case "Release":
      return { do: "release", name: command.name }
    case "Erase":
      return { do: "erase", target: command.whose, ...inSeconds(command.duration) }
    case "Announce":
      return { do: "announce", text: command.text }
    case "Deop":
      return { do: "deop" }
    case "Bans":
      return { do: "bans" }
    case "Lock":
      return { do: "lock" }
    case "Unlock":
      return { do: "unlock" }
    case "Misused":
    case "Malformed":
      return undefined
  }
}
