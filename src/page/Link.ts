/** The connection: it comes back by itself, and notices when nothing is heard any more. Knows no element of the page. */
import { backoff } from "../client/Backoff.ts"
import type { Ends } from "../client/Link.ts"
import type { Told } from "../wire/JsonLines.ts"

// The server beats every 20 s.
const silence = 45_000
const looks = 5000

export class Link {
  readonly #url: string
  readonly #ends: Ends
  #socket: WebSocket | undefined
  #tries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #heard = 0
  #due = 0
  #isOver = false

  constructor(url: string, ends: Ends) {
    this.#url = url
    this.#ends = ends
    addEventListener("online", () => this.#isOver || this.now())
    document.addEventListener("visibilitychange", () => document.hidden || this.#look())
    setInterval(() => this.#look(), looks)
  }

  /** Tries at once, also when it was over. */
  now(): void {
    this.#isOver = false
    if (this.#socket === undefined) this.#open()
  }

  /** Ends it for good, or until `now`. */
  over(text: string): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#ends.state({ is: "over", text })
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.#ends.state({ is: "connecting" })
    const socket = this.#socket = new WebSocket(this.#url, "tellnet.json.1")
    this.#heard = Date.now()
    socket.addEventListener("open", () => this.#ends.opened((line) => socket.send(line)))
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket || typeof data !== "string") return
      this.#heard = Date.now()
      const told = data.split("\n").filter((line) => line !== "").map(parse)
      if (told.some(({ kind }) => kind === "hello")) {
        this.#tries = 0
        this.#ends.state({ is: "open" })
      }
      this.#ends.told(told)
    })
    socket.addEventListener("close", () => this.#drop(socket))
  }

  #look(): void {
    if (this.#socket !== undefined && Date.now() - this.#heard > silence) this.#drop(this.#socket)
    // A page in the background has slow timers.
    else if (this.#socket === undefined && !this.#isOver && Date.now() > this.#due) this.#open()
  }

  #drop(socket: WebSocket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    socket.close()
    this.#ends.closed()
    if (this.#isOver) return
    const ms = backoff(this.#tries++, Math.random())
    this.#due = Date.now() + ms
    this.#ends.state({ is: "waiting", at: this.#due })
    this.#timer = setTimeout(() => this.#open(), ms)
  }
}

// The server is who made it: its lines are what the type says.
const parse = (line: string): Told => JSON.parse(line)
