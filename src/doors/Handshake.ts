/** The TLS handshake on accepted sockets, under one certificate for all doors that have it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import type { RefusalReason } from "../domain/Reasons.ts"
import * as Signals from "../ops/Signals.ts"
import { ServerConfig } from "../ServerConfig.ts"
import * as Certificate from "./Certificate.ts"
import * as Door from "./Door.ts"

/** What a secure context is made of, each time that it is made. */
const secured = (certificate: Certificate.Certificate): Tls.SecureContextOptions => ({
  ...certificate,
  minVersion: "TLSv1.2",
  // Forward secrecy and AEAD only: all of TLS 1.3, which names its suites in a way of its own, and ECDHE of TLS 1.2.
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305"
  ].join(":")
})

/** How long, in ms, a handshake may take. */
const handshakeTimeout = 10_000

/** Makes of an accepted socket the one that is secured. What fails or is interrupted is closed. */
export type Handshake = (accepted: Net.Socket) => Effect.Effect<Net.Socket, Door.NotOpened>

/** If the configuration gives a certificate, which is read again after each SIGHUP; until the end of the scope. */
export const make = Effect.flatMap(
  ServerConfig,
  ({ tlsCert, tlsKey }) =>
    Option.match(Option.all([tlsCert, tlsKey]), {
      onNone: () => Effect.succeedNone,
      onSome: ([cert, key]) =>
        Effect.asSome(withCertificate(Effect.provide(Certificate.read(cert, key), NodeFileSystem.layer)))
    })
)

const withCertificate = <E extends { readonly message: string }, R>(
  read: Effect.Effect<Certificate.Certificate, E, R>
) =>
  Effect.gen(function*() {
    // It listens to nothing: it is handed connections, as Node provides for.
    const server = Tls.createServer({ ...secured(yield* read), handshakeTimeout })
    const reload = Effect.flatMap(
      read,
      (certificate) => Effect.sync(() => server.setSecureContext(secured(certificate)))
    )
    yield* Signals.each(
      "SIGHUP",
      Effect.matchEffect(reload, {
        onFailure: ({ message }) => Effect.logError(`${message} The old certificate stays.`),
        onSuccess: () => Effect.log("the certificate was read again")
      })
    )
    return handshakes(server)
  })

/** What a handshake on this server comes to. */
const handshakes = (server: Tls.Server): Handshake => {
  // Node does not say which accepted socket a secured one came from. But no two that are connected have both ends the
  // same: one peer port can reach several addresses of this machine. A socket that is not connected any more has no
  // remote address (the kernel is asked only now), so it cannot be taken for a newer one with the same ends.
  const pending = new Map<string, (result: Effect.Effect<Net.Socket, Door.NotOpened>) => void>()
  const ends = (socket: Net.Socket) =>
    `${socket.localAddress} ${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`

  server.on("secureConnection", (socket) => {
    // The close that follows is all that anybody needs to know.
    socket.on("error", () => {})
    const settle = pending.get(ends(socket))
    if (settle === undefined) socket.destroy()
    else settle(Effect.succeed(socket))
  })
  server.on("tlsClientError", (error, socket) => pending.get(ends(socket))?.(failure(reasonOf(error))))

  return (accepted) =>
    Effect.async<Net.Socket, Door.NotOpened>((resume) => {
      if (accepted.destroyed) return resume(failure("handshake-closed"))
      const key = ends(accepted)
      const settle = (result: Effect.Effect<Net.Socket, Door.NotOpened>) => {
        forget()
        resume(result)
      }
      const closed = () => settle(failure("handshake-closed"))
      const forget = () => {
        // A newer socket with the same ends may be waiting already.
        if (pending.get(key) === settle) pending.delete(key)
        accepted.off("close", closed)
      }
      pending.set(key, settle)
      accepted.on("close", closed)
      server.emit("connection", accepted)
      return Effect.sync(forget)
    }).pipe(Door.closing(accepted))
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
