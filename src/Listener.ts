/** Where connections come from: a port of this machine that is listened on. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import type * as SocketServer from "@effect/platform/SocketServer"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import { ServerConfig } from "./ServerConfig.ts"

/** The address cannot be listened on, or not any more. */
export class CannotListen extends Data.TaggedError("CannotListen")<{
  readonly host: string
  readonly port: number
  readonly cause: unknown
}> {
  override get message() {
    const code = codeOf(this.cause)
    return `Cannot listen on ${this.host} port ${this.port}: ${reasons[code] ?? code}.`
  }
}

// How many newcomers may wait in the kernel to be accepted; beyond that they try again after a second. The kernel has a
// limit of its own (net.core.somaxconn).
const newcomers = 4096

const reasons: Record<string, string> = {
  EADDRINUSE: "the port is in use, choose another --port",
  EADDRNOTAVAIL: "this machine has no such address, choose another --host",
  ENOTFOUND: "no such host name, choose another --host",
  EACCES: "this user may not, choose a --port above 1023"
}

const codeOf = (cause: unknown): string => {
  if (typeof cause !== "object" || cause === null) return String(cause)
  if ("code" in cause && typeof cause.code === "string") return cause.code
  return "cause" in cause ? codeOf(cause.cause) : String(cause)
}

export class Listener extends Context.Tag("tellnet/Listener")<Listener, {
  readonly host: string
  readonly port: number
  /** Runs `handle` in a fiber of its own for each connection. Interrupting it interrupts all of them, and waits. */
  readonly serve: (handle: (socket: Net.Socket) => Effect.Effect<void>) => Effect.Effect<never, CannotListen>
  /** Gives the port back at once. Connections that are open stay. */
  readonly stop: Effect.Effect<void>
}>() {
  static readonly layer = Layer.scoped(
    Listener,
    Effect.gen(function*() {
      const { host, keepAlive, port } = yield* ServerConfig
      // The one way to close the listening socket before the connections: the layer itself waits for them.
      const stop = new AbortController()
      const fail = (cause: SocketServer.SocketServerError) => new CannotListen({ host, port, cause })
      const server = yield* Effect.mapError(
        NodeSocketServer.make({
          host,
          port,
          signal: stop.signal,
          backlog: newcomers,
          // The client may end its half and still be answered.
          allowHalfOpen: true,
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: Duration.toMillis(keepAlive)
        }),
        fail
      )
      const address = server.address._tag === "TcpAddress" ? server.address : { hostname: host, port }
      return Listener.of({
        host: address.hostname,
        port: address.port,
        serve: (handle) =>
          server.run(() =>
            Effect.flatMap(
              Effect.serviceOption(NodeSocket.NetSocket),
              Option.match({ onNone: () => Effect.dieMessage("SocketServer gave no NetSocket"), onSome: handle })
            )
          ).pipe(Effect.mapError(fail)),
        stop: Effect.sync(() => stop.abort())
      })
    })
  )
}
