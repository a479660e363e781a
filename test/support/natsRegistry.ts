/** The registry in NATS, on a server of the test. */
import { jetstream } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as NatsRegistry from "../../src/log/NatsRegistry.ts"
import { Registry } from "../../src/log/Registry.ts"
import { natsServer } from "./natsServer.ts"

/** A connection that is closed at the end of the scope, and comes back to a server that was started again. */
export const connection = (url: string): Effect.Effect<NatsConnection, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 })),
    (connection) => Effect.promise(() => connection.close())
  )

/** The bucket of the tests, over a connection of its own. */
export const bucket = (url: string) =>
  Effect.flatMap(connection(url), (connection) => Effect.orDie(NatsRegistry.open(jetstream(connection), "registry", 1)))

/** A server, and what connects to it again and again. */
export const layer = Effect.map(
  natsServer(),
  ({ url }) => Layer.scoped(Registry, Effect.map(bucket(url), NatsRegistry.make))
)
