/** `/metrics`, `/healthz` and `/readyz` over HTTP. The only file that knows OpenTelemetry; it is loaded when it is asked for. */
import * as OtelMetrics from "@effect/opentelemetry/Metrics"
import * as OtelResource from "@effect/opentelemetry/Resource"
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Http from "node:http"
import manifest from "../package.json" with { type: "json" }
import { address } from "./Domain.ts"
import { CannotListen } from "./Door.ts"
import * as Metrics from "./Metrics.ts"
import { Stats } from "./Stats.ts"

export const layer = (host: string, port: number) =>
  Layer.scopedDiscard(make(host, port)).pipe(
    Layer.provide(OtelResource.layer({ serviceName: manifest.name, serviceVersion: manifest.version }))
  )

const make = (host: string, port: number) =>
  Effect.gen(function*() {
    const stats = yield* Stats
    const publish = Metrics.publisher(stats)
    const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
    yield* OtelMetrics.registerProducer(yield* OtelMetrics.makeProducer, () => exporter)

    const answer = (request: Http.IncomingMessage, response: Http.ServerResponse) => {
      const say = (status: number, text: string) =>
        response.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`)
      switch (request.url?.replace(/\?.*/, "")) {
        case "/metrics":
          publish()
          return exporter.getMetricsRequestHandler(request, response)
        case "/healthz":
          return say(200, "alive")
        case "/readyz":
          return stats.accepting ? say(200, "accepting") : say(503, "not accepting")
        default:
          return say(404, "not found")
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
