/**
 * One user of the loader: a socket, and a reader that counts lines. It is on the hot path of the measurement: at a million
 * lines a second the loader must stay cheaper than the server. So all sockets share one static read buffer (`onread`), lines
 * of the expected length are recognised by two bytes, and only odd ones are looked for and looked at.
 */
import { connect, type Socket } from "node:net"
import { type Dialect, marker, portInText, presence, textLength, textOf, timeOf } from "./Dialect.ts"
import { latencies, type Tally } from "./Tally.ts"

const lineFeed = 10
// Sharing is safe: libuv reads into it and calls back before it reads from the next socket.
const chunk = Buffer.allocUnsafeSlow(256 * 1024)

export class User {
  readonly socket: Socket
  /** Called when this user sees a message of its own; set by loads that keep messages in flight. */
  onOwn: (() => void) | undefined
  /** Whether the latency of what this user sees is recorded. */
  sampled = false
  /** Presence lines from its own arrival on. */
  presence = 0
  private joined = false
  private closing = false
  private readonly tally: Tally
  private readonly dialect: Dialect
  private readonly port = Buffer.alloc(5)
  /** The start of a line whose end has not come yet; longer than any line that must be recognised. */
  private readonly head = Buffer.alloc(128)
  private headLength = 0

  constructor(server: number, dialect: Dialect, tally: Tally) {
    this.tally = tally
    this.dialect = dialect
    this.socket = connect({
      port: server,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: chunk,
        callback: (length) => {
          this.read(length)
          return true
        }
      }
    })
    this.socket.on("connect", () => {
      this.port.write(String(this.socket.localPort))
      if (dialect.hello !== "") this.socket.write(dialect.hello)
    })
    this.socket.on("error", (error) => this.drop(error.message))
    this.socket.on("end", () => this.drop("closed by the server"))
  }

  say(length = textLength): void {
    const text = textOf(this.socket.localPort ?? 0, performance.now(), length)
    this.socket.write(this.dialect.encode(text), "latin1")
  }

  /** Ends without leaving a socket in TIME_WAIT, so that run after run finds free ports. */
  close(): void {
    this.closing = true
    this.socket.resetAndDestroy()
  }

  private drop(reason: string): void {
    if (this.closing) return
    this.closing = true
    this.tally.dropped++
    this.tally.reason = reason
  }

  private read(length: number): void {
    const { messageLength, textAt } = this.dialect
    let at = this.headLength === 0 ? 0 : this.finishHead(length)
    while (at < length) {
      if (
        at + messageLength <= length && chunk[at + textAt] === marker && chunk[at + messageLength - 1] === lineFeed
      ) {
        this.message(chunk, at + textAt)
        at += messageLength
      } else if (
        at + presence.length <= length && chunk[at + presence.wordAt] === presence.word &&
        chunk[at + presence.length - 1] === lineFeed
      ) {
        this.arrival(chunk, at)
        at += presence.length
      } else {
        at = this.oddLine(at, length)
      }
    }
    this.tally.lastAt = performance.now()
  }

  /** Completes the line that an earlier chunk began. */
  private finishHead(length: number): number {
    const end = endOfLine(0, length)
    this.keep(0, end)
    if (chunk[end - 1] !== lineFeed) return length
    const lineLength = this.headLength
    this.headLength = 0
    this.line(this.head, 0, lineLength)
    return end
  }

  /** A line of an unexpected length, or one whose end is still on its way. */
  private oddLine(at: number, length: number): number {
    const end = endOfLine(at, length)
    if (chunk[end - 1] === lineFeed) this.line(chunk, at, end - at)
    else this.keep(at, end)
    return end
  }

  private keep(from: number, to: number): void {
    this.headLength += chunk.copy(this.head, this.headLength, from, to)
  }

  private line(bytes: Buffer, at: number, length: number): void {
    const text = this.dialect.textInLineAt
    if (length > text && bytes[at + text] === marker) this.message(bytes, at + text)
    else if (this.dialect.hasPresence) {
      if (length === presence.length && bytes[at + presence.wordAt] === presence.word) this.arrival(bytes, at)
    } else {
      const word = bytes.toString("latin1", at, at + length).trim()
      if (word === "PONG") this.join()
      else if (word === "PING") this.socket.write("PONG\r\n")
      else if (word.startsWith("-ERR")) this.drop(word)
    }
  }

  private message(bytes: Buffer, at: number): void {
    this.tally.messages++
    if (this.sampled) latencies.record(Math.max(1, Math.round((performance.now() - timeOf(bytes, at)) * 1000)))
    if (this.onOwn !== undefined && this.isOwn(bytes, at + portInText)) this.onOwn()
  }

  private arrival(bytes: Buffer, at: number): void {
    if (!this.joined && this.isOwn(bytes, at + presence.portAt)) this.join()
    // Lines before its own are harmless, and not counted: what a user must get begins with its own arrival.
    if (!this.joined) return
    this.presence++
    this.tally.presence++
  }

  private join(): void {
    if (this.joined) return
    this.joined = true
    this.tally.joined++
  }

  /** Ports differ most in their last digit, so it is compared first. */
  private isOwn(bytes: Buffer, at: number): boolean {
    const own = this.port
    return bytes[at + 4] === own[4] && bytes[at + 3] === own[3] && bytes[at + 2] === own[2] &&
      bytes[at + 1] === own[1] && bytes[at] === own[0]
  }
}

/** The place after the next line break, or `length` if there is none before it: beyond lies what other users read. */
const endOfLine = (at: number, length: number): number => {
  const found = chunk.indexOf(lineFeed, at)
  return found === -1 || found >= length ? length : found + 1
}
