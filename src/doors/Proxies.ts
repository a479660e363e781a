/**
 * The proxies in front of the doors (`--proxy-protocol`): who a connection comes from, where its peer is one of them. Only
 * they are believed, and of them nothing else than a header is taken first; from all others no header is read.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import { plainIp } from "../domain/Address.ts"
import * as Networks from "../domain/Networks.ts"
import type { ProxyReason } from "../domain/Reasons.ts"
import type { Settings } from "../ServerConfig.ts"
import { NotOpened } from "./Door.ts"
import * as ProxyProtocol from "./ProxyProtocol.ts"

/** Who connects: the caps, the pace and the address that others see are those of this one. */
export interface Client {
  readonly ip: string
  readonly port: number
}

// How long a header may take, and how many connections may owe theirs: in all, and from one proxy, so that one which
// hangs leaves room for the others. They stand under no other cap, because nobody knows yet whose they are. A proxy sends
// its header with the connection, and Node accepts one connection in each turn in which it also reads: thousands who
// arrive at once are a few who wait.
const patience = "5 seconds"
const maxWaiting = 1024
const maxWaitingPerProxy = 512

export class Proxies {
  private readonly networks: Option.Option<Networks.Networks>
  private waiting = 0
  private readonly waitingPerProxy = new Map<string, number>()

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
    return Effect.acquireUseRelease(
      this.enter(proxy),
      () =>
        Effect.timeoutFail(header(accepted), { duration: patience, onTimeout: () => notAnnounced("proxy-timeout") }),
      () => Effect.sync(() => this.leave(proxy))
    ).pipe(Effect.onError(() =>
      Effect.sync(() => {
        accepted.destroy()
      })
    ))
  }

  private enter(proxy: string): Effect.Effect<void, NotOpened> {
    return Effect.suspend(() => {
      const ofProxy = this.waitingPerProxy.get(proxy) ?? 0
      if (this.waiting >= maxWaiting || ofProxy >= maxWaitingPerProxy) return notAnnounced("proxy-full")
      this.waiting++
      this.waitingPerProxy.set(proxy, ofProxy + 1)
      return Effect.void
    })
  }

  private leave(proxy: string): void {
    this.waiting--
    const others = (this.waitingPerProxy.get(proxy) ?? 0) - 1
    if (others > 0) this.waitingPerProxy.set(proxy, others)
    else this.waitingPerProxy.delete(proxy)
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

/** The peer of a socket, if it is connected still. */
export const peerOf = ({ remoteAddress, remotePort }: Net.Socket): Client | undefined =>
  remoteAddress === undefined || remotePort === undefined ? undefined : { ip: plainIp(remoteAddress), port: remotePort }

const notAnnounced = (reason: ProxyReason) => new NotOpened({ reason })
