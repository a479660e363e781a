/**
 * The input of one client, from bytes to lines: telnet is taken out, and a client that speaks another protocol is
 * recognised by how it begins. Knows no socket, and nothing of what a line means.
 */
import { Discarded, type Line, LineDecoder, TooLong } from "./LineDecoder.ts"
import { Telnet } from "./Telnet.ts"

/** In place of a line: the client speaks another protocol, and nothing of what it sent is a line. */
export const Foreign: unique symbol = Symbol("tellnet/LineInput/Foreign")

/** In place of a line: bytes that the client must be answered, between two lines. */
export interface Negotiation {
  readonly answer: Buffer
}

export type Input = Line | typeof Foreign | Negotiation

// An HTTP request, also where its line was too long to have been read to its end; and the first words of SSH (RFC 4253,
// section 4.2) and of the PROXY protocol, version 1.
// Version 2 begins with blank lines, and a line of a NUL alone.
// oxlint-disable-next-line no-control-regex
const foreignLine = /^(?:[A-Za-z]+ \S+ HTTP\/[0-9]|SSH-|PROXY |\0$)/
const foreignStart = /^(?:[A-Za-z]+ (?:\/|https?:\/\/)\S*$|SSH-|PROXY )/i

const none = Buffer.alloc(0)

// The first bytes of a TLS record that begins a handshake (RFC 8446, section 5.1).
const tlsHello = [0x16, 0x03]

// Where telnet is, so many bytes are looked at together; what waits of them cannot be given back.
const sliceBytes = 256

export class LineInput {
  private readonly decoder: LineDecoder
  private readonly telnet = new Telnet()
  private maxLine: number
  /** What was fed: `chunk` from `at` on. */
  private chunk: Buffer = none
  private at = 0
  /** Whether the decoder has bytes of `chunk` itself, just before `at`. */
  private direct = false
  /** How many bytes of a TLS hello have come, and nothing else; `-1` once it cannot be one. */
  private hello = 0
  private isFirst = true

  /** `maxLine`: how many bytes a line may have before its line break. */
  constructor(maxLine: number) {
    this.maxLine = maxLine
    this.decoder = new LineDecoder(maxLine)
  }

  /** Lines may have so many bytes from now on. */
  setLimit(maxLine: number): void {
    this.maxLine = maxLine
    this.decoder.setLimit(maxLine)
  }

  /** Hands over the next bytes. Those before must all have been taken with `next`, or given back. */
  feed(bytes: Buffer): void {
    this.chunk = bytes
    this.at = 0
  }

  /** What comes next, or `undefined` when more bytes are needed. */
  next(): Input | undefined {
    while (true) {
      if (this.hello === tlsHello.length) return Foreign
      if (this.telnet.taken >= this.maxLine) {
        this.telnet.taken -= this.maxLine
        return Discarded
      }
      const line = this.decoder.next()
      if (line !== undefined) return this.isFirst ? this.first(line) : line
      const answer = this.telnet.takeAnswers()
      if (answer !== undefined) return { answer }
      if (this.at >= this.chunk.length) {
        this.chunk = none
        return undefined
      }
      this.advance()
    }
  }

  /** Forgets the bytes that were fed and not looked at yet, and says how many those were. */
  giveBack(): number {
    const left = this.chunk.length - this.at + (this.direct ? this.decoder.giveBack() : 0)
    if (this.direct && left > 0) this.telnet.pass(this.chunk.subarray(0, this.chunk.length - left))
    this.chunk = none
    this.at = 0
    return left
  }

  /** The unterminated last line, once the input has ended and `next` gave `undefined`. */
  last(): Input | undefined {
    const line = this.decoder.last()
    return line !== undefined && this.isFirst ? this.first(line) : line
  }

  private advance(): void {
    const rest = this.chunk.subarray(this.at)
    this.direct = this.telnet.isClean(rest)
    const slice = this.direct ? rest : rest.subarray(0, sliceBytes)
    this.at += slice.length
    if (this.direct) this.telnet.pass(slice)
    const text = this.direct ? slice : this.telnet.strip(slice)
    for (let i = 0; this.hello >= 0 && this.hello < tlsHello.length && i < text.length; i++) {
      this.hello = text[i] === tlsHello[this.hello] ? this.hello + 1 : -1
    }
    this.decoder.feed(text)
  }

  private first(line: Line): Input {
    // Blank lines before a request are none to HTTP (RFC 9112, section 2.2).
    this.isFirst = typeof line === "string" && !/\S/.test(line)
    const isForeign = line === TooLong ? foreignStart.test(this.decoder.cutStart()) : foreignLine.test(String(line))
    return isForeign ? Foreign : line
  }
}
