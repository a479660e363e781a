/** All wording, in two languages. Knows neither when it is said nor what a line is: see `PlainForm.ts`. */
import type { HelpTopic } from "./Command.ts"

export interface Wording {
  readonly online: string
  readonly offline: string
  readonly present: string
  readonly renamed: (name: string) => string
  readonly nameTaken: string
  readonly nameNotAllowed: string
  readonly nameReserved: string
  readonly noSuchUser: string
  readonly told: (text: string) => string
  readonly tellMalformed: string
  readonly tellEmpty: string
  readonly nothingYet: string
  readonly busy: string
  readonly timeShown: string
  readonly timeHidden: string
  /** `days`: for how long lines are kept; `undefined` if they are not. */
  readonly welcome: (users: number, days: number | undefined) => string
  readonly usage: (usage: string) => string
  readonly unknownCommand: (command: string) => string
  readonly lineTooLong: (limit: number) => string
  readonly idleWarning: (seconds: number) => string
  readonly kicked: string
  readonly skipped: (lines: number) => string
  readonly serverFull: string
  readonly addressFull: string
  readonly keepingFails: string
  readonly keepingWorks: string
  readonly notKept: (lines: number) => string
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

export const zh: Wording = {
  online: "已上线",
  offline: "下线",
  present: "在线...",
  renamed: (name) => `您已经更新用户名:${name}`,
  nameTaken: "当前用户名被使用",
  nameNotAllowed: "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。",
  nameReserved: "该用户名为系统保留",
  noSuchUser: "该用户名不存在",
  told: (text) => `对您说:${text}`,
  tellMalformed: "消息格式不正确，请使用 \"to|张三|你好啊\"格式。",
  tellEmpty: "无消息内容，请重发",
  usage: (usage) => `用法：${usage}`,
  nothingYet: "还没有消息",
  busy: "服务器忙，请稍后再试",
  timeShown: "已显示时间",
  timeHidden: "已不显示时间",
  welcome: (users, days) => `在线 ${users} 人，${days === undefined ? "" : `消息保存 ${days} 天，`}输入 /help 查看命令`,
  unknownCommand: (command) => `未知命令 ${command}，输入 /help 查看帮助`,
  lineTooLong: (limit) => `消息过长（上限 ${limit} 字节），未发送`,
  idleWarning: (seconds) => `${seconds} 秒内未发言将被踢出`,
  kicked: "你被踢了",
  skipped: (lines) => `接收过慢，已跳过 ${lines} 行`,
  serverFull: "服务器已满，请稍后再试",
  addressFull: "同一地址连接过多",
  keepingFails: "新消息暂时无法保存",
  keepingWorks: "新消息已恢复保存",
  notKept: (lines) => `${lines} 行未能保存`,
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
    history: "显示最近 N 行消息（默认 20）",
    time: "每行前显示或不显示时间",
    stats: "显示服务器和我的连接的状态",
    help: "显示本帮助",
    quit: "离开",
    say: "发送以 / 开头的消息"
  }
}

export const en: Wording = {
  online: "online",
  offline: "offline",
  present: "online...",
  renamed: (name) => `your name is now:${name}`,
  nameTaken: "that name is taken",
  nameNotAllowed: "name not allowed, use 1-32 letters, digits, \"_\", \"-\" or \".\".",
  nameReserved: "that name is reserved",
  noSuchUser: "no such user",
  told: (text) => ` to you:${text}`,
  tellMalformed: "malformed, use \"to|name|text\".",
  tellEmpty: "empty message, send again",
  usage: (usage) => `usage: ${usage}`,
  nothingYet: "nothing yet",
  busy: "busy, try again shortly",
  timeShown: "time is shown",
  timeHidden: "time is not shown",
  welcome: (users, days) =>
    `${users} online, ${days === undefined ? "" : `what is said is kept for ${days} days, `}/help lists the commands`,
  unknownCommand: (command) => `unknown command ${command}, try /help`,
  lineTooLong: (limit) => `line too long (limit ${limit} bytes), not sent`,
  idleWarning: (seconds) => `idle, you will be dropped in ${seconds} s`,
  kicked: "you were kicked",
  skipped: (lines) => `too slow, ${lines} lines skipped`,
  serverFull: "server full, try later",
  addressFull: "too many connections from your address",
  keepingFails: "new messages cannot be kept right now",
  keepingWorks: "new messages are kept again",
  notKept: (lines) => `${lines} lines could not be kept`,
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
    history: "show the last N lines (20)",
    time: "begin each line with the time, or not",
    stats: "show how the server and my connection do",
    help: "show this help",
    quit: "leave",
    say: "say a text that begins with /"
  }
}
