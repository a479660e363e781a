/**
 * The `Peer` on a WebSocket: what it sends is lines, one or more a message, and what it gets is messages of whole lines. `ws`
 * reads, because reading is where a hostile peer is met; writing is one header, which is made here once for all who read
 * the same.
 *
 * As on a TCP socket nothing is read that nobody pulls. But `ws` goes through all of a chunk that it was given, paused or not:
 * what is in that waits in the inbox, so this is bounded by one read, and one message.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { type RawData, WebSocket } from "ws"
import { Pace } from "../chat/Pace.ts"
import type { Peer } from "../chat/Peer.ts"
import type { Address } from "../domain/Address.ts"
import type { CapReason, EndReason } from "../domain/Reasons.ts"
import * as Frame from "./Frame.ts"
import type { Heartbeat, Living } from "./Heartbeat.ts"
import { Inbox } from "./Inbox.ts"
import * as Outflow from "./Outflow.ts"
import { SocketPeer, type Take } from "./SocketPeer.ts"

/** The subprotocol under which a WebSocket speaks JSON from the start. */
export const jsonProtocol = "tellnet.json.1"

// What is no message costs nobody a line, so there may be so many of it a second, and so many at once.
const controlRate = 5
const controlBurst = 50

const policy = 1008

/** Close codes (RFC 6455, section 7.4.1). */
const codes: Record<EndReason | CapReason, number> = {
  quit: 1000,
  "end-of-input": 1000,
  shutdown: 1001,
  idle: policy,
  "taken-over": policy,
  removed: policy,
  banned: policy,
  foreign: policy,
  stalled: policy,
  reset: policy,
  defect: 1011,
  // "Try again later".
  "server-full": 1013,
  "address-full": 1013,
  "too-fast": 1013,
  locked: 1013
}

const noStatus = 1006

const beat = Frame.of([Buffer.from("{\"kind\":\"beat\"}\n")])

/** `ws` on `socket`, from which nothing has been read yet; gives signs of life until it is closed. `address`: as for TCP. */
export const make = (ws: WebSocket, socket: Net.Socket, address: Address, heartbeat: Heartbeat): Peer =>
  new WebSocketConnection(ws, socket, address, heartbeat)

class WebSocketConnection extends SocketPeer implements Peer, Living {
  readonly form: Peer["form"]
  private readonly ws: WebSocket
  private readonly heartbeat: Heartbeat
  private readonly inbox = new Inbox()
  private closed: (() => void) | undefined
  private control: Pace | undefined
  /** Nothing more comes that anybody wants to read. */
  private isOver = false

  constructor(ws: WebSocket, socket: Net.Socket, address: Address, heartbeat: Heartbeat) {
    super(socket, address)
    this.ws = ws
    this.heartbeat = heartbeat
    this.form = ws.protocol === jsonProtocol ? "json" : "plain"
    ws.pause()
    heartbeat.add(this)
    ws.on("message", (data, isBinary) => this.onMessage(data, isBinary))
    ws.on("ping", () => this.onControl())
    ws.on("pong", () => this.onControl())
    // It has broken the protocol, and `ws` has told it so.
    ws.on("error", () => this.end())
    ws.on("close", (code) => this.onClose(code))
    // Both have sent a close frame, and nothing more is said; but the peer may keep the connection.
    socket.on("finish", () => this.end())
  }

  pull(take: Take) {
    return Effect.async<boolean>((resume) => {
      this.await(take, resume)
      this.give()
      if (this.take === undefined) return
      if (this.isOver) this.onPulled(Effect.succeed(false))
      else this.ws.resume()
    })
  }

  protected override pause(): void {
    this.ws.pause()
  }

  /** Lets whoever pulls have what has come. */
  private give(): void {
    if (this.take === undefined) return
    // A bug must end the fiber that pulls. From here it would end the process.
    try {
      if (this.inbox.give(this.take)) this.onPulled(Effect.succeed(true))
    } catch (bug) {
      this.onPulled(Effect.die(bug))
    }
  }

  private onMessage(data: RawData, isBinary: boolean): void {
    if (this.isOver) return
    if (isBinary || !Buffer.isBuffer(data)) return this.refuse(1003)
    this.inbox.put(data)
    this.give()
  }

  private onControl(): void {
    if (this.isOver) return
    this.control ??= new Pace(controlRate, controlBurst)
    const now = performance.now()
    if (this.control.isOpen(now)) this.control.take(now)
    else this.refuse(policy)
  }

  private refuse(code: number): void {
    this.ws.close(code)
    this.end()
  }

  /** What has come is still read. */
  private end(): void {
    this.isOver = true
    if (this.take !== undefined) this.onPulled(Effect.succeed(false))
  }

  private onClose(code: number): void {
    this.heartbeat.remove(this)
    // Without a close frame it may still have ended its half, as netcat does.
    const isLost = code === noStatus && !this.socket.readableEnded
    if (isLost) {
      this.isOver = true
      this.lost?.()
    } else this.end()
    this.closed?.()
  }

  write(parts: ReadonlyArray<Uint8Array>): boolean {
    const { socket, ws } = this
    // Nothing may follow a close frame; and nothing pushes back when nobody is there.
    if (ws.readyState !== WebSocket.OPEN) return true
    socket.write(Frame.shared(parts))
    return !Outflow.pushesBack(socket)
  }

  beat(): void {
    if (this.form === "json") this.sign(beat)
  }

  ping(): void {
    this.sign(Frame.ping)
  }

  /** Unless something is on its way anyhow. */
  private sign(frame: Buffer): void {
    if (this.ws.readyState === WebSocket.OPEN && this.socket.writableLength === 0) this.socket.write(frame)
  }

  // One callback and one timer for the whole end, because thousands may end in one turn.
  finish(patience: Duration.Duration, why: EndReason | CapReason) {
    return Effect.async<void>((resume) => {
      const { socket, ws } = this
      const close = () => {
        clearTimeout(timer)
        this.closed = undefined
        socket.destroy()
        resume(Effect.void)
      }
      const onWritten = () => {
        clearTimeout(timer)
        timer = setTimeout(close, Outflow.linger)
      }
      let timer = setTimeout(close, Duration.toMillis(patience))
      if (ws.readyState === WebSocket.CLOSED) return close()
      this.closed = close
      this.isOver = true
      this.inbox.clear()
      ws.close(codes[why])
      if (socket.writable) socket.write("", onWritten)
      else onWritten()
      // Nobody pulls any more: what comes up to its own close frame is thrown away.
      ws.resume()
      return Effect.sync(close)
    })
  }
}
