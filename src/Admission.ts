/** One connection, from the moment when a door accepts it: under the caps it gets a session, beyond them the reason. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Net from "node:net"
import { OnlineMap } from "./chat/OnlineMap.ts"
import type { Pace } from "./chat/Pace.ts"
import type { Peer } from "./chat/Peer.ts"
import * as Session from "./chat/Session.ts"
import { monotonic } from "./domain/monotonic.ts"
import * as Networks from "./domain/Networks.ts"
import type { Output } from "./domain/Output.ts"
import type { CapReason } from "./domain/Reasons.ts"
import * as Rules from "./domain/Rules.ts"
import { Caps } from "./doors/Caps.ts"
import { type Client, peerOf } from "./doors/Client.ts"
import type { Door } from "./doors/Door.ts"
import { Proxies } from "./doors/Proxies.ts"
import { Visits } from "./doors/Visits.ts"
import * as RefusalLog from "./ops/RefusalLog.ts"
import { Stats } from "./ops/Stats.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { JsonForm } from "./wire/JsonForm.ts"
import { PlainForm } from "./wire/PlainForm.ts"

// A refused client is told the reason. At most so many are being told at the same time; any further one is closed without
// a word, so refusals stay cheap.
const maxRefusals = 100
const refusalPatience = Duration.seconds(5)

/** What all connections share. */
export const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const connections = new Set<Peer>()
  return {
    allow: config.allow,
    caps: new Caps(config),
    clock: yield* Effect.clock,
    /** Those that have a session, or will. */
    connections,
    forms: { plain: (yield* PlainForm).plain, json: yield* JsonForm },
    online: yield* OnlineMap,
    proxies: new Proxies(config),
    refusals: 0,
    stats: yield* Stats,
    visit: yield* Session.make,
    visits: new Visits(config)
  }
})
type Admission = Effect.Effect.Success<typeof make>

/** Deals with a connection until it is closed. */
export const handle = (admission: Admission, door: Door, accepted: Net.Socket): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { proxies, stats } = admission
    const peer = peerOf(accepted)
    // Gone between its arrival in the kernel and here: without an address it can be nobody.
    if (peer === undefined) return close(accepted)
    if (!proxies.has(peer.ip)) return meet(admission, door, accepted, peer)
    return Effect.matchEffect(proxies.announced(accepted, peer.ip), {
      onFailure: ({ reason }) => Effect.sync(() => RefusalLog.note(stats, reason, peer.ip)),
      onSuccess: (client) => meet(admission, door, accepted, client)
    })
  })

/** The same, once it is known who knocks; for whom, the door may know to ask. */
const meet = (admission: Admission, door: Door, accepted: Net.Socket, peer: Client) => {
  const asked = door.ask?.(accepted, peer)
  return asked === undefined ? enter(admission, door, accepted, peer) : Effect.matchEffect(asked, {
    onFailure: ({ reason }) => Effect.sync(() => RefusalLog.note(admission.stats, reason, peer.ip)),
    onSuccess: (client) => client === undefined ? Effect.void : enter(admission, door, accepted, client)
  })
}

const enter = (admission: Admission, door: Door, accepted: Net.Socket, client: Client) =>
  Effect.flatMap(admission.online, ({ rules }) => {
    const { caps, clock, visits } = admission
    const { ip } = client
    const now = monotonic(clock)
    // Whoever is refused, for whatever reason, has come all the same.
    const isInTime = visits.come(ip, now)
    const ruled = ruledOut(admission, rules, ip)
    const reason = caps.reached(ip) ?? (ruled === "banned" || isInTime ? ruled : "too-fast")
    return reason === undefined
      ? admit(admission, door, accepted, client, caps.enter(ip, now))
      : refuse(admission, door, accepted, client, reason)
  })

/** Why operators let nobody in from there, if they do not. */
const ruledOut = ({ allow, clock }: Admission, rules: Rules.Rules, ip: string) =>
  Rules.isBanned(rules, ip, clock.unsafeCurrentTimeMillis())
    ? "banned"
    : rules.isLocked && !Option.exists(allow, (networks) => Networks.has(networks, ip))
    ? "locked"
    : undefined

/**
 * Holds the place under the caps that was entered for as long as the socket is open, its handshake included. Each online
 * user keeps this effect suspended for its whole visit, and each nested combinator adds a stack frame for each of them:
 * keep it flat.
 */
const admit = (
  admission: Admission,
  door: Door,
  accepted: Net.Socket,
  client: Client,
  pace: Pace
) =>
  Effect.uninterruptibleMask((restore) => {
    const { caps, clock, connections, online, stats, visit } = admission
    const { ip } = client
    let connection: Peer | undefined
    const whole = Effect.matchEffect(restore(door.open(accepted, client)), {
      onFailure: ({ reason }) => Effect.sync(() => RefusalLog.note(stats, reason, ip)),
      onSuccess: (peer) => {
        if (peer === undefined) return Effect.void
        connection = peer
        connections.add(connection)
        stats.connections = connections.size
        stats.accepted++
        return Effect.flatMap(online, ({ rules }) => {
          // Handshakes take their time: since the knock operators may have decided something.
          const reason = ruledOut(admission, rules, ip)
          if (reason === undefined) return visit(peer, pace, door.name)
          RefusalLog.note(stats, reason, ip)
          return turnAway(admission, peer, reason)
        })
      }
    })
    return Effect.flatMap(Effect.exit(whole), (exit) => {
      // Where an interruption came between two steps, nobody else closes it.
      accepted.destroy()
      if (connection !== undefined) connections.delete(connection)
      stats.connections = connections.size
      caps.leave(ip, monotonic(clock))
      return Exit.isFailure(exit) && Cause.isDie(exit.cause)
        ? Effect.logError("A connection failed", exit.cause)
        : Effect.void
    })
  })

/** What a newcomer is told who is not let in. */
const told: Readonly<Record<CapReason, Output>> = {
  "server-full": { _tag: "ServerFull" },
  "address-full": { _tag: "AddressFull" },
  "too-fast": { _tag: "TooFast" },
  banned: { _tag: "Banned" },
  locked: { _tag: "Locked" }
}

const refuse = (admission: Admission, door: Door, accepted: Net.Socket, client: Client, reason: CapReason) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      admission.refusals++
      RefusalLog.note(admission.stats, reason, client.ip)
    }),
    () =>
      admission.refusals > maxRefusals ?
        Effect.void :
        Effect.timeout(door.open(accepted, client), refusalPatience).pipe(
          Effect.flatMap((peer) => peer === undefined ? Effect.void : turnAway(admission, peer, reason)),
          // It is refused already, and counted; that it cannot be told changes nothing.
          Effect.ignore
        ),
    () =>
      Effect.sync(() => {
        accepted.destroy()
        admission.refusals--
      })
  )

/** Tells the reason, and waits until it is said. */
const turnAway = ({ forms }: Admission, peer: Peer, reason: CapReason) => {
  peer.write([Buffer.from(forms[peer.form].render(told[reason], 0))])
  return peer.finish(refusalPatience, reason)
}

const close = (accepted: Net.Socket) =>
  Effect.sync(() => {
    accepted.destroy()
  })
