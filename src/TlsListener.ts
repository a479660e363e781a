/**
 * The door with TLS: `--tls-port`. It listens like the plain one, and puts the handshake before the talk; so what a
 * connection costs is counted from when it is accepted.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import * as Certificate from "./Certificate.ts"
import type { RefusalReason } from "./Domain.ts"
import * as Door from "./Door.ts"
import { ServerConfig } from "./ServerConfig.ts"
import * as Signals from "./Signals.ts"

const minVersion = "TLSv1.2"

/** How long, in ms, a handshake may take. */
const handshakeTimeout = 10_000

export class TlsListener extends Context.Tag("tellnet/TlsListener")<TlsListener, Option.Option<Door.Door>>() {
  static readonly layer = Layer.scoped(
    TlsListener,
    Effect.flatMap(
      ServerConfig,
      ({ tlsCert, tlsKey, tlsPort }) =>
        Option.match(Option.all([tlsPort, tlsCert, tlsKey]), {
          onNone: () => Effect.succeedNone,
          onSome: ([port, cert, key]) => Effect.asSome(make(port, Certificate.read(cert, key)))
        })
    )
  ).pipe(Layer.provide(NodeFileSystem.layer))
}

const make = <E extends { readonly message: string }, R>(
  port: number,
  read: Effect.Effect<Certificate.Certificate, E, R>
) =>
  Effect.gen(function*() {
    // It listens to nothing: it is handed connections, as Node provides for.
    const server = Tls.createServer({ ...yield* read, minVersion, handshakeTimeout })
    const door = yield* Door.listen(port, "--tls-port")
    const reload = Effect.flatMap(read, (certificate) =>
      Effect.sync(() => server.setSecureContext({ ...certificate, minVersion })))
    yield* Signals.each(
      "SIGHUP",
      Effect.matchEffect(reload, {
        onFailure: ({ message }) =>
          Effect.logError(`${message} The old certificate stays.`),
        onSuccess: () => Effect.log("the certificate was read again")
      })
    )
    return { ...door, name: "tls" as const, open: handshakes(server) }
  })

/** What a handshake on this server comes to. */
const handshakes = (server: Tls.Server): Door.Door["open"] => {
  // Node does not say which accepted socket a secured one came from; but no two of one port have the same peer.
  const pending = new Map<string, (result: Effect.Effect<Net.Socket, Door.NotOpened>) => void>()
  const peer = (socket: Net.Socket) => `${socket.remoteAddress} ${socket.remotePort}`

  server.on("secureConnection", (socket) => {
    // The close that follows is all that anybody needs to know.
    socket.on("error", () => {})
    const settle = pending.get(peer(socket))
    if (settle === undefined) socket.destroy()
    else settle(Effect.succeed(socket))
  })
  server.on("tlsClientError", (error, socket) => pending.get(peer(socket))?.(failure(reasonOf(error))))

  return (accepted) =>
    Effect.async<Net.Socket, Door.NotOpened>((resume) => {
      if (accepted.destroyed) return resume(failure("handshake-closed"))
      const key = peer(accepted)
      const settle = (result: Effect.Effect<Net.Socket, Door.NotOpened>) => {
        forget()
        resume(result)
      }
      const closed = () => settle(failure("handshake-closed"))
      const forget = () => {
        // A newer socket of the same peer may be waiting already.
        if (pending.get(key) === settle) pending.delete(key)
        accepted.off("close", closed)
      }
      pending.set(key, settle)
      accepted.on("close", closed)
      server.emit("connection", accepted)
      return Effect.sync(forget)
    }).pipe(Effect.onError(() =>
      Effect.sync(() => {
        accepted.destroy()
      })
    ))
}

const failure = (reason: RefusalReason) => new Door.NotOpened({ reason })

const reasonOf = (error: Error): RefusalReason => {
  switch ("code" in error ? error.code : undefined) {
    case "ERR_TLS_HANDSHAKE_TIMEOUT":
      return "handshake-timeout"
    case "ECONNRESET":
    case "EPIPE":
      return "handshake-closed"
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
    case "ERR_SSL_VERSION_TOO_LOW":
      return "handshake-version"
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_HTTP_REQUEST":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return "handshake-not-tls"
    default:
      return "handshake-failed"
  }
}
