/**
 * The door with TLS: `--tls-port`. It listens like the plain one, and puts the handshake before the talk; so what a
 * connection costs is counted from when it is accepted.
 */
import * as Effect from "effect/Effect"
import * as Door from "./Door.ts"
import type { Handshake } from "./Handshake.ts"

/** Until the end of the scope. */
export const make = (port: number, handshake: Handshake) =>
  Effect.map(Door.listen(port, "--tls-port"), (listener): Door.Door => ({
    ...listener,
    name: "tls",
    open: (accepted, client) => Effect.map(handshake(accepted), (socket) => Door.talk(socket, client))
  }))
