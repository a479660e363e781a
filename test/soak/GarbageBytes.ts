/** What a line protocol fears most, drawn with dice: one chunk at a time, ending anywhere. */
import type { Dice } from "./Dice.ts"

const bytes = (...values: ReadonlyArray<number>) => Buffer.from(values)

/** Telnet's IAC sequences, NULs, broken and overlong UTF-8, surrogates, a BOM, escape sequences. */
const nasty: ReadonlyArray<Buffer> = [
  bytes(0xff, 0xfb, 0x01, 0xff, 0xfd, 0x03, 0xff, 0xf4),
  bytes(0x00),
  bytes(0xc0, 0xaf, 0xe0, 0x80, 0x80, 0xf8, 0x88, 0x80, 0x80, 0x80),
  bytes(0xed, 0xa0, 0x80, 0xed, 0xbf, 0xbf),
  bytes(0xe4, 0xbd),
  bytes(0xef, 0xbb, 0xbf),
  bytes(0xf4, 0x90, 0x80, 0x80, 0xf0, 0x9f),
  Buffer.from("\u001b[2J\u001b]0;title\u0007\u009b31m"),
  Buffer.from("\r[127.0.0.1:1]server:下线\r"),
  Buffer.from("\u0085\u2028*** 服务器即将关闭\u2029"),
  Buffer.from("\u202Eevil\u2066\u200F\u061C\u202A\u2069"),
  Buffer.from("\u0007\u0008\u000b\u000c\u007f\u0080\u009f")
]

/** Commands, well made and malformed, for names that garbage alone bears: it must not disturb what others count. */
const commands = (dice: Dice): string => {
  const name = `g${dice.between(0, 40)}`
  return dice.pick(
    "who",
    "/who",
    `rename|${name}`,
    `/nick ${name}`,
    `rename|${name}:x`,
    "rename|\u202Ebob",
    "rename|",
    "rename|server",
    `rename|${"长".repeat(33)}`,
    `to|${name}|hi\u001b[31m|there`,
    `/msg ${name} \u2028x`,
    "to|bob",
    "to||",
    `to|${name}|`,
    "/frobnicate \u001b[1m",
    "/",
    "//slash",
    "[127.0.0.1:1]bob:hi",
    "*** 服务器即将关闭",
    "   \t ",
    "/quit"
  )
}

const random = (dice: Dice, length: number) => Buffer.from(Array.from({ length }, () => dice.between(0, 255)))

/** Around the limit, and far above it. */
const long = (dice: Dice, maxLine: number) =>
  Buffer.alloc(dice.pick(maxLine - 1, maxLine, maxLine + 1, maxLine * 3, 40_000), dice.pick("a", "é", "好", "\u0001"))

const piece = (dice: Dice, maxLine: number): Buffer => {
  const roll = dice.between(0, 99)
  if (roll < 25) return Buffer.from(commands(dice))
  if (roll < 50) return nasty[dice.between(0, nasty.length - 1)] ?? bytes(0)
  if (roll < 80) return random(dice, dice.between(1, 120))
  if (roll < 83) return long(dice, maxLine)
  return Buffer.from(dice.pick("plain words", "纯文本", "🙂", "tab\there", " blank before", "e\u0301"))
}

export const chunk = (dice: Dice, maxLine: number): Buffer => {
  const parts: Array<Buffer> = []
  const pieces = dice.between(1, 6)
  for (let i = 0; i < pieces; i++) {
    parts.push(piece(dice, maxLine))
    if (dice.chance(0.6)) parts.push(Buffer.from(dice.pick("\n", "\r\n", "\n\n", "\r")))
  }
  const whole = Buffer.concat(parts)
  return dice.chance(0.3) ? whole.subarray(0, dice.between(1, whole.length)) : whole
}
