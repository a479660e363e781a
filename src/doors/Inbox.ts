/**
 * Messages that came and were not pulled yet, as the lines that they are: the end of a message ends its last line. Holds what
 * it has in one buffer of its own, so that thousands of short messages cost their bytes, and no chunk is kept alive. Plain
 * code; knows no socket.
 */

const lf = 0x0a
const none = Buffer.alloc(0)

export class Inbox {
  /** What waits: `bytes` from `start` to `end`. */
  private bytes: Buffer = none
  private start = 0
  private end = 0

  get isEmpty(): boolean {
    return this.start === this.end
  }

  put(message: Buffer): void {
    const endsLine = message.length > 0 && message[message.length - 1] === lf
    const needed = this.end + message.length + (endsLine ? 0 : 1)
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.isEmpty ? 0 : 2 * this.bytes.length))
      this.bytes.copy(larger, 0, this.start, this.end)
      this.end -= this.start
      this.start = 0
      this.bytes = larger
    }
    this.end += message.copy(this.bytes, this.end)
    if (!endsLine) this.bytes[this.end++] = lf
  }

  /** Gives all of it to `take`, as in `Peer.pull`: whether that has enough now. What it leaves waits here. */
  give(take: (bytes: Buffer) => number | undefined): boolean {
    if (this.isEmpty) return false
    const { bytes, end, start } = this
    this.clear()
    const left = take(bytes.subarray(start, end))
    if (left === undefined) return false
    if (left > 0) {
      this.bytes = bytes
      this.start = end - left
      this.end = end
    }
    return true
  }

  clear(): void {
    this.bytes = none
    this.start = this.end = 0
  }
}
