// Says again what follows `!echo `, each once, though its connection breaks: node echo.mjs HOST PORT NAME [SECRET]
import { createHash } from "node:crypto"
import { connect } from "node:net"
import { createInterface } from "node:readline"
const stop = (why) => process.exit(console.error(why) ?? 1)
const [host, port, name = stop("usage: node echo.mjs HOST PORT NAME [SECRET]"), secret] = process.argv.slice(2)
let log, done // Which log; up to which of its lines all is answered. Answers come in the order of the questions.
void (function visit() {
  let before, page, asked, later = [] // Later: what is said before all old lines have come.
  const socket = connect(port, host, () => socket.write("/json\n")).on("close", () => setTimeout(visit, 500))
  const ask = (command) => socket.write(`${JSON.stringify(command)}\n`)
  const hear = ({ from, seq, text }) => {
    if (from.name === name || !text.startsWith("!echo ")) return asked === done && (asked = done = seq)
    const nonce = createHash("sha256").update(`${log} ${name} ${seq}`).digest("hex") // The same if it is heard again.
    ask({ do: "say", id: asked = seq, text: text.slice(6), nonce })
  }
  createInterface(socket).on("error", ({ message }) => console.error(message)).on("line", (text) => {
    const line = text.startsWith("{") ? JSON.parse(text) : {}
    if (line.kind === "hello") {
      if (line.log !== log) [log, done] = [line.log, line.seq]
      ;[before, page, asked] = [line.seq + 1, done, done]
      ask({ do: "rename", id: "name", name, secret })
    } else if (line.kind === "said" && later) later.push(line)
    else if (line.kind === "said" || line.kind === "past") hear(line, page = line.seq)
    else if (line.kind === "answer" && typeof line.id === "number") done = line.id
    else if (line.ok === false) void (["name-taken", "busy"].includes(line.code) ? socket.end() : stop(line.code))
    else if (line.kind === "answer" && line.more === false) later = later.forEach(hear)
    else if (line.kind === "answer") ask({ do: "history", id: "past", limit: 1000, after: page, before })
  })
})()
