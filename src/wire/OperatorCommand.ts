/** The commands of operators: what a line asks for. Knows nothing of who sent it; to all others these are unknown commands. */
import * as Data from "effect/Data"
import { blank, trimmedEnd } from "../domain/Text.ts"

/** What an operator may ask for. Times are in ms; names and targets are not checked. */
export type OperatorCommand = Data.TaggedEnum<{
  Op: { readonly secret: string }
  Deop: {}
  Kick: { readonly name: string; readonly reason: string }
  Mute: { readonly name: string; readonly duration: number }
  Unmute: { readonly name: string }
  /** Without a duration: for ever. */
  Ban: { readonly target: string; readonly duration: number | undefined; readonly reason: string }
  Unban: { readonly target: string }
  Bans: {}
  Lock: {}
  Unlock: {}
  Release: { readonly name: string }
  Erase: { readonly whose: string; readonly duration: number }
  Announce: { readonly text: string }
  /** Arguments that the command does not take; `usage` is the right form. */
  Misused: { readonly usage: string }
  /** Fields that are not as they must be. */
  Malformed: {}
}>
export const OperatorCommand = Data.taggedEnum<OperatorCommand>()

/** For so long somebody is muted, and so far back lines are erased, where nothing is said. */
export const usualDuration = 3_600_000

/** So many UTF-16 units a reason has at most. */
export const longestReason = 256

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

// Longer ones are as long: nobody counts to it, and it is a time still.
const longestDuration = 36_500 * 86_400_000

export const durationForm = /^[0-9]+[smhd]$/

/** `90s`, `5m`, `2h`, `7d` in ms; `undefined`: it is no duration, or none at all. */
export const durationOf = (text: string): number | undefined => {
  const ms = durationForm.test(text) ? Number(text.slice(0, -1)) * units[text.slice(-1)]! : 0
  return ms === 0 ? undefined : Math.min(ms, longestDuration)
}

type Parse = (words: ReadonlyArray<string>, rest: string) => OperatorCommand | undefined

const blanks = new RegExp(`${blank}+`, "u")

/** What stands behind the first so many words. */
const behind = (rest: string, count: number): string =>
  trimmedEnd(rest.replace(new RegExp(`^(?:[^\\t\\p{Zs}]+${blank}*){${count}}`, "u"), ""))

const alone = (command: OperatorCommand): Parse => (words) => words.length === 0 ? command : undefined
const oneWord = (make: (word: string) => OperatorCommand): Parse => ([first, ...more]) =>
  first === undefined || more.length > 0 ? undefined : make(first)

/** A word, and how long, if that is said. */
const timed = (make: (word: string, duration: number) => OperatorCommand): Parse => ([first, time, ...more]) => {
  const duration = time === undefined ? usualDuration : durationOf(time)
  return first === undefined || more.length > 0 || duration === undefined ? undefined : make(first, duration)
}

const table = [
  {
    word: "op",
    argument: " SECRET",
    parse: (_, rest) => rest === "" ? undefined : OperatorCommand.Op({ secret: trimmedEnd(rest) })
  },
  { word: "deop", argument: "", parse: alone(OperatorCommand.Deop()) },
  {
    word: "kick",
    argument: " NAME [REASON]",
    parse: ([name], rest) => {
      const reason = behind(rest, 1)
      return name === undefined || reason.length > longestReason ? undefined : OperatorCommand.Kick({ name, reason })
    }
  },
  {
    word: "mute",
    argument: " NAME [DURATION]",
    parse: timed((name, duration) => OperatorCommand.Mute({ name, duration }))
  },
  { word: "unmute", argument: " NAME", parse: oneWord((name) => OperatorCommand.Unmute({ name })) },
  {
    word: "ban",
    argument: " NAME|IP|CIDR [DURATION] [REASON]",
    parse: ([target, time = ""], rest) => {
      const isTimed = durationForm.test(time)
      const duration = durationOf(time)
      const reason = behind(rest, isTimed ? 2 : 1)
      return target === undefined || isTimed && duration === undefined || reason.length > longestReason
        ? undefined
        : OperatorCommand.Ban({ target, duration, reason })
    }
  },
  { word: "unban", argument: " NAME|IP|CIDR", parse: oneWord((target) => OperatorCommand.Unban({ target })) },
  { word: "bans", argument: "", parse: alone(OperatorCommand.Bans()) },
  { word: "lock", argument: "", parse: alone(OperatorCommand.Lock()) },
  { word: "unlock", argument: "", parse: alone(OperatorCommand.Unlock()) },
  { word: "release", argument: " NAME", parse: oneWord((name) => OperatorCommand.Release({ name })) },
  {
    word: "erase",
    argument: " NAME|IP [DURATION]",
    parse: timed((whose, duration) => OperatorCommand.Erase({ whose, duration }))
  },
  {
    word: "announce",
    argument: " TEXT",
    parse: (words, rest) => words.length === 0 ? undefined : OperatorCommand.Announce({ text: rest })
  }
] as const satisfies ReadonlyArray<{ readonly word: string; readonly argument: string; readonly parse: Parse }>

/** What the help of operators has a line about. */
export type OperatorTopic = typeof table[number]["word"]

/** The table that `parse` reads, as help shows it. */
export const operatorTopics: ReadonlyArray<{ readonly topic: OperatorTopic; readonly usage: string }> = table.map(
  ({ argument, word }) => ({ topic: word, usage: `/${word}${argument}` })
)

const rows: ReadonlyMap<string, typeof table[number]> = new Map(table.map((row) => [row.word, row]))

/** `word`: without its slash. `rest`: what follows, without blanks before it. `undefined`: it is no command of operators. */
export const parse = (word: string, rest: string): OperatorCommand | undefined => {
  const row = rows.get(word.toLowerCase())
  if (row === undefined) return undefined
  const words = rest.split(blanks).filter((word) => word !== "")
  return row.parse(words, rest) ?? OperatorCommand.Misused({ usage: `/${row.word}${row.argument}` })
}
