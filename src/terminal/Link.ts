/**
 * The connection, by TCP or TLS: it comes back by itself, and notices when nothing is heard any more. Knows neither the
 * talk nor a terminal.
 */
import * as Net from "node:net"
import { StringDecoder } from "node:string_decoder"
import * as Tls from "node:tls"
import { backoff } from "../client/Backoff.ts"
import type { Ends } from "../client/Link.ts"
import type { Session } from "../client/Session.ts"
import { told } from "./Told.ts"

export interface Target {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  /** SHA-256 of the one certificate that is trusted, whoever signed it and whatever name it has. */
  readonly fingerprint: string | undefined
}

/** Why there is no connection. */
export type Trouble =
  | { readonly is: "unreachable"; readonly why: string }
  /** No answer, or none any more. */
  | { readonly is: "silent" | "noTls" | "noTellnet" | "disconnected" }
  | { readonly is: "untrusted"; readonly why: string; readonly fingerprint: string }
  | { readonly is: "otherCertificate"; readonly fingerprint: string }
  /** The server's own words. */
  | { readonly is: "refused"; readonly text: string }

export interface TerminalEnds extends Ends {
  /** Each time that a connection ends or comes to nothing, before the state says so. */
  readonly trouble: (trouble: Trouble) => void
}

/** Within `patience` there is a `hello`, or an answer to what was asked; looked at each `look`. In ms. */
export interface Pace {
  readonly patience: number
  readonly look: number
}

const usual: Pace = { patience: 30_000, look: 5000 }
// A peer that is gone without a word is noticed by the system, some 10 s later.
const keepAlive = 20_000
/** No line of a server is as long, in UTF-16 units. */
const longest = 16 * 1024 * 1024

/** What a talk does with all that comes. */
export const endsOf = (session: Session): Pick<TerminalEnds, "opened" | "told" | "closed"> => ({
  opened: (send) => session.opened(send),
  told: (told) => {
    for (const one of told) session.take(one)
  },
  closed: () => session.closed()
})

export class Link {
  readonly #target: Target
  readonly #ends: TerminalEnds
  readonly #pace: Pace
  #socket: Net.Socket | undefined
  #tries = 0
  #timer: NodeJS.Timeout | undefined
  #looks: NodeJS.Timeout | undefined
  /** Since when an answer is waited for. */
  #askedAt: number | undefined
  /** The server said itself that it cannot answer now. */
  #isCutOff = false
  #isOver = false
  /** Nothing is read now. */
  isHeld = false

  constructor(target: Target, ends: TerminalEnds, pace = usual) {
    this.#target = target
    this.#pace = pace
    this.#ends = ends
  }

  /** Reads nothing while it is held. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld
    // Whatever was asked has the whole time again.
    this.#askedAt &&= Date.now()
    if (isHeld) this.#socket?.pause()
    else this.#socket?.resume()
  }

  /** Connects at once, also when it was over. */
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

  /** Ends the connection too, and nothing is told of it. */
  close(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    clearInterval(this.#looks)
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #open(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#looks)
    this.#ends.state({ is: "connecting" })
    const { fingerprint, host, isTls, port } = this.#target
    const tls = isTls
      // The certificate is looked at below, before anything is sent or believed.
      ? Tls.connect({ host, port, ...Net.isIP(host) === 0 ? { servername: host } : {}, rejectUnauthorized: false })
      : undefined
    const socket = tls ?? Net.connect({ host, port })
    socket.setNoDelay(true).setKeepAlive(true, keepAlive)
    this.#socket = socket
    this.#askedAt = Date.now()
    this.#isCutOff = false
    let trouble: Trouble = { is: "unreachable", why: "" }
    const fail = (why: Trouble) => {
      trouble = why
      socket.destroy()
    }
    socket.once("connect", () => trouble = { is: "noTls" })
    socket.once(isTls ? "secureConnect" : "connect", () => {
      trouble = { is: "disconnected" }
      const distrust = tls === undefined ? undefined : distrustOf(tls, fingerprint)
      if (distrust !== undefined) return fail(distrust)
      socket.write("/json\n")
      this.#read(socket, fail)
      this.#ends.opened((line) => {
        this.#askedAt ??= Date.now()
        socket.write(line)
      })
    })
    socket.on("error", ({ message }) => {
      if (trouble.is === "unreachable") trouble = { is: "unreachable", why: message }
    })
    socket.on("close", () => this.#drop(socket, trouble))
    this.#looks = setInterval(() => {
      if (
        this.#askedAt !== undefined && !this.isHeld && !this.#isCutOff &&
        Date.now() - this.#askedAt > this.#pace.patience
      ) {
        fail({ is: "silent" })
      }
    }, this.#pace.look)
  }

  #read(socket: Net.Socket, fail: (why: Trouble) => void): void {
    const decoder = new StringDecoder("utf8")
    let rest = ""
    let isOpen = false
    /** The last notice before `hello`: if none comes, it says why. */
    let notice: string | undefined
    const take = (text: string) => {
      const lines = text.split("\n")
      rest = lines.pop() ?? ""
      if (rest.length > longest) return fail({ is: "noTellnet" })
      if (!isOpen) {
        notice = lines.findLast((line) => line.startsWith("*** ")) ?? notice
        if (!lines.some((line) => told(line)?.kind === "hello")) return
        isOpen = true
        this.#tries = 0
        this.#askedAt = undefined
        this.#ends.state({ is: "open" })
      }
      const all = lines.map(told).filter((line) => line !== undefined)
      for (const line of all) {
        if (line.kind === "notice" && /^(?:cut-off|back)$/.test(line.code)) this.#isCutOff = line.code === "cut-off"
      }
      this.#ends.told(all)
    }
    socket.on("data", (bytes: Buffer) => {
      if (this.#socket !== socket) return
      if (isOpen) this.#askedAt = undefined
      take(rest + decoder.write(bytes))
    })
    if (this.isHeld) socket.pause()
    socket.on("end", () => {
      if (!isOpen) fail(notice === undefined ? { is: "noTellnet" } : { is: "refused", text: notice.slice(4) })
    })
  }

  #drop(socket: Net.Socket, trouble: Trouble): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    clearInterval(this.#looks)
    this.#ends.closed()
    if (this.#isOver) return
    this.#ends.trouble(trouble)
    // Whoever heard of it may have closed it.
    if (this.#isOver) return
    const ms = backoff(this.#tries++, Math.random())
    this.#ends.state({ is: "waiting", at: Date.now() + ms })
    this.#timer = setTimeout(() => this.#open(), ms)
  }
}

const distrustOf = (tls: Tls.TLSSocket, fingerprint: string | undefined): Trouble | undefined => {
  const got = tls.getPeerCertificate().fingerprint256
  if (fingerprint !== undefined) return got === fingerprint ? undefined : { is: "otherCertificate", fingerprint: got }
  return tls.authorized ? undefined : { is: "untrusted", why: String(tls.authorizationError), fingerprint: got }
}
