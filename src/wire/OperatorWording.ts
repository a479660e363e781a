/** What operators, and those whom they meet, are told: the words in two languages, and the lines that are made of them. */
import type { OfOperators } from "../domain/Output.ts"
import { type Rule, targetOf } from "../domain/Rules.ts"
import { terminalSafe } from "../domain/Text.ts"
import { type OperatorTopic, operatorTopics } from "./OperatorCommand.ts"

export interface OperatorWording {
  readonly isOperator: string
  readonly noOperator: string
  readonly wasRemoved: (name: string) => string
  /** `reason`: empty if there is none. */
  readonly removed: (reason: string) => string
  readonly wasMuted: (name: string) => string
  readonly wasUnmuted: (name: string) => string
  readonly muted: string
  readonly wasBanned: (target: string) => string
  readonly wasUnbanned: (target: string) => string
  readonly noSuchBan: string
  readonly banned: string
  /** `until`: `MM-DD HH:MM`; `undefined`: for ever. */
  readonly ban: (target: string, until: string | undefined) => string
  readonly noBans: string
  readonly wasLocked: string
  readonly wasUnlocked: string
  readonly locked: string
  readonly wasReleased: (name: string) => string
  readonly wasErased: (lines: number) => string
  readonly announcement: (text: string) => string
  readonly lookAlike: string
  readonly group: string
  readonly help: { readonly [Topic in OperatorTopic]: string }
}

export const zh: OperatorWording = {
  isOperator: "您现在是管理员",
  noOperator: "您不再是管理员",
  wasRemoved: (name) => `已请出 ${name}`,
  removed: (reason) => reason === "" ? "您被请出" : `您被请出：${reason}`,
  wasMuted: (name) => `已禁言 ${name}`,
  wasUnmuted: (name) => `已解除禁言 ${name}`,
  muted: "您已被禁言",
  wasBanned: (target) => `已禁止 ${target}`,
  wasUnbanned: (target) => `已解禁 ${target}`,
  noSuchBan: "没有这条禁令",
  banned: "您已被禁止进入",
  ban: (target, until) => `${target} 至 ${until ?? "永久"}`,
  noBans: "没有禁令",
  wasLocked: "已关闭入口",
  wasUnlocked: "已开放入口",
  locked: "暂不接受新用户",
  wasReleased: (name) => `${name} 已释放`,
  wasErased: (lines) => `已删除 ${lines} 行`,
  announcement: (text) => `公告：${text}`,
  lookAlike: "有相似的用户名，请用地址",
  group: "管理",
  help: {
    op: "凭口令成为管理员",
    deop: "不再做管理员",
    kick: "请出一个用户",
    mute: "禁言（默认 1h）",
    unmute: "解除禁言",
    ban: "禁止一个用户或网络进入（默认永久）",
    unban: "解禁",
    bans: "列出禁令",
    lock: "不接受新用户",
    unlock: "接受新用户",
    release: "让一个用户名不再有主人",
    erase: "删除其最近的消息（默认 1h）",
    announce: "向所有人公告"
  }
}

export const en: OperatorWording = {
  isOperator: "you are an operator",
  noOperator: "you are no operator any more",
  wasRemoved: (name) => `${name} was removed`,
  removed: (reason) => reason === "" ? "you were removed" : `you were removed: ${reason}`,
  wasMuted: (name) => `${name} is muted`,
  wasUnmuted: (name) => `${name} is not muted any more`,
  muted: "you are muted",
  wasBanned: (target) => `${target} is banned`,
  wasUnbanned: (target) => `${target} is not banned any more`,
  noSuchBan: "no such ban",
  banned: "you are banned",
  ban: (target, until) => until === undefined ? `${target} for ever` : `${target} until ${until}`,
  noBans: "no bans",
  wasLocked: "locked",
  wasUnlocked: "unlocked",
  locked: "no newcomers at the moment",
  wasReleased: (name) => `${name} is released`,
  wasErased: (lines) => `${lines} lines erased`,
  announcement: (text) => `announcement: ${text}`,
  lookAlike: "a look-alike is online, use the address",
  group: "Operators",
  help: {
    op: "become an operator",
    deop: "be one no more",
    kick: "put somebody out",
    mute: "let somebody say nothing (1h)",
    unmute: "let it speak again",
    ban: "let somebody, or a network, not in (for ever)",
    unban: "let it in again",
    bans: "list the bans",
    lock: "let nobody new in",
    unlock: "let newcomers in",
    release: "let a name have no owner",
    erase: "take away what it said of late (1h)",
    announce: "tell everybody"
  }
}

/** One line for each. `moment`: a time in ms as `MM-DD HH:MM`. */
export const linesOf = (
  words: OperatorWording,
  output: OfOperators,
  moment: (at: number) => string
): ReadonlyArray<string> => {
  switch (output._tag) {
    case "IsOperator":
      return [words.isOperator]
    case "NoOperator":
      return [words.noOperator]
    case "WasRemoved":
      return [words.wasRemoved(terminalSafe(output.name))]
    case "Removed":
      return [words.removed(terminalSafe(output.reason))]
    case "WasMuted":
      return [words.wasMuted(terminalSafe(output.name))]
    case "WasUnmuted":
      return [words.wasUnmuted(terminalSafe(output.name))]
    case "Muted":
    case "NowMuted":
      return [words.muted]
    case "WasBanned":
      return [words.wasBanned(terminalSafe(output.name))]
    case "WasUnbanned":
      return [words.wasUnbanned(terminalSafe(output.name))]
    case "NoSuchBan":
      return [words.noSuchBan]
    case "Banned":
      return [words.banned]
    case "Bans":
      return output.bans.length === 0 ? [words.noBans] : output.bans.map((ban) => banOf(words, ban, moment))
    case "WasLocked":
      return [words.wasLocked]
    case "WasUnlocked":
      return [words.wasUnlocked]
    case "Locked":
      return [words.locked]
    case "WasReleased":
      return [words.wasReleased(terminalSafe(output.name))]
    case "WasErased":
      return [words.wasErased(output.lines)]
    case "Announcement":
      return [words.announcement(terminalSafe(output.text))]
    case "LookAlike":
      return [words.lookAlike]
  }
}

const banOf = (words: OperatorWording, ban: Rule, moment: (at: number) => string): string => {
  const line = words.ban(targetOf(ban), ban.until === undefined ? undefined : moment(ban.until))
  return terminalSafe(ban.reason === "" ? line : `${line} ${ban.reason}`)
}

export const helpOf = (words: OperatorWording): ReadonlyArray<string> => [
  words.group,
  ...operatorTopics.map(({ topic, usage }) => `  ${usage}  ${words.help[topic]}`)
]
