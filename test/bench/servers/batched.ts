/**
 * The honest ceiling for Node: all lines of a turn of the event loop, presence included, become one `Buffer`, which is
 * written once to each socket. No limits, no commands, no backpressure: what is left is what Node itself costs.
 */
import type { Socket } from "node:net"
import { listen, prefixOf, readLines } from "./lines.ts"

interface User {
  readonly socket: Socket
  /** How many lines of the pending batch came before this user and are none of its business. */
  skip: number
}

const users = new Set<User>()
let pending: Array<string> = []

const flush = (): void => {
  const lines = pending
  pending = []
  const bytes = Buffer.from(lines.join(""))
  for (const user of users) {
    if (user.skip === 0) {
      user.socket.write(bytes)
    } else {
      // Only in the batch that it arrived in: measuring the skipped part is rare, and keeps the common path bare.
      user.socket.write(bytes.subarray(Buffer.byteLength(lines.slice(0, user.skip).join(""))))
      user.skip = 0
    }
  }
}

const broadcast = (line: string): void => {
  if (pending.push(line) === 1) setImmediate(flush)
}

listen((socket) => {
  const prefix = prefixOf(socket)
  const user: User = { socket, skip: pending.length }
  users.add(user)
  broadcast(`${prefix}已上线\n`)
  readLines(socket, (text) => broadcast(`${prefix}${text}\n`))
  socket.on("error", () => socket.destroy())
  socket.on("close", () => {
    users.delete(user)
    broadcast(`${prefix}下线\n`)
  })
})
