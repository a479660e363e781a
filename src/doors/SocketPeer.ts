/** What every `Peer` on a socket has in common: who waits for what comes, and how far what went out has got. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import type { Address } from "../domain/Address.ts"
import * as Outflow from "./Outflow.ts"

/** As `Peer.pull` has it. */
export type Take = (bytes: Buffer) => number | undefined

// A class, because there is one for every user: methods are shared, closures are not.
export abstract class SocketPeer {
  readonly address: Address
  protected readonly socket: Net.Socket
  protected take: Take | undefined
  protected lost: (() => void) | undefined
  private pulled: ((result: Effect.Effect<boolean>) => void) | undefined

  constructor(socket: Net.Socket, address: Address) {
    this.socket = socket
    this.address = address
  }

  get isEncrypted(): boolean {
    return "encrypted" in this.socket
  }

  /** Reads nothing until somebody pulls again. */
  protected abstract pause(): void

  /** Somebody pulls. */
  protected await(take: Take, resume: (result: Effect.Effect<boolean>) => void): void {
    this.take = take
    this.pulled = resume
  }

  stop(): void {
    this.pause()
    this.take = undefined
    this.pulled = undefined
  }

  protected onPulled(result: Effect.Effect<boolean>): void {
    const resume = this.pulled
    this.stop()
    resume?.(result)
  }

  onLost(callback: () => void): void {
    if (this.socket.destroyed) callback()
    else this.lost = callback
  }

  get writable() {
    return Outflow.writable(this.socket)
  }

  get taken() {
    return Outflow.taken(this.socket)
  }

  get destroy() {
    return Effect.sync(() => {
      this.socket.destroy()
    })
  }
}
