/**
 * Connections of trusted proxies of which nobody knows yet whose they are. They stand under no other cap, so they are counted
 * here: in all, and of one proxy, so that one which hangs leaves room for the others. Plain code; knows no socket.
 *
 * A proxy sends what it knows with the connection, and Node accepts one connection in each turn in which it also reads:
 * thousands who arrive at once are a few who wait.
 */
const maxWaiting = 1024
const maxWaitingPerProxy = 512

export class Anteroom {
  private waiting = 0
  private readonly waitingPerProxy = new Map<string, number>()

  /** Counts one until `leave`; or there is no room, and nothing is counted. */
  enter(proxy: string): boolean {
    const ofProxy = this.waitingPerProxy.get(proxy) ?? 0
    if (this.waiting >= maxWaiting || ofProxy >= maxWaitingPerProxy) return false
    this.waiting++
    this.waitingPerProxy.set(proxy, ofProxy + 1)
    return true
  }

  leave(proxy: string): void {
    this.waiting--
    const others = (this.waitingPerProxy.get(proxy) ?? 0) - 1
    if (others > 0) this.waitingPerProxy.set(proxy, others)
    else this.waitingPerProxy.delete(proxy)
  }
}
