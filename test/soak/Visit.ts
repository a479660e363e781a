/** One client's stay, as it is known from both ends: what it did itself, and what the witness read about it. */
import { Deferred, FiberId } from "effect"

/** How its owner behaves; what may happen to it follows from that. */
export type Kind =
  | "witness"
  | "keeper"
  | "probe"
  | "talker"
  | "lurker"
  | "historian"
  | "silent"
  | "messenger"
  | "renamer"
  | "flood"
  | "paster"
  | "napper"
  | "stalled"
  | "resetting"
  | "garbage"

export interface Visit {
  readonly id: number
  readonly kind: Kind
  /** Its own, used by no other visit: loopback has sixteen million of them, and ports come back. */
  readonly ip: string
  /** `ip:port`, known once connected. */
  address: string | undefined
  /** Numbered lines given to the socket, and the last one that the witness read. */
  sent: number
  seen: number
  /** The place of its 已上线 in the log. */
  onlineAt: number | undefined
  /** Polite: `/quit` or end of input, so every line before it counts. Rude: reset, the last lines may be lost. */
  leaving: "no" | "polite" | "rude"
  /** Done when the witness has read its 下线. */
  readonly gone: Deferred.Deferred<void>
}

export const make = (id: number, kind: Kind): Visit => {
  const host = id + 256
  return {
    id,
    kind,
    ip: `127.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`,
    address: undefined,
    sent: 0,
    seen: 0,
    onlineAt: undefined,
    leaving: "no",
    gone: Deferred.unsafeMake(FiberId.none)
  }
}

/** Says nothing but numbered lines, so each of its lines is known in advance. */
export const isNumbered = (visit: Visit): boolean => visit.kind !== "garbage" && visit.kind !== "probe"
