/**
 * Signs of life on WebSockets: a page cannot see pings, so programs get lines of their own; and proxies close what is silent.
 * No connection has a timer: one look a second at all of them, at different ones each time.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

// Seconds.
const betweenBeats = 20
const betweenPings = 25

export interface Living {
  /** Tells a program that the connection lives. */
  readonly beat: () => void
  /** Keeps the proxies in between from closing what is silent. */
  readonly ping: () => void
}

export class Heartbeat {
  private readonly connections = new Map<Living, number>()
  private now = 0
  private begun = 0

  /** Until it is removed. */
  add(connection: Living): void {
    // Those that come together, as after a restart, do not beat together.
    this.connections.set(connection, this.begun++)
  }

  remove(connection: Living): void {
    this.connections.delete(connection)
  }

  /** Runs for ever. */
  readonly run = Effect.suspend(() => {
    const second = Effect.sync(() => {
      const now = ++this.now
      for (const [connection, place] of this.connections) {
        if ((now + place) % betweenBeats === 0) connection.beat()
        if ((now + place) % betweenPings === 0) connection.ping()
      }
    })
    return Effect.zipRight(Effect.repeat(second, Schedule.spaced("1 second")), Effect.never)
  })
}
