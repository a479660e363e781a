/**
 * One peer: pulls bytes, takes bytes, ends. It knows no line and no user.
 *
 * `Socket.run` of `@effect/platform` is not used, because it pushes: a fiber for each chunk, and no way to let a sender
 * wait. Here the socket is paused whenever nobody pulls: what is not pulled is not read, and TCP slows the sender down.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import type { Peer } from "../chat/Peer.ts"
import type { Address } from "../domain/Address.ts"
import * as Outflow from "./Outflow.ts"
import { SocketPeer, type Take } from "./SocketPeer.ts"

// What is given back is held in pieces of so many bytes: see `giveBack`.
const pieceBytes = 8192

/** `address`: of the client, which is not who the socket is connected to if that is a proxy. */
export const make = (socket: Net.Socket, address: Address): Peer => new NetConnection(socket, address)

class NetConnection extends SocketPeer implements Peer {
  constructor(socket: Net.Socket, address: Address) {
    super(socket, address)
    socket.pause()
    socket.on("data", (bytes: Buffer) => this.onData(bytes))
    socket.on("end", () => this.onPulled(Effect.succeed(false)))
    socket.on("close", () => this.lost?.())
  }

  pull(take: Take) {
    return Effect.async<boolean>((resume) => {
      const { socket } = this
      if (socket.readableEnded) return resume(Effect.succeed(false))
      this.await(take, resume)
      socket.resume()
    })
  }

  protected override pause(): void {
    this.socket.pause()
  }

  private onData(bytes: Buffer): void {
    // A bug must end the fiber that pulls. From here it would end the process.
    // Nobody pulls any more, and the rest of the input is thrown away.
    if (this.take === undefined) return
    try {
      const left = this.take(bytes)
      if (left === undefined) return
      this.onPulled(Effect.succeed(true))
      if (left > 0) this.giveBack(bytes.subarray(-left))
    } catch (bug) {
      this.onPulled(Effect.die(bug))
    }
  }

  /**
   * Lets Node hold what was left. As it comes from within the event, Node stops reading at once; as it comes in pieces with
   * memory of their own, the chunk is free, and Node reads the next one only when less than its high-water mark is left.
   * So a sender that is never done costs one chunk, not three.
   */
  private giveBack(bytes: Buffer): void {
    if (bytes.length <= pieceBytes && bytes.buffer.byteLength <= pieceBytes) return this.socket.unshift(bytes)
    for (let end = bytes.length; end > 0; end -= pieceBytes) {
      this.socket.unshift(Buffer.from(bytes.subarray(Math.max(0, end - pieceBytes), end)))
    }
  }

  // On the prototype, because it is the same for all.
  get form() {
    return "plain" as const
  }

  write(parts: ReadonlyArray<Uint8Array>): boolean {
    const { socket } = this
    // Nothing pushes back when nobody is there.
    if (socket.destroyed) return true
    if (parts.length === 1) socket.write(parts[0]!)
    else {
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
    }
    return !Outflow.pushesBack(socket)
  }

  // One callback and one timer for the whole end, because thousands may end in one turn.
  finish(patience: Duration.Duration) {
    return Effect.async<void>((resume) => {
      const { socket } = this
      const close = () => {
        clearTimeout(timer)
        socket.off("finish", onFinish).off("end", close).off("close", close).destroy()
        resume(Effect.void)
      }
      const onFinish = () => {
        if (socket.readableEnded) return close()
        clearTimeout(timer)
        timer = setTimeout(close, Outflow.linger)
        // Nobody pulls any more: what comes is thrown away.
        socket.on("end", close).resume()
      }
      let timer = setTimeout(close, Duration.toMillis(patience))
      if (socket.destroyed) return close()
      socket.on("close", close).on("finish", onFinish).end()
      return Effect.sync(close)
    })
  }
}
