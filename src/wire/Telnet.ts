/**
 * Takes the telnet protocol (RFC 854, RFC 855) out of the input of a client that speaks it unasked, as PuTTY and Ctrl-C in
 * `telnet` do. 0xFF never occurs in UTF-8, so no other client notices. Plain code, since it stands on the path of bytes.
 */

const iac = 0xff
const dont = 0xfe
const doIt = 0xfd
const wont = 0xfc
const will = 0xfb
const subnegotiation = 0xfa
const end = 0xf0
const cr = 0x0d
const lf = 0x0a

/** How many bytes a subnegotiation may have; what follows then is text. */
export const maxSubnegotiation = 256

type State =
  | "text"
  | "command"
  | "will"
  | "do"
  | "ignored option"
  | "subnegotiation"
  | "command in subnegotiation"

export class Telnet {
  /** How many bytes were taken out. */
  taken = 0
  private state: State = "text"
  private afterCr = false
  private subnegotiated = 0
  private answers: Array<number> | undefined
  private refused: Set<string> | undefined

  /** Whether these bytes hold nothing of telnet, and are not in the middle of it. */
  isClean(bytes: Buffer): boolean {
    return this.state === "text" && bytes.indexOf(iac) < 0 && bytes.indexOf(0) < 0
  }

  /** Tells it of bytes that are clean, and go past it. */
  pass(bytes: Buffer): void {
    if (bytes.length > 0) this.afterCr = bytes[bytes.length - 1] === cr
  }

  /**
   * The text in these bytes. A NUL that ends a line, as behind CR, becomes LF; IAC IAC becomes 0xFF, which is decoded to
   * U+FFFD.
   */
  strip(bytes: Buffer): Buffer {
    const text = Buffer.allocUnsafe(bytes.length)
    let length = 0
    for (const byte of bytes) {
      if (this.state === "text" && byte !== iac) {
        text[length++] = byte === 0 && this.afterCr ? lf : byte
        this.afterCr = byte === cr
      } else if (this.isText(byte)) {
        text[length++] = iac
        this.afterCr = false
      }
    }
    this.taken += bytes.length - length
    return text.subarray(0, length)
  }

  /** What is to be answered since the last time, if anything. Each option is refused once. */
  takeAnswers(): Buffer | undefined {
    const { answers } = this
    this.answers = undefined
    return answers && Buffer.from(answers)
  }

  /** Goes on with a byte of telnet. Says whether a 0xFF of the text was meant. */
  private isText(byte: number): boolean {
    switch (this.state) {
      case "text":
        this.state = "command"
        return false
      case "command":
        this.state = byte === will ? "will" : byte === doIt ? "do" : stateBehind(byte)
        this.subnegotiated = 0
        return byte === iac
      case "will":
        this.refuse(dont, byte)
        break
      case "do":
        this.refuse(wont, byte)
        break
      case "ignored option":
        this.state = "text"
        break
      case "subnegotiation":
      case "command in subnegotiation": {
        const ends = this.state === "command in subnegotiation" && byte === end
        const isCommand = this.state === "subnegotiation" && byte === iac
        this.state = ends || ++this.subnegotiated >= maxSubnegotiation
          ? "text"
          : isCommand
          ? "command in subnegotiation"
          : "subnegotiation"
      }
    }
    return false
  }

  private refuse(verb: number, option: number): void {
    this.state = "text"
    const refusal = `${verb} ${option}`
    this.refused ??= new Set()
    if (this.refused.has(refusal)) return
    this.refused.add(refusal)
    this.answers = [...this.answers ?? [], iac, verb, option]
  }
}

const stateBehind = (command: number): State => {
  if (command === wont || command === dont) return "ignored option"
  return command === subnegotiation ? "subnegotiation" : "text"
}
