/** What both reference servers share: cutting a socket's bytes into lines, and the way they listen. */
import { createServer, type Server, type Socket } from "node:net"

/** Calls `onLine` for each complete line of `socket`, however the network cut the bytes. */
export const readLines = (socket: Socket, onLine: (line: string) => void): void => {
  let rest = ""
  socket.setEncoding("utf8")
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) onLine(line)
  })
}

/** What a user's lines begin with. */
export const prefixOf = (socket: Socket): string => {
  const address = `${socket.remoteAddress}:${socket.remotePort}`
  return `[${address}]${address}:`
}

/** Listens on a free loopback port and prints it. The backlog is raised so that 3000 users can knock at once. */
export const listen = (onConnection: (socket: Socket) => void): Server => {
  const server = createServer({ noDelay: true }, onConnection)
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
    const address = server.address()
    if (address !== null && typeof address === "object") {
      process.stdout.write(`listening on ${address.address}:${address.port}\n`)
    }
  })
  return server
}
