/**
 * All wording, and the text of every line that the server writes. Knows when nothing is said, only how.
 * A rendered line is one line: no line break inside, one `\n` at its end, no terminal control.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { User } from "../chat/User.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { HelpTopic } from "./Command.ts"

/** Who is speaking, as the front of a line shows it. */
type Speaker = Pick<User, "address" | "name">

interface Wording {
  readonly online: string
  readonly offline: string
  readonly present: string
  readonly renamed: (name: string) => string
  readonly nameTaken: string
  readonly nameNotAllowed: string
  readonly nameReserved: string
  readonly told: (text: string) => string
  readonly tellMalformed: string
  readonly tellNobody: string
  readonly tellEmpty: string
  readonly welcome: (users: number) => string
  readonly usage: (usage: string) => string
  readonly unknownCommand: (command: string) => string
  readonly lineTooLong: (limit: number) => string
  readonly idleWarning: (seconds: number) => string
  readonly kicked: string
  readonly skipped: (lines: number) => string
  readonly serverFull: string
  readonly tooManyFromAddress: string
  readonly shuttingDown: string
  readonly stats: {
    readonly online: (users: number) => string
    readonly pace: (linesPerSecond: string) => string
    readonly backlog: (bytes: number, skipped: number) => string
    readonly idleLeft: (seconds: number) => string
    readonly idleForEver: string
  }
  readonly help: { readonly [Topic in HelpTopic]: string }
}

const zh: Wording = {
  online: "已上线",
  offline: "下线",
  present: "在线...",
  renamed: (name) => `您已经更新用户名:${name}`,
  nameTaken: "当前用户名被使用",
  nameNotAllowed: "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。",
  nameReserved: "该用户名为系统保留",
  told: (text) => `对您说:${text}`,
  tellMalformed: "消息格式不正确，请使用 \"to|张三|你好啊\"格式。",
  tellNobody: "该用户名不存在",
  tellEmpty: "无消息内容，请重发",
  usage: (usage) => `用法：${usage}`,
  welcome: (users) => `在线 ${users} 人，输入 /help 查看命令`,
  unknownCommand: (command) => `未知命令 ${command}，输入 /help 查看帮助`,
  lineTooLong: (limit) => `消息过长（上限 ${limit} 字节），未发送`,
  idleWarning: (seconds) => `${seconds} 秒内未发言将被踢出`,
  kicked: "你被踢了",
  skipped: (lines) => `接收过慢，已跳过 ${lines} 行`,
  serverFull: "服务器已满，请稍后再试",
  tooManyFromAddress: "同一地址连接过多",
  shuttingDown: "服务器即将关闭",
  stats: {
    online: (users) => `在线 ${users} 人`,
    pace: (linesPerSecond) => `全服每秒收到 ${linesPerSecond} 行`,
    backlog: (bytes, skipped) => `您的积压 ${bytes} 字节，已跳过 ${skipped} 行`,
    idleLeft: (seconds) => `再 ${seconds} 秒未发言将被踢出`,
    idleForEver: "不会因未发言被踢出"
  },
  help: {
    who: "列出在线用户",
    rename: "更改我的用户名",
    to: "给一个用户发私信",
    stats: "显示服务器和我的连接的状态",
    help: "显示本帮助",
    quit: "离开",
    say: "发送以 / 开头的消息"
  }
}

const en: Wording = {
  online: "online",
  offline: "offline",
  present: "online...",
  renamed: (name) => `your name is now:${name}`,
  nameTaken: "that name is taken",
  nameNotAllowed: "name not allowed, use 1-32 letters, digits, \"_\", \"-\" or \".\".",
  nameReserved: "that name is reserved",
  told: (text) => ` to you:${text}`,
  tellMalformed: "malformed, use \"to|name|text\".",
  tellNobody: "no such user",
  tellEmpty: "empty message, send again",
  usage: (usage) => `usage: ${usage}`,
  welcome: (users) => `${users} online, /help lists the commands`,
  unknownCommand: (command) => `unknown command ${command}, try /help`,
  lineTooLong: (limit) => `line too long (limit ${limit} bytes), not sent`,
  idleWarning: (seconds) => `idle, you will be dropped in ${seconds} s`,
  kicked: "you were kicked",
  skipped: (lines) => `too slow, ${lines} lines skipped`,
  serverFull: "server full, try later",
  tooManyFromAddress: "too many connections from your address",
  shuttingDown: "server shutting down",
  stats: {
    online: (users) => `online: ${users}`,
    pace: (linesPerSecond) => `lines a second, from all users: ${linesPerSecond}`,
    backlog: (bytes, skipped) => `your backlog: ${bytes} bytes, ${skipped} lines skipped`,
    idleLeft: (seconds) => `idle time left: ${seconds} s`,
    idleForEver: "idle time left: no limit"
  },
  help: {
    who: "list the users online",
    rename: "change my name",
    to: "send a private message",
    stats: "show how the server and my connection do",
    help: "show this help",
    quit: "leave",
    say: "say a text that begins with /"
  }
}

// C0 but TAB, DEL, C1, the line and paragraph separators, and the bidirectional controls. A lone surrogate cannot come
// from UTF-8, but Buffer would write it as U+FFFD anyway.
const unsafe =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** `text` with U+FFFD for whatever could break a line or drive a terminal. */
export const terminalSafe = (text: string): string => text.replace(unsafe, "\ufffd")

/** What `/stats` tells. */
export interface Standing {
  readonly online: number
  readonly linesPerSecond: number
  /** Bytes that wait for the asker. */
  readonly backlog: number
  /** Lines that the asker missed. */
  readonly skipped: number
  /** Seconds; `undefined` for any time. */
  readonly idleLeft: number | undefined
}

const front = (speaker: Speaker) => `[${speaker.address}]${speaker.name}:`
const notice = (text: string) => `*** ${text}\n`

const make = (wording: Wording) => ({
  online: (user: Speaker) => `${front(user)}${wording.online}\n`,
  offline: (user: Speaker) => `${front(user)}${wording.offline}\n`,
  said: (user: Speaker, text: string) => `${front(user)}${terminalSafe(text)}\n`,
  present: (user: Speaker) => `${front(user)}${wording.present}\n`,
  renamed: (name: string) => `${wording.renamed(name)}\n`,
  nameTaken: `${wording.nameTaken}\n`,
  nameNotAllowed: `${wording.nameNotAllowed}\n`,
  nameReserved: notice(wording.nameReserved),
  told: (from: Speaker, text: string) => `${from.name}${wording.told(terminalSafe(text))}\n`,
  tellMalformed: `${wording.tellMalformed}\n`,
  tellNobody: `${wording.tellNobody}\n`,
  tellEmpty: `${wording.tellEmpty}\n`,
  usage: (usage: string) => notice(wording.usage(usage)),
  welcome: (setting: "on" | { readonly text: string }, users: number) =>
    notice(setting === "on" ? wording.welcome(users) : setting.text),
  unknownCommand: (command: string) => notice(wording.unknownCommand(terminalSafe(command))),
  lineTooLong: (limit: number) => notice(wording.lineTooLong(limit)),
  idleWarning: (seconds: number) => notice(wording.idleWarning(seconds)),
  kicked: `${wording.kicked}\n`,
  skipped: (lines: number) => notice(wording.skipped(lines)),
  serverFull: notice(wording.serverFull),
  tooManyFromAddress: notice(wording.tooManyFromAddress),
  shuttingDown: notice(wording.shuttingDown),
  stats: (
    { backlog, idleLeft, linesPerSecond, online, skipped }: Standing
  ): readonly [string, string, string, string] => [
    notice(wording.stats.online(online)),
    notice(wording.stats.pace(linesPerSecond.toFixed(1))),
    notice(wording.stats.backlog(backlog, skipped)),
    notice(idleLeft === undefined ? wording.stats.idleForEver : wording.stats.idleLeft(idleLeft))
  ],
  help: (usage: string, topic: HelpTopic) => notice(`${usage}  ${wording.help[topic]}`)
})

/** The lines of the server in the language of its configuration. Each ends with `\n`. */
export class Phrases extends Context.Tag("tellnet/Phrases")<Phrases, ReturnType<typeof make>>() {
  static readonly zh = make(zh)
  static readonly en = make(en)
  static readonly layer = Layer.effect(Phrases, Effect.map(ServerConfig, ({ lang }) => Phrases[lang]))
}
