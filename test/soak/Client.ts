/**
 * One peer of the server, on a plain node socket: the soak needs resets, half-closes, pauses, cuts inside a character
 * and a source address of its own, which no library on top of sockets offers all of. Callbacks end here: a `Client` is
 * made of effects.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import * as Net from "node:net"
import { Telnet } from "../../src/wire/Telnet.ts"
import type { Field } from "./Field.ts"
import { textOf } from "./NumberedLine.ts"
import type { Visit } from "./Visit.ts"

export interface Client {
  readonly visit: Visit
  /** Says the next numbered line. */
  readonly say: Effect.Effect<void>
  /** Says numbered lines until the socket pushes back; waits until it takes more. */
  readonly sayAll: Effect.Effect<void>
  readonly send: (data: string | Uint8Array) => Effect.Effect<void>
  /** Bytes that the socket has not taken yet. */
  readonly unsent: () => number
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  readonly quit: Effect.Effect<void>
  /** End of input, as `nc -N` does; what the server still has to say is read. */
  readonly end: Effect.Effect<void>
  readonly reset: Effect.Effect<void>
  /** Waits for the end of the connection, whoever ended it. A paused client does not learn of it. */
  readonly closed: Effect.Effect<void>
}

export interface Hands {
  readonly take: (lines: ReadonlyArray<string>) => void
  readonly finish: () => void
}

export interface Options {
  /** False: never reads a byte. */
  readonly reads: boolean
  /** True: bytes that are not UTF-8 are a fault, instead of becoming U+FFFD. One such reader is enough. */
  readonly strict?: boolean
}

const connectWithin = "15 seconds"
/** No line is that long; a server that never ends its line must not fill our memory. */
const carryAtMost = 1 << 16

/** Bytes to lines to `hands`, for the socket's `data` event. */
const onData = (visit: Visit, field: Field, hands: Hands, strict: boolean) => {
  const decoder = new TextDecoder("utf-8", { fatal: strict, ignoreBOM: true })
  // Garbage may hold telnet, and that is answered.
  const telnet = new Telnet()
  const decode = (bytes: Buffer): string => {
    const chunk = telnet.isClean(bytes) ? bytes : telnet.strip(bytes)
    try {
      return decoder.decode(chunk, { stream: true })
    } catch {
      field.tally.fault("grammar", `${visit.ip} (${visit.kind}) reads bytes that are not UTF-8`)
      return ""
    }
  }
  let carry = ""
  return (chunk: Buffer) => {
    const lines = (carry + decode(chunk)).split("\n")
    carry = lines.pop() ?? ""
    if (carry.length > carryAtMost) {
      field.tally.fault("grammar", `${visit.ip} (${visit.kind}) reads a line without an end: ${carry}`)
      carry = ""
    }
    if (lines.length > 0) hands.take(lines)
  }
}

/** Kinds whose connection the server may end on its own account. */
const mayBeClosed = new Set<Visit["kind"]>(["silent", "napper", "stalled", "garbage", "keeper", "witness", "probe"])

const open = (visit: Visit, field: Field, hands: Hands, options: Options) =>
  Effect.async<readonly [Net.Socket, Deferred.Deferred<void>], Error>((resume) => {
    const ended = Deferred.unsafeMake<void>(FiberId.none)
    const socket = Net.connect({ port: field.port, host: "127.0.0.1", localAddress: visit.ip, noDelay: true })
    let failure: Error | undefined
    socket.once("connect", () => {
      visit.address = `${socket.localAddress}:${socket.localPort}`
      field.tally.count("connections")
      if (options.reads) socket.on("data", onData(visit, field, hands, options.strict === true))
      resume(Effect.succeed([socket, ended]))
    })
    socket.on("error", (error) => {
      failure = error
      resume(Effect.fail(error))
    })
    socket.once("close", () => {
      const ours = visit.leaving === "rude" || (visit.leaving === "polite" && failure === undefined)
      if (visit.address !== undefined && !ours && !mayBeClosed.has(visit.kind)) {
        field.tally.fault("connection", `${visit.ip} (${visit.kind}): ${failure?.message ?? "closed by the server"}`)
      }
      if (visit.leaving === "polite") hands.finish()
      field.roster.left(visit)
      Deferred.unsafeDone(ended, Effect.void)
    })
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeout(connectWithin))

export const connect = (
  visit: Visit,
  field: Field,
  hands: Hands,
  options: Options
): Effect.Effect<Client, Error, Scope.Scope> => {
  const reset = (socket: Net.Socket) => {
    visit.leaving = "rude"
    socket.resetAndDestroy()
  }
  return Effect.acquireRelease(
    open(visit, field, hands, options),
    // With a reset nothing stays behind in the kernel: a flood that ended properly would be read for an hour still.
    ([socket]) => Effect.sync(() => void (socket.destroyed || reset(socket)))
  ).pipe(Effect.map(([socket, ended]) => {
    // Windows and telnet end their lines with CR LF; half of the clients do.
    const lineBreak = visit.id % 2 === 0 ? "\n" : "\r\n"
    const write = (data: string | Uint8Array) => socket.writable && socket.write(data)
    const say = () => {
      if (!socket.writable) return false
      field.tally.count("said")
      const line = Buffer.from(`${textOf(visit.id, ++visit.sent)}${lineBreak}`)
      // Now and then in two pieces, cut anywhere, also inside a character.
      const cut = visit.sent % 5 === 0 ? (visit.sent * 7) % line.length : 0
      if (cut > 0) socket.write(line.subarray(0, cut))
      return socket.write(line.subarray(cut))
    }
    const leave = (how: () => void) =>
      Effect.sync(() => {
        if (visit.leaving === "no") visit.leaving = "polite"
        how()
      })
    return {
      visit,
      say: Effect.sync(say),
      sayAll: Effect.async<void>((resume) => {
        let room = true
        while (room) room = say()
        const done = () => resume(Effect.void)
        if (socket.writable) socket.once("drain", done)
        else done()
        return Effect.sync(() => socket.off("drain", done))
      }),
      send: (data) => Effect.sync(() => void write(data)),
      unsent: () => socket.writableLength,
      pause: Effect.sync(() => void socket.pause()),
      resume: Effect.sync(() => void socket.resume()),
      quit: leave(() => write(`/quit${lineBreak}`)),
      end: leave(() => socket.end()),
      reset: Effect.sync(() => reset(socket)),
      closed: Deferred.await(ended)
    }
  }))
}
