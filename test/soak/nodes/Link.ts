/** One connection of a program that speaks JSON. Callbacks end here: what is asked is an effect. */
import { Data, Deferred, Effect, FiberId, type Scope } from "effect"
import * as Net from "node:net"
import type { NodesTally } from "./Laws.ts"
import * as Wire from "./Wire.ts"

/** The connection is over, or was never there. */
export class Cut extends Data.TaggedError("Cut")<{ readonly why: string }> {
  override get message() {
    return this.why
  }
}

export interface Link {
  readonly address: string
  readonly hello: Effect.Effect<Wire.Hello, Cut>
  /** Gives the answer. */
  readonly ask: (command: object) => Effect.Effect<Wire.Answer, Cut>
  /** For whoever does not wait for the answer. */
  readonly send: (command: object) => void
  readonly reset: Effect.Effect<void>
  readonly closed: Effect.Effect<void>
}

/** Told of each line but answers, in order. */
export type Hear = (heard: Wire.Heard, link: Link) => void

/** The ID of what nobody waits for. */
const unasked = -1

let connections = 0

// Each has an address of its own, so nobody is taken for somebody else, and 200 nonces of one address are many.
const nextAddress = () => {
  connections++
  return `127.${1 + Math.floor(connections / 62_500)}.${Math.floor(connections / 250) % 250}.${1 + connections % 250}`
}

const cut = (why: string) => new Cut({ why })

/** Connects, and resets the connection at the end of the scope. */
export const open = (
  port: number,
  program: string,
  tally: NodesTally,
  hear: Hear
): Effect.Effect<Link, Cut, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(connected(port), (socket) => Effect.sync(() => void socket.resetAndDestroy())),
    (socket) => {
      tally.count("connections")
      const hello = Deferred.unsafeMake<Wire.Hello, Cut>(FiberId.none)
      const closed = Deferred.unsafeMake<void>(FiberId.none)
      const waiting = new Map<number, Deferred.Deferred<Wire.Answer, Cut>>()
      let asked = 0
      let carry = ""
      const take = (text: string) => {
        const read = Wire.read(text)
        if (read._tag === "Left") {
          // A kind that says nothing about these laws; or no line of the server at all.
          if (!/^\{"kind":"(?:rooms|beat)"/.test(text)) {
            tally.fault("server", `${program} is told ${text}: ${read.left.message}`)
          }
          return
        }
        const heard = read.right
        if (heard.kind === "hello") {
          Deferred.unsafeDone(hello, Effect.succeed(heard))
        }
        if (heard.kind !== "answer") return hear(heard, link)
        const { id } = heard
        if (id === unasked) return
        const question = id === undefined ? undefined : waiting.get(id)
        if (id === undefined || question === undefined) {
          return tally.fault("answer", `${program} is told ${text}, unasked`)
        }
        waiting.delete(id)
        Deferred.unsafeDone(question, Effect.succeed(heard))
      }
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (carry + chunk).split("\n")
        carry = lines.pop() ?? ""
        for (const line of lines) if (line.startsWith("{")) take(line)
      })
      socket.on("close", () => {
        const over = cut("the connection is closed")
        Deferred.unsafeDone(hello, over)
        for (const question of waiting.values()) Deferred.unsafeDone(question, over)
        waiting.clear()
        Deferred.unsafeDone(closed, Effect.void)
      })
      const write = (command: object, id: number) =>
        socket.writable && socket.write(`${JSON.stringify({ ...command, id })}\n`)
      socket.write("/json\n")
      const link: Link = {
        address: `${socket.localAddress}:${socket.localPort}`,
        hello: Deferred.await(hello),
        ask: (command) =>
          Effect.suspend(() => {
            if (socket.destroyed) return cut("the connection is closed")
            const answer = Deferred.unsafeMake<Wire.Answer, Cut>(FiberId.none)
            waiting.set(++asked, answer)
            write(command, asked)
            return Deferred.await(answer)
          }),
        send: (command) => void write(command, unasked),
        reset: Effect.sync(() => void socket.resetAndDestroy()),
        closed: Deferred.await(closed)
      }
      return link
    }
  )

const connected = (port: number) =>
  Effect.async<Net.Socket, Cut>((resume) => {
    const socket = Net.connect({ port, host: "127.0.0.1", localAddress: nextAddress(), noDelay: true })
    socket.on("error", ({ message }) => resume(cut(message)))
    socket.once("connect", () => resume(Effect.succeed(socket)))
    return Effect.sync(() => socket.destroy())
  })
