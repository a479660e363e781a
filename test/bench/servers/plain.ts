/**
 * The chat server that most people would write first in Node: every line, presence included, is written to every socket
 * at once. The line is encoded once, not per user; nothing else is done for speed, and nothing against it.
 */
import type { Socket } from "node:net"
import { listen, prefixOf, readLines } from "./lines.ts"

const users = new Set<Socket>()

const broadcast = (line: string): void => {
  const bytes = Buffer.from(line)
  for (const user of users) user.write(bytes)
}

listen((socket) => {
  const prefix = prefixOf(socket)
  users.add(socket)
  broadcast(`${prefix}已上线\n`)
  readLines(socket, (text) => broadcast(`${prefix}${text}\n`))
  socket.on("error", () => socket.destroy())
  socket.on("close", () => {
    users.delete(socket)
    broadcast(`${prefix}下线\n`)
  })
})
