/** A way to a server on this machine whose answers come at so many bytes a second. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

/** Gives its port; it is there until the end of the scope. */
export const slowLink = (target: number, bytesPerSecond: number): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((client) => {
      const upstream = Net.connect(target, "127.0.0.1")
      client.pipe(upstream)
      upstream.on("data", (bytes) => {
        client.write(bytes)
        upstream.pause()
        setTimeout(() => upstream.resume(), bytes.length / bytesPerSecond * 1000)
      })
      for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
        sockets.add(one)
        one.on("error", () => {})
        one.on("close", () => {
          sockets.delete(one)
          other.destroy()
        })
      }
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          for (const socket of sockets) socket.destroy()
        })
    )
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })
