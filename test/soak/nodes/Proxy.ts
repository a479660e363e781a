/** A way from one node to NATS that can be broken: a black hole, in which nothing gets lost but all waits, or a reset. */
import { Effect, type Scope } from "effect"
import * as Net from "node:net"

export interface Proxy {
  readonly port: number
  /** Nothing gets through in either direction, not even an end, until it is mended; what was on its way comes then. */
  readonly hole: (isOpen: boolean) => Effect.Effect<void>
  /** All connections are reset. */
  readonly reset: Effect.Effect<void>
}

/** Answers come at so many bytes a second. */
export const make = (target: number, bytesPerSecond = Infinity): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    let isHole = false
    const sockets = new Set<Net.Socket>()
    let mended: Array<() => void> = []
    const whenMended = (act: () => void) => isHole ? mended.push(act) : act()

    const carry = (from: Net.Socket, to: Net.Socket, bytesPerSecond = Infinity) => {
      sockets.add(from)
      if (isHole) from.pause()
      const goOn = () => whenMended(() => from.resume())
      from.on("data", (bytes) => {
        const isTaken = to.write(bytes)
        const ms = bytes.length / bytesPerSecond * 1000
        if (isTaken && ms === 0) return
        from.pause()
        const rest = () => ms === 0 ? goOn() : setTimeout(goOn, ms)
        if (isTaken) rest()
        else to.once("drain", rest)
      })
      from.on("error", () => {})
      from.on("close", () => {
        sockets.delete(from)
        whenMended(() => to.destroy())
      })
    }
    const server = yield* Effect.acquireRelease(
      Effect.async<Net.Server>((resume) => {
        const server = Net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          whenMended(() => {
            const upstream = Net.connect({ port: target, host: "127.0.0.1", noDelay: true })
            carry(socket, upstream)
            carry(upstream, socket, bytesPerSecond)
            if (!isHole) socket.resume()
          })
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          for (const socket of sockets) socket.destroy()
        })
    )
    const address = server.address()
    return {
      port: address !== null && typeof address === "object" ? address.port : 0,
      hole: (isOpen) =>
        Effect.sync(() => {
          isHole = isOpen
          for (const socket of sockets) socket[isOpen ? "pause" : "resume"]()
          if (isOpen) return
          const acts = mended
          mended = []
          for (const act of acts) act()
        }),
      reset: Effect.sync(() => {
        for (const socket of sockets) socket.resetAndDestroy()
      })
    }
  })
