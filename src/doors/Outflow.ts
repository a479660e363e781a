/** How far what was written to a socket has got. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"

/** Whether it takes no more for now. */
export const pushesBack = (socket: Net.Socket): boolean =>
  // `write` says so for anything large, also where the kernel took it at once.
  socket.writableLength > 0 && socket.writableNeedDrain

/** Waits while it takes no more; not for one that is lost. */
export const writable = (socket: Net.Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (socket.destroyed || !socket.writableNeedDrain) return resume(Effect.void)
    const off = () => socket.off("drain", onDrain).off("close", onDrain)
    const onDrain = () => {
      off()
      resume(Effect.void)
    }
    socket.on("drain", onDrain).on("close", onDrain)
    return Effect.sync(off)
  })

/** Waits until the kernel has all that was written; `false`: it is lost. */
export const taken = (socket: Net.Socket): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const done = (error?: Error | null) => resume(Effect.succeed(!error))
    if (socket.destroyed) return resume(Effect.succeed(false))
    if (socket.writableLength === 0) return done()
    // Called back behind all that was written before; with an error if the peer is lost.
    socket.write("", done)
  })

/**
 * So long, in ms, the peer may take to end its half after we ended ours. To close with bytes unread would reset the
 * connection, and a reset overtakes the last lines (RFC 9112, section 9.6, says the same for HTTP).
 */
export const linger = 1000
