/** Frames that a server sends on a WebSocket (RFC 6455, section 5.2): not masked, and whole. Plain code; knows no socket. */

const text = 0x81

const header = (length: number): Buffer => {
  if (length < 126) return Buffer.of(text, length)
  if (length < 65_536) return Buffer.of(text, 126, length >> 8, length & 0xff)
  const long = Buffer.of(text, 127, 0, 0, 0, 0, 0, 0, 0, 0)
  long.writeUIntBE(length, 4, 6)
  return long
}

/** A message of these parts. */
export const of = (parts: ReadonlyArray<Uint8Array>): Buffer => {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = header(length)
  // In memory of its own, not of Node's pool: it may wait long in the sockets that share it.
  const frame = Buffer.allocUnsafeSlow(head.length + length)
  let at = head.copy(frame)
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

let last: { readonly parts: ReadonlyArray<Uint8Array>; readonly frame: Buffer } = { parts: [], frame: of([]) }

/**
 * The same for parts that many get, one after the other: it is made once for all of them, and is one write to each, as on a
 * TCP socket.
 */
export const shared = (parts: ReadonlyArray<Uint8Array>): Buffer => {
  if (parts !== last.parts) last = { parts, frame: of(parts) }
  return last.frame
}

/** A sign of life, which whoever gets it answers by itself. */
export const ping = Buffer.of(0x89, 0)
