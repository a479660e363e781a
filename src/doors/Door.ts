/** A way in: a port of this machine that is listened on, whatever a connection goes through before it may speak. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import type * as SocketServer from "@effect/platform/SocketServer"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import type { Peer } from "../chat/Peer.ts"
import { address } from "../domain/Address.ts"
import { CannotListen } from "../domain/CannotListen.ts"
import type { RefusalReason } from "../domain/Reasons.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { Client } from "./Client.ts"
import * as Connection from "./Connection.ts"

/** A port that is listened on. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** Runs `handle` for each connection. MUST NOT wait for the end of a connection, or it does so too when it ends. */
  readonly serve: (handle: (accepted: Net.Socket) => Effect.Effect<unknown>) => Effect.Effect<never, CannotListen>
  /** Gives the port back at once. Connections that are open stay. */
  readonly stop: Effect.Effect<void>
}

export interface Door extends Listener {
  readonly name: "plain" | "tls" | "web"
  /**
   * Whom an accepted socket is of, where this door trusts `peer` to speak for others and learns that from what it sends;
   * `undefined` there: it ended without a talk. Else `undefined`, and it is of the peer. What fails or is interrupted is
   * closed.
   */
  readonly ask?: (accepted: Net.Socket, peer: Client) => Effect.Effect<Client | undefined, NotOpened> | undefined
  /**
   * Makes of an accepted socket, from which at most the header of a proxy was read, whoever talks through it; `undefined`: it
   * ended without a talk. What fails or is interrupted is closed.
   */
  readonly open: (accepted: Net.Socket, client: Client) => Effect.Effect<Peer | undefined, NotOpened>
}

/** A connection that came to no talk. */
export class NotOpened extends Data.TaggedError("NotOpened")<{ readonly reason: RefusalReason }> {
  override get message() {
    return `the connection was not opened: ${this.reason}`
  }
}

/** Closes an accepted socket if what is done with it fails or is interrupted. */
export const closing = (accepted: Net.Socket) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onError(self, () =>
    Effect.sync(() => {
      accepted.destroy()
    }))

// How many newcomers may wait in the kernel to be accepted; beyond that they try again after a second. The kernel has a
// limit of its own (net.core.somaxconn).
const acceptQueueLength = 4096

/** Listens on a port for plain TCP; until the end of the scope, which waits for all connections. */
export const listen = (port: number, flag: string) =>
  Effect.gen(function*() {
    const { host, keepAlive } = yield* ServerConfig
    // The one way to close the listening socket before the connections: the scope itself waits for them.
    const stop = new AbortController()
    const fail = (cause: SocketServer.SocketServerError) =>
      new CannotListen({ host, port, flags: { host: "--host", port: flag }, cause })
    const server = yield* Effect.mapError(
      NodeSocketServer.make({
        host,
        port,
        signal: stop.signal,
        backlog: acceptQueueLength,
        // Nothing is read, and so nothing can go wrong, before somebody serves the connection.
        pauseOnConnect: true,
        // How much may wait unread, or unwritten, before Node pauses; the default of Node 20.
        highWaterMark: 16_384,
        // The client may end its half and still be answered.
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: Duration.toMillis(keepAlive)
      }),
      fail
    )
    const serve: Listener["serve"] = (handle) =>
      server.run(() =>
        Effect.flatMap(
          Effect.serviceOption(NodeSocket.NetSocket),
          Option.match({ onNone: () => Effect.dieMessage("SocketServer gave no NetSocket"), onSome: handle })
        )
      ).pipe(Effect.mapError(fail))
    // Sockets that were accepted but never served must be destroyed, or closing the scope waits for them.
    yield* Effect.addFinalizer(() =>
      Effect.raceFirst(Effect.interruptible(serve((socket) => Effect.sync(() => socket.destroy()))), Effect.yieldNow())
        // The port is already closed at this point, so ignore that error.
        .pipe(Effect.ignore)
    )
    const bound = server.address._tag === "TcpAddress" ? server.address : { hostname: host, port }
    const listener: Listener = {
      host: bound.hostname,
      port: bound.port,
      serve,
      stop: Effect.sync(() => stop.abort())
    }
    return listener
  })

/** The door without anything before the talk. */
export const plain = (listener: Listener): Door => ({
  ...listener,
  name: "plain",
  open: (accepted, client) => Effect.succeed(talk(accepted, client))
})

/** Whoever talks through a socket in lines. */
export const talk = (socket: Net.Socket, { ip, port }: Client): Peer => Connection.make(socket, address(ip, port))
