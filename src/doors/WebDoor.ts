/**
 * The door for browsers: `--web-port`. It listens like the plain one, and puts HTTP before the talk: whoever asks for the page
 * gets it, and ends without a talk; whoever asks for `/chat` gets a WebSocket, and talks.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import { WebSocketServer } from "ws"
import type { Peer } from "../chat/Peer.ts"
import { address } from "../domain/Address.ts"
import * as Networks from "../domain/Networks.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { Anteroom } from "./Anteroom.ts"
import type { Client } from "./Client.ts"
import * as Door from "./Door.ts"
import type { Handshake } from "./Handshake.ts"
import { Heartbeat } from "./Heartbeat.ts"
import * as Page from "./Page.ts"
import * as Upgrades from "./Upgrades.ts"
import { forwardedFor } from "./WebHeaders.ts"
import * as WebSocketConnection from "./WebSocketConnection.ts"

const limits = {
  noServer: true,
  clientTracking: false,
  // It costs memory for each user, and what is said is short.
  perMessageDeflate: false,
  // A message may be many lines, in a few pieces.
  maxPayload: 65_536,
  maxFragments: 64,
  handleProtocols: (offered: ReadonlySet<string>) =>
    offered.has(WebSocketConnection.jsonProtocol) && WebSocketConnection.jsonProtocol
}

/** With TLS, if there is a handshake; until the end of the scope. */
export const make = (port: number, handshake: Option.Option<Handshake>) =>
  Effect.gen(function*() {
    const config = yield* ServerConfig
    const page = yield* Effect.provide(Page.read, NodeFileSystem.layer)
    const heartbeat = new Heartbeat()
    yield* Effect.forkScoped(heartbeat.run)
    const requests = yield* Upgrades.make(page, Option.isSome(handshake) ? "https" : "http")
    // An option that its types do not know yet.
    const options = { ...limits, closeTimeout: Duration.toMillis(config.stallTimeout) }
    const sockets = new WebSocketServer(options)
    const listener = yield* Door.listen(port, "--web-port")

    /** Serves the page until a WebSocket is asked for. */
    const upgraded = (accepted: Net.Socket) => {
      const secured = Option.match(handshake, {
        onNone: () => Effect.succeed(accepted),
        onSome: (shake) => shake(accepted)
      })
      return Effect.flatMap(secured, requests).pipe(Door.closing(accepted))
    }

    /** Those that came through a proxy, and are known now. */
    const asked = new WeakMap<Net.Socket, Upgrades.Upgrade>()
    const anteroom = new Anteroom()
    const ask = (proxies: Networks.Networks, accepted: Net.Socket, proxy: Client) =>
      Effect.map(anteroom.wait(accepted, proxy.ip, upgraded(accepted)), (upgrade) => {
        if (upgrade === undefined) return undefined
        asked.set(accepted, upgrade)
        const ip = forwardedFor(upgrade.request.headersDistinct["x-forwarded-for"], proxies)
        return ip === undefined ? proxy : { ip, port: proxy.port }
      })

    const shake = ({ head, request, socket }: Upgrades.Upgrade, { ip, port }: Client) =>
      Effect.async<Peer | undefined, Door.NotOpened>((resume) => {
        const closed = () => resume(new Door.NotOpened({ reason: "web-malformed" }))
        if (socket.destroyed) return resume(Effect.succeed(undefined))
        socket.on("close", closed)
        sockets.handleUpgrade(request, socket, head, (ws) => {
          socket.off("close", closed)
          resume(Effect.succeed(WebSocketConnection.make(ws, socket, address(ip, port), heartbeat)))
        })
      })

    const door: Door.Door = {
      ...listener,
      name: "web",
      ask: (accepted, peer) => {
        const proxies = Option.getOrUndefined(config.webProxy)
        return proxies !== undefined && Networks.has(proxies, peer.ip) ? ask(proxies, accepted, peer) : undefined
      },
      open: (accepted, client) =>
        Effect.flatMap(
          Effect.suspend(() => {
            const upgrade = asked.get(accepted)
            return upgrade === undefined ? upgraded(accepted) : Effect.succeed(upgrade)
          }),
          (upgrade) => upgrade === undefined ? Effect.succeed(undefined) : shake(upgrade, client)
        )
    }
    return door
  })
