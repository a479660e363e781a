/**
 * Bytes to lines: splits at `\n` or `\r\n`, decodes UTF-8, bounds the length. Knows no socket, and nothing of what a
 * line means. Plain code, because it stands on the path of every byte; a class, because every user has one.
 */

/** In place of a line: one is longer than the limit. Comes once for each such line, as soon as that is known. */
export const TooLong: unique symbol = Symbol("tellnet/LineDecoder/TooLong")

/** Another `maxLine` bytes of a line that is too long were thrown away: no line, but its sender may be charged for it. */
export const Discarded: unique symbol = Symbol("tellnet/LineDecoder/Discarded")

export type Line = string | typeof TooLong | typeof Discarded

const startBytes = 256
const lf = 0x0a
const cr = 0x0d
const none = Buffer.alloc(0)

/**
 * The decoder of one input. Between lines it holds no memory; of an unfinished line at most `maxLine + 1` bytes, in a
 * buffer of its own, so that neither single bytes nor the large chunks they came in are kept alive.
 */
export class LineDecoder {
  /** What was fed and not yet looked at: `input` from `position` on. */
  private input: Buffer = none
  private position = 0
  /** The unfinished line: the first `held` bytes of `kept`. */
  private kept: Buffer = none
  private held = 0
  private discarding = false
  private start = ""
  private discarded = 0
  private maxLine: number

  /** `maxLine`: how many bytes a line may have before its line break. */
  constructor(maxLine: number) {
    this.maxLine = maxLine
  }

  /** Lines may have so many bytes from the next one on. */
  setLimit(maxLine: number): void {
    this.maxLine = maxLine
  }

  /** Hands over the next bytes. Those before must all have been looked at, or given back. */
  feed(bytes: Buffer): void {
    this.input = bytes
    this.position = 0
  }

  /** The next line without its line break, or `undefined` when more bytes are needed. */
  next(): Line | undefined {
    const { input, position } = this
    if (position >= input.length) {
      this.input = none
      return undefined
    }
    if (this.discarding) return this.discard()
    const found = input.indexOf(lf, position)
    const end = found < 0 ? input.length : found
    const length = this.held + end - position
    // One byte more where it is `\r`: it may be the first half of the line break.
    if (length > this.maxLine + 1 || (length > this.maxLine && this.lastByte(end) !== cr)) {
      this.start = Buffer.concat([this.kept.subarray(0, this.held), input.subarray(position, end)], startBytes)
        .toString("latin1")
      this.release()
      this.discarding = true
      this.discarded = 0
      return TooLong
    }
    if (found < 0) {
      this.keep(end)
      this.input = none
      return undefined
    }
    this.position = end + 1
    if (this.held === 0) return decode(input, position, end)
    this.keep(end, position)
    return this.release()
  }

  /** How the last line began that was too long: at most its first 256 bytes, as Latin-1. */
  cutStart(): string {
    return this.start
  }

  /** Forgets the bytes that were fed and not looked at yet, and says how many those were. */
  giveBack(): number {
    const left = Math.max(0, this.input.length - this.position)
    this.input = none
    return left
  }

  /** The unterminated last line, if there is one, once the input has ended and `next` gave `undefined`. */
  last(): string | undefined {
    return this.held === 0 ? undefined : this.release()
  }

  private lastByte(end: number): number | undefined {
    return end > this.position ? this.input[end - 1] : this.kept[this.held - 1]
  }

  private keep(end: number, start = this.position): void {
    const length = this.held + end - start
    if (length > this.kept.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.maxLine + 1, Math.max(2 * this.kept.length, length, 64)))
      this.kept.copy(larger, 0, 0, this.held)
      this.kept = larger
    }
    this.input.copy(this.kept, this.held, start, end)
    this.held = length
  }

  private release(): string {
    const line = decode(this.kept, 0, this.held)
    this.kept = none
    this.held = 0
    return line
  }

  private discard(): Line | undefined {
    const limit = Math.min(this.input.length, this.position + this.maxLine - this.discarded)
    const end = this.input.subarray(this.position, limit).indexOf(lf)
    if (end >= 0) {
      this.position += end + 1
      this.discarding = false
      return this.next()
    }
    this.discarded += limit - this.position
    this.position = limit
    if (limit === this.input.length) this.input = none
    if (this.discarded < this.maxLine) return undefined
    this.discarded = 0
    return Discarded
  }
}

const decode = (bytes: Buffer, start: number, end: number): string => {
  const text = bytes.toString("utf8", start, end > start && bytes[end - 1] === cr ? end - 1 : end)
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}
