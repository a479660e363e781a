/** How the lines of each server look on the wire, so that the loader can count them without parsing them. */
import type { ServerName } from "../Job.ts"

/** Each message's text begins with it; no address, name or notice holds it at the same place. */
export const marker = "@".charCodeAt(0)

/** Length of a message text without its line break: 64 bytes with it. */
export const textLength = 63

export interface Dialect {
  /** What a new user sends first, if anything. */
  readonly hello: string
  readonly encode: (text: string) => string
  /** A message as users see it: whole length, and where its text begins. */
  readonly messageLength: number
  readonly textAt: number
  /** Where the text begins in the line that holds it: NATS puts its own header on a line before. */
  readonly textInLineAt: number
  readonly hasPresence: boolean
}

// Loopback addresses with an ephemeral port all have 15 characters, so every prefix `[addr]addr:` has 33.
const prefix = 33

const chat: Dialect = {
  hello: "",
  encode: (text) => `${text}\n`,
  messageLength: prefix + textLength + 1,
  textAt: prefix,
  textInLineAt: prefix,
  hasPresence: true
}

const natsHeader = `MSG chat 1 ${textLength}\r\n`.length

const nats: Dialect = {
  hello: `CONNECT {"verbose":false,"pedantic":false,"echo":true}\r\nSUB chat 1\r\nPING\r\n`,
  encode: (text) => `PUB chat ${text.length}\r\n${text}\r\n`,
  messageLength: natsHeader + textLength + 2,
  textAt: natsHeader,
  textInLineAt: 0,
  hasPresence: false
}

export const dialectOf = (server: ServerName): Dialect => server === "nats" ? nats : chat

/** `[addr]addr:已上线\n`: whole length, where the port begins, and the byte after the prefix. */
export const presence = { length: prefix + 10, portAt: 11, wordAt: prefix, word: 0xe5 }

/**
 * A message text: marker, the sender's port (five digits, by which it knows its own message again), the time of sending
 * in µs (ten digits), and padding.
 */
export const textOf = (port: number, now: number, length: number): string =>
  `@${port} ${String(Math.round(now * 1000)).padStart(10, "0")} `.padEnd(length, "x")

/** Offsets within a text. */
export const portInText = 1
export const timeInText = 7

/** The time of sending, in ms, of the text that begins at `at`. */
export const timeOf = (bytes: Buffer, at: number): number => {
  let micros = 0
  for (let i = at + timeInText; i < at + timeInText + 10; i++) micros = micros * 10 + (bytes[i] ?? 0) - 48
  return micros / 1000
}
