/** All wording, in two languages. Knows neither when it is said nor what a line is: see `PlainForm.ts`. */
import type { Group, HelpTopic } from "./Command.ts"
import * as Operators from "./OperatorWording.ts"

export interface Wording {
  readonly online: string
  readonly offline: string
  readonly present: string
  readonly came: (room: string) => string
  readonly went: (room: string) => string
  readonly room: (room: string, users: number) => string
  readonly whois: (who: string, room: string, since: string) => string
  readonly renamed: (name: string) => string
  readonly nameTaken: string
  readonly nameNotAllowed: string
  readonly nameReserved: string
  readonly owned: (name: string) => string
  readonly nameOwned: (name: string) => string
  readonly wrongSecret: string
  readonly badSecret: string
  readonly secretChanged: string
  readonly disowned: (name: string) => string
  readonly notOwner: (name: string) => string
  readonly neverOwned: string
  readonly tooManyNames: string
  readonly takenOver: string
  /** `lines`: a number, or one with a `+`. */
  readonly away: (lines: string) => string
  readonly olderMissed: string
  readonly gap: string
  readonly kept: (name: string) => string
  readonly mailboxFull: (name: string) => string
  readonly unreachable: (name: string) => string
  readonly ignored: (name: string) => string
  readonly unignored: (name: string) => string
  readonly ignoringNobody: string
  readonly ignoreFull: string
  readonly alreadyThere: (room: string) => string
  readonly noSuchRoom: string
  readonly roomNotAllowed: string
  readonly tooManyRooms: string
  readonly noSuchUser: string
  readonly told: (text: string) => string
  readonly tellMalformed: string
  readonly malformed: string
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
  readonly tooFast: string
  readonly keepingFails: string
  readonly keepingWorks: string
  readonly cutOff: string
  readonly back: string
  readonly replaced: string
  readonly notKept: (lines: number) => string
  readonly shuttingDown: string
  readonly stats: {
    readonly online: (users: number) => string
    readonly pace: (linesPerSecond: string) => string
    readonly backlog: (bytes: number, skipped: number) => string
    readonly idleLeft: (seconds: number) => string
    readonly idleForEver: string
  }
  readonly operators: Operators.OperatorWording
  readonly groups: { readonly [Part in Group]: string }
  readonly help: { readonly [Topic in HelpTopic]: string }
}

export const zh: Wording = {
  online: "已上线",
  offline: "下线",
  present: "在线...",
  came: (room) => `来到 #${room}`,
  went: (room) => `去了 #${room}`,
  room: (room, users) => `#${room} ${users} 人`,
  whois: (who, room, since) => `${who} 在 #${room}，${since} 上线`,
  renamed: (name) => `您已经更新用户名:${name}`,
  nameTaken: "当前用户名被使用",
  nameNotAllowed: "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。",
  nameReserved: "该用户名为系统保留",
  owned: (name) => `${name} 归您所有，口令可随时取回`,
  nameOwned: (name) => `${name} 已有主人，请用 rename|${name}#口令`,
  wrongSecret: "口令不对",
  badSecret: "口令需至少 6 个字符，至多 128 字节",
  secretChanged: "口令已更改",
  disowned: (name) => `${name} 不再归您所有`,
  notOwner: (name) => `${name} 不归您所有`,
  neverOwned: "用户名未归您所有，无法记录",
  tooManyNames: "暂不能登记更多用户名",
  takenOver: "您已在别处登录",
  away: (lines) => `您离开后这里有 ${lines} 行，输入 /missed 查看`,
  gap: "更早的消息已不再保存",
  olderMissed: "更早还有未读消息，用 /history 查看",
  kept: (name) => `${name} 不在线，已留言`,
  mailboxFull: (name) => `${name} 的留言已满`,
  unreachable: (name) => `暂时联系不到 ${name}，可能未送达`,
  ignored: (name) => `已屏蔽 ${name}`,
  unignored: (name) => `已取消屏蔽 ${name}`,
  ignoringNobody: "没有屏蔽任何人",
  ignoreFull: "屏蔽名单已满",
  alreadyThere: (room) => `您已在 #${room}`,
  noSuchRoom: "没有这个房间",
  roomNotAllowed: "房间名不合法",
  tooManyRooms: "房间数量已达上限",
  noSuchUser: "该用户名不存在",
  told: (text) => `对您说:${text}`,
  tellMalformed: "消息格式不正确，请使用 \"to|张三|你好啊\"格式。",
  malformed: "不是有效的 JSON 命令",
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
  tooFast: "同一地址连接过快，请稍后再试",
  keepingFails: "新消息暂时无法保存",
  keepingWorks: "新消息已恢复保存",
  cutOff: "暂时无法发言，正在重试",
  back: "已恢复",
  replaced: "聊天记录已更换，旧消息不再可见",
  notKept: (lines) => `${lines} 行未能保存`,
  shuttingDown: "服务器即将关闭",
  stats: {
    online: (users) => `在线 ${users} 人`,
    pace: (linesPerSecond) => `全服每秒收到 ${linesPerSecond} 行`,
    backlog: (bytes, skipped) => `您的积压 ${bytes} 字节，已跳过 ${skipped} 行`,
    idleLeft: (seconds) => `再 ${seconds} 秒未发言将被踢出`,
    idleForEver: "不会因未发言被踢出"
  },
  operators: Operators.zh,
  groups: { talk: "说话", me: "我", rooms: "房间和用户", connection: "连接" },
  help: {
    to: "给一个用户发私信",
    history: "本房间最近 N 行（默认 20）",
    missed: "我不在时本房间说的话",
    say: "发送以 / 开头的消息",
    rename: "更改我的用户名",
    own: "占有一个用户名，凭口令取回",
    secret: "更改我的用户名的口令",
    disown: "放弃我占有的用户名",
    ignore: "不看这个用户的话；单用则列出",
    unignore: "取消屏蔽",
    who: "列出房间里的用户",
    whois: "地址、房间、上线时间",
    rooms: "列出房间和人数",
    join: "去一个房间",
    leave: "回到 lobby",
    time: "每行前显示或不显示时间",
    json: "从下一行起用 JSON",
    stats: "服务器和我的连接的状态",
    help: "显示本帮助",
    quit: "离开"
  }
}

export const en: Wording = {
  online: "online",
  offline: "offline",
  present: "online...",
  came: (room) => `came to #${room}`,
  went: (room) => `went to #${room}`,
  room: (room, users) => `#${room} ${users}`,
  whois: (who, room, since) => `${who} in #${room}, online since ${since}`,
  renamed: (name) => `your name is now:${name}`,
  nameTaken: "that name is taken",
  nameNotAllowed: "name not allowed, use 1-32 letters, digits, \"_\", \"-\" or \".\".",
  nameReserved: "that name is reserved",
  owned: (name) => `${name} is yours, the secret gets it back`,
  nameOwned: (name) => `${name} has an owner, use rename|${name}#SECRET`,
  wrongSecret: "wrong secret",
  badSecret: "a secret has at least 6 characters and at most 128 bytes",
  secretChanged: "secret changed",
  disowned: (name) => `${name} is not yours any more`,
  notOwner: (name) => `${name} is not yours`,
  neverOwned: "only for names with an owner",
  tooManyNames: "no more names can be owned now",
  takenOver: "you came in from elsewhere",
  away: (lines) => `${lines} lines while you were away, /missed shows them`,
  gap: "older lines are not kept any more",
  olderMissed: "older lines are missed too, see /history",
  kept: (name) => `${name} is offline, the message is kept`,
  mailboxFull: (name) => `the mailbox of ${name} is full`,
  unreachable: (name) => `${name} cannot be reached right now, it may not have arrived`,
  ignored: (name) => `${name} is ignored`,
  unignored: (name) => `${name} is not ignored any more`,
  ignoringNobody: "nobody is ignored",
  ignoreFull: "your ignore list is full",
  alreadyThere: (room) => `you are in #${room} already`,
  noSuchRoom: "no such room",
  roomNotAllowed: "room name not allowed",
  tooManyRooms: "too many rooms",
  noSuchUser: "no such user",
  told: (text) => ` to you:${text}`,
  tellMalformed: "malformed, use \"to|name|text\".",
  malformed: "no JSON command",
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
  tooFast: "too many visits from your address, try later",
  keepingFails: "new messages cannot be kept right now",
  keepingWorks: "new messages are kept again",
  cutOff: "nothing can be said right now, trying again",
  back: "all is well again",
  replaced: "the history was replaced, older lines are gone",
  notKept: (lines) => `${lines} lines could not be kept`,
  shuttingDown: "server shutting down",
  stats: {
    online: (users) => `online: ${users}`,
    pace: (linesPerSecond) => `lines a second, from all users: ${linesPerSecond}`,
    backlog: (bytes, skipped) => `your backlog: ${bytes} bytes, ${skipped} lines skipped`,
    idleLeft: (seconds) => `idle time left: ${seconds} s`,
    idleForEver: "idle time left: no limit"
  },
  operators: Operators.en,
  groups: { talk: "Talking", me: "Me", rooms: "Rooms and users", connection: "The connection" },
  help: {
    to: "send a private message",
    history: "the last N lines of this room (20)",
    missed: "what this room said while I was away",
    say: "say a text that begins with /",
    rename: "change my name",
    own: "own a name, the secret gets it back",
    secret: "change the secret of my name",
    disown: "give up the name that I own",
    ignore: "show nothing of NAME; alone: whom I ignore",
    unignore: "show it again",
    who: "list the users of a room",
    whois: "address, room, since when",
    rooms: "list the rooms",
    join: "go to a room",
    leave: "go back to lobby",
    time: "begin each line with the time, or not",
    json: "from the next line on in JSON",
    stats: "how the server and my connection do",
    help: "show this help",
    quit: "leave"
  }
}
