/**
 * Stands in for the web door until there is one: serves the page with the same headers, and sets each WebSocket on a TCP
 * connection of its own to the plain door. `node bridge.mjs PORT_OF_THE_SERVER FOLDER [PORT]`; prints its own port.
 */
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { connect } from "node:net"
import { WebSocketServer } from "ws"

const [, , serverPort, folder, port = "0"] = process.argv

const headers = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache"
}
const files = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"]
}

const server = createServer((request, response) => {
  const file = files[request.url.replace(/\?.*/, "")]
  if (file === undefined) return response.writeHead(404, headers).end()
  void readFile(`${folder}/${file[0]}.br`).then((bytes) =>
    response.writeHead(200, { ...headers, "content-type": file[1], "content-encoding": "br" }).end(bytes)
  )
})

const doors = new WebSocketServer({ server, path: "/chat", handleProtocols: (offered) => offered.has("tellnet.json.1") ? "tellnet.json.1" : false })
doors.on("connection", (socket) => {
  const tcp = connect(Number(serverPort), "127.0.0.1")
  tcp.setNoDelay(true).setEncoding("utf8").write("/json\n")
  let isJson = false
  let rest = ""
  tcp.on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()
    // What is plain comes before the first object.
    const first = lines.findIndex((line) => line.startsWith("{"))
    if (!isJson) lines.splice(0, first < 0 ? lines.length : first)
    if (lines.length === 0) return
    isJson = true
    socket.send(lines.map((line) => `${line}\n`).join(""))
  })
  const beat = setInterval(() => isJson && socket.send('{"kind":"beat"}\n'), 20_000)
  socket.on("message", (data) => tcp.write(`${String(data).trimEnd()}\n`))
  socket.on("error", () => {})
  socket.on("close", () => tcp.destroy())
  tcp.on("error", () => {})
  tcp.on("close", () => {
    clearInterval(beat)
    socket.close()
  })
})
server.listen(Number(port), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`))
