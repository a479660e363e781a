/**
 * Every line that a client may receive, after the tables of protocol.md (zh). It shares no code with the server: the
 * bytes are written out a second time, so a slip there is seen here.
 */
import { Data } from "effect"

export type Received = Data.TaggedEnum<{
  Broadcast: { readonly address: string; readonly name: string; readonly text: string }
  Listed: { readonly address: string; readonly name: string }
  Private: { readonly sender: string; readonly text: string }
  Renamed: { readonly name: string }
  Skipped: { readonly lines: number }
  TooLong: {}
  IdleWarning: {}
  Kicked: {}
  ShuttingDown: {}
  Refusal: {}
  Help: {}
  /** A line as it was said before. */
  Past: { readonly line: string }
  /** No line of the tables. */
  Foreign: { readonly why: string }
}>
export const Received = Data.taggedEnum<Received>()

export interface Grammar {
  readonly read: (line: string) => Received
  /** The lines of `/help` are in no table: they are learned from the first answer, and must stay the same. */
  readonly learnHelp: (lines: ReadonlyArray<string>) => void
}

// All C0 but TAB, DEL, C1, the two Unicode line breaks, the bidirectional controls.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
const chosenName = /^[\p{L}\p{M}\p{Nd}_.-]{1,32}$/u
const address = /^\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}$/
const bracketed = /^\[([\d.]+:\d+)\](.*)$/s
const privately = /^(\d[\d.]+:\d+|[^:]+)对您说:(.*)$/s
const listing = "在线..."

const refusals = new Set([
  "当前用户名被使用",
  "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。",
  "消息格式不正确，请使用 \"to|张三|你好啊\"格式。",
  "该用户名不存在",
  "无消息内容，请重发"
])

// Notices for one client that hold nothing of others, or a name: behind `*** `.
const answers = [
  /^该用户名为系统保留$/,
  /^用法：/,
  /^未知命令 \/.*，输入 \/help 查看帮助$/s,
  /^\S+ (?:归您所有，口令可随时取回|已有主人，请用 rename\|\S+#口令|不再归您所有|不归您所有|不在线，已留言|的留言已满)$/,
  /^(?:口令不对|口令需至少 6 个字符，至多 128 字节|口令已更改|用户名未归您所有，无法记录|暂不能登记更多用户名)$/,
  /^(?:服务器忙，请稍后再试|您已在别处登录|还没有消息|更早还有未读消息，用 \/history 查看)$/,
  /^您离开后这里有 \d+\+? 行，输入 \/missed 查看$/,
  /^(?:已屏蔽|已取消屏蔽) \S+$/,
  /^(?:没有屏蔽任何人|屏蔽名单已满|房间名不合法|没有这个房间|房间数量已达上限|已显示时间|已不显示时间)$/,
  /^您已在 #\S+$/,
  /^#\S+ \d+ 人$/,
  /^\[[\d.]+:\d+\]\S+ 在 #\S+，\d\d-\d\d \d\d:\d\d:\d\d 上线$/
]

const legalName = (name: string) =>
  chosenName.test(name) && name.normalize("NFC") === name &&
  !/^(?:server|system)$/.test(name.normalize("NFKC").toLowerCase())

export const make = (maxLine: number): Grammar => {
  const help = new Set<string>()
  const tooLong = `*** 消息过长（上限 ${maxLine} 字节），未发送`

  const fromUser = (line: string): Received => {
    const match = bracketed.exec(line)
    const from = match?.[1] ?? ""
    const rest = match?.[2] ?? ""
    const name = rest.startsWith(`${from}:`) ? from : rest.slice(0, Math.max(0, rest.indexOf(":")))
    if (!address.test(from)) return Received.Foreign({ why: "no address" })
    if (name !== from && !legalName(name)) return Received.Foreign({ why: "no legal name" })
    const text = rest.slice(name.length + 1)
    if (text === "") return Received.Foreign({ why: "no text" })
    // Each byte may have become a U+FFFD, which takes three; no line may be longer than that.
    if (text.length > maxLine) return Received.Foreign({ why: "text longer than the limit" })
    return text === listing
      ? Received.Listed({ address: from, name })
      : Received.Broadcast({ address: from, name, text })
  }

  const notice = (line: string): Received => {
    if (line === tooLong) return Received.TooLong()
    if (line === "*** 服务器即将关闭") return Received.ShuttingDown()
    if (/^\*\*\* \d+ 秒内未发言将被踢出$/.test(line)) return Received.IdleWarning()
    if (answers.some((answer) => answer.test(line.slice(4)))) return Received.Refusal()
    const past = /^\*\*\* \d\d-\d\d \d\d:\d\d:\d\d (\[.*)$/s.exec(line)?.[1]
    if (past !== undefined) {
      const said = fromUser(past)
      return said._tag === "Foreign" ? said : Received.Past({ line: past })
    }
    const skipped = /^\*\*\* 接收过慢，已跳过 (\d+) 行$/.exec(line)
    return skipped === null
      ? Received.Foreign({ why: "unknown notice" })
      : Received.Skipped({ lines: Number(skipped[1]) })
  }

  const read = (line: string): Received => {
    if (forbidden.test(line)) return Received.Foreign({ why: "control character" })
    if (line.startsWith("[")) return fromUser(line)
    if (help.has(line)) return Received.Help()
    if (line.startsWith("*** ")) return notice(line)
    if (line === "你被踢了") return Received.Kicked()
    if (refusals.has(line)) return Received.Refusal()
    if (line.startsWith("您已经更新用户名:")) {
      const name = line.slice("您已经更新用户名:".length)
      return address.test(name) || legalName(name)
        ? Received.Renamed({ name })
        : Received.Foreign({ why: "no legal name" })
    }
    const match = privately.exec(line)
    const sender = match?.[1] ?? ""
    return address.test(sender) || legalName(sender)
      ? Received.Private({ sender, text: match?.[2] ?? "" })
      : Received.Foreign({ why: "in no table" })
  }

  return { read, learnHelp: (lines) => lines.forEach((line) => help.add(line)) }
}
