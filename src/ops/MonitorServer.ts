/** `/metrics`, `/healthz` and `/readyz` over HTTP. It is loaded when it is asked for. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Http from "node:http"
import { address } from "../domain/Address.ts"
import { CannotListen } from "../domain/CannotListen.ts"
import * as Metrics from "./Metrics.ts"
import { Stats } from "./Stats.ts"

export const layer = (host: string, port: number) => Layer.scopedDiscard(make(host, port))

const make = (host: string, port: number) =>
  Effect.gen(function*() {
    const stats = yield* Stats
    const registry = Metrics.make(stats)

    const answer = (request: Http.IncomingMessage, response: Http.ServerResponse) => {
      const say = (status: number, text: string, type = "text/plain; charset=utf-8") =>
        response.writeHead(status, { "content-type": type }).end(text)
      switch (request.url?.replace(/\?.*/, "")) {
        case "/metrics":
          return registry.metrics().then(
            (text) => say(200, text, registry.contentType),
            (error: unknown) => say(500, `${String(error)}\n`)
          )
        case "/healthz":
          return say(200, "alive\n")
        case "/readyz":
          return stats.accepting && stats.logReachable ? say(200, "accepting\n") : say(503, "not accepting\n")
        default:
          return say(404, "not found\n")
      }
    }

    const server = yield* Effect.acquireRelease(
      Effect.async<Http.Server, CannotListen>((resume) => {
        const server = Http.createServer(answer)
        const flags = { host: "--metrics-host", port: "--metrics-port" }
        server.on("error", (cause) => resume(new CannotListen({ host, port, flags, cause })))
        server.listen({ host, port }, () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const bound = server.address()
    yield* Effect.log(
      `metrics and health at http://${address(host, typeof bound === "object" && bound !== null ? bound.port : port)}`
    )
  })
