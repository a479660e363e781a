/**
 * Connections of trusted proxies of which nobody knows yet whose they are. They stand under no other cap, so they are counted
 * here: in all, and of one proxy, so that one which hangs leaves room for the others.
 *
 * A proxy sends what it knows with the connection, and Node accepts one connection in each turn in which it also reads:
 * thousands who arrive at once are a few who wait.
 */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { closing, NotOpened } from "./Door.ts"

const maxWaiting = 1024
const maxWaitingPerProxy = 512

export class Anteroom {
  private waiting = 0
  private readonly waitingPerProxy = new Map<string, number>()

  /**
   * Counts one of this proxy for as long as it takes to learn whose it is. Without room for it that fails. What fails or is
   * interrupted is closed.
   */
  wait<A>(accepted: Net.Socket, proxy: string, learn: Effect.Effect<A, NotOpened>): Effect.Effect<A, NotOpened> {
    return Effect.acquireUseRelease(
      Effect.suspend(() => this.enter(proxy) ? Effect.void : new NotOpened({ reason: "proxy-full" })),
      () => learn,
      () => Effect.sync(() => this.leave(proxy))
    ).pipe(closing(accepted))
  }

  private enter(proxy: string): boolean {
    const ofProxy = this.waitingPerProxy.get(proxy) ?? 0
    if (this.waiting >= maxWaiting || ofProxy >= maxWaitingPerProxy) return false
    this.waiting++
    this.waitingPerProxy.set(proxy, ofProxy + 1)
    return true
  }

  private leave(proxy: string): void {
    this.waiting--
    const others = (this.waitingPerProxy.get(proxy) ?? 0) - 1
    if (others > 0) this.waitingPerProxy.set(proxy, others)
    else this.waitingPerProxy.delete(proxy)
  }
}
