/**
 * The proxies in front of the doors (`--proxy-protocol`): who a connection comes from, where its peer is one of them. Only
 * they are believed, and of them nothing else than a header is taken first; from all others no header is read.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import * as Networks from "../domain/Networks.ts"
import type { ProxyReason } from "../domain/Reasons.ts"
import type { Settings } from "../ServerConfig.ts"
import { Anteroom } from "./Anteroom.ts"
import type { Client } from "./Client.ts"
import { NotOpened } from "./Door.ts"
import * as ProxyProtocol from "./ProxyProtocol.ts"

// How long a header may take.
const patience = "5 seconds"

export class Proxies {
  private readonly networks: Option.Option<Networks.Networks>
  private readonly anteroom = new Anteroom()

  constructor({ proxyProtocol }: Pick<Settings, "proxyProtocol">) {
    this.networks = proxyProtocol
  }

  /** Whether this peer must announce its client. */
  has(ip: string): boolean {
    return Option.exists(this.networks, (networks) => Networks.has(networks, ip))
  }

  /**
   * The client that this proxy announces on a socket which nobody has read from. The bytes behind the header are given back
   * to the socket, which is paused. What fails or is interrupted is closed.
   */
  announced(accepted: Net.Socket, proxy: string): Effect.Effect<Client, NotOpened> {
    return this.anteroom.wait(
      accepted,
      proxy,
      Effect.timeoutFail(header(accepted), { duration: patience, onTimeout: () => notAnnounced("proxy-timeout") })
    )
  }
}

/** Reads until there is a header. Callbacks, as in `Connection`. */
const header = (socket: Net.Socket) =>
  Effect.async<Client, NotOpened>((resume) => {
    let bytes: Buffer = Buffer.alloc(0)
    const off = () => socket.off("data", onData).off("end", onEnd).off("close", onEnd).pause()
    const settle = (result: Effect.Effect<Client, NotOpened>) => {
      off()
      resume(result)
    }
    const onEnd = () => settle(notAnnounced("proxy-closed"))
    const onData = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      const header = ProxyProtocol.read(bytes)
      switch (header._tag) {
        case "More":
          return
        case "Nobody":
          return settle(notAnnounced("proxy-nobody"))
        case "Malformed":
          return settle(notAnnounced("proxy-malformed"))
        case "Client": {
          settle(Effect.succeed({ ip: header.ip, port: header.port }))
          if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
        }
      }
    }
    if (socket.destroyed) return onEnd()
    socket.on("data", onData).on("end", onEnd).on("close", onEnd).resume()
    return Effect.sync(off)
  })

const notAnnounced = (reason: ProxyReason) => new NotOpened({ reason })
