/** A client on a real socket, as a person at a netcat would use it. Every wait has a limit. */
import { assert } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { isOnNodes, level, nextPort, ownPort } from "./nodes.ts"

// Long enough for a machine that does much else, and whose disk stands still for a while.
const patience = "60 seconds"

export interface Client {
  /** As others see it: `ip:port`. */
  readonly address: string
  /** `[addr]addr:`, what stands before everything that it says under its first name. */
  readonly front: string
  readonly socket: Net.Socket
  readonly send: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** The next line, without its line break. */
  readonly line: Effect.Effect<string>
  /** All lines that have come, at least one. */
  readonly lines: Effect.Effect<ReadonlyArray<string>>
  /** The next lines are these, byte for byte. */
  readonly sees: (...lines: ReadonlyArray<string>) => Effect.Effect<void>
  /** Begins to read, if it was paused. */
  readonly read: Effect.Effect<void>
  /** Ends its half; the server may go on. */
  readonly end: Effect.Effect<void>
  /** Goes without a word: a TCP reset. */
  readonly reset: Effect.Effect<void>
  /** Waits until the server has ended its half. All lines that came before can still be read. */
  readonly ended: Effect.Effect<void>
}

export const within = <A, E, R>(what: string | (() => string), self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.timeoutTo(self, {
    duration: patience,
    onSuccess: Effect.succeed,
    onTimeout: () => Effect.dieMessage(`waited in vain for ${typeof what === "string" ? what : what()}`)
  }).pipe(Effect.flatten)

export interface Options {
  /** Nothing is read before `read`. */
  readonly paused?: boolean
  readonly host?: string
  /** What a proxy sends first, before any handshake. */
  readonly header?: Uint8Array
  /** Talks TLS, and trusts anybody. */
  readonly tls?: boolean
  /** The address on this side. */
  readonly localAddress?: string
  /** The port on this side, which two may share if both ask; 0 for any that another may share. */
  readonly localPort?: number
}

export const connect = (to: number, options?: Options): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.gen(function*() {
    const port = nextPort(to)
    const lines = yield* Queue.unbounded<string>()
    const over = yield* Deferred.make<void>()
    const socket = yield* Effect.acquireRelease(
      within(
        "a connection",
        Effect.async<Net.Socket, NodeJS.ErrnoException>((resume) => {
          const target = {
            ...(isOnNodes ? { localPort: ownPort() } : {}),
            port,
            host: options?.host ?? "127.0.0.1",
            allowHalfOpen: true,
            noDelay: true,
            ...(options?.localAddress === undefined ? {} : { localAddress: options.localAddress }),
            ...(options?.localPort === undefined ? {} : { localAddress: "127.0.0.1", localPort: options.localPort })
          }
          const tls = options?.tls === true
          const socket = options?.header !== undefined
            ? announced(Net.connect(target), options.header, tls)
            : tls
            ? Tls.connect({ ...target, rejectUnauthorized: false })
            : Net.connect(target)
          socket.once(tls ? "secureConnect" : "connect", () => resume(Effect.succeed(socket)))
          socket.once("error", (error) => resume(Effect.fail(error)))
        }).pipe(Effect.retry({ while: ({ code }) => isOnNodes && code === "EADDRINUSE" }))
      ).pipe(Effect.orDie),
      (socket) => Effect.sync(() => socket.destroy())
    )
    let rest: Buffer = Buffer.alloc(0)
    const onData = (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let start = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        Queue.unsafeOffer(lines, bytes.toString("utf8", start, end))
        start = end + 1
      }
      rest = bytes.subarray(start)
    }
    if (options?.paused !== true) socket.on("data", onData)
    const finish = () => Deferred.unsafeDone(over, Effect.void)
    socket.on("error", finish).on("end", finish).on("close", finish)
    const address = socket.localFamily === "IPv6"
      ? `[${socket.localAddress}]:${socket.localPort}`
      : `${socket.localAddress}:${socket.localPort}`
    const line = within("a line", Queue.take(lines))
    // Who comes after it is behind it on all nodes. It is told nothing if it is to say something first.
    if (isOnNodes && options?.paused !== true) {
      const told = Effect.repeat(Effect.delay(Queue.size(lines), "1 millis"), { until: (size) => size > 0 })
      yield* Effect.timeoutOption(Effect.zipRight(told, level), "2 seconds")
    }
    return {
      address,
      front: `[${address}]${address}:`,
      socket,
      send: (bytes) => Effect.sync(() => socket.write(bytes)),
      line,
      lines: within("lines", Effect.map(Queue.takeBetween(lines, 1, Number.MAX_SAFE_INTEGER), Chunk.toReadonlyArray)),
      sees: (...expected) =>
        Effect.gen(function*() {
          for (const each of expected) assert.strictEqual(yield* line, each)
        }),
      read: Effect.sync(() => socket.on("data", onData)),
      end: Effect.sync(() => socket.end()),
      reset: Effect.sync(() => socket.resetAndDestroy()),
      ended: within("the end", Deferred.await(over))
    }
  })

const announced = (socket: Net.Socket, header: Uint8Array, tls: boolean): Net.Socket => {
  socket.write(header)
  return tls ? Tls.connect({ socket, rejectUnauthorized: false }) : socket
}

/** Connects, and waits until the client has heard of its own arrival. */
export const arrive = (port: number, options?: Options): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.tap(connect(port, options), (client) => client.sees(`${client.front}已上线`))
