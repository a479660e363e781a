/**
 * All visits that the server may still know, and the judgement of each broadcast that the witness reads: is its sender
 * one of ours and online, is the line the very next one of that sender, do 已上线 and 下线 come once.
 */
import { Deferred, Effect } from "effect"
import { halfLine, numberOf, textOf } from "./NumberedLine.ts"
import type { Tally } from "./Tally.ts"
import * as Visit from "./Visit.ts"

export interface Roster {
  readonly arrive: (kind: Visit.Kind) => Visit.Visit
  /** Its connection is closed; from now on its 下线 is due. */
  readonly left: (visit: Visit.Visit) => void
  /** Judges a broadcast that will stand at `place`; returns its sender's id. */
  readonly judge: (address: string, text: string, place: number) => number
  /** Once a second: complains about those who left and are still online. */
  readonly sweep: () => void
  /** Users online, by the witness's account. */
  readonly online: () => number
  /** Who is in the list without having left. */
  readonly staying: () => ReadonlyArray<Visit.Visit>
}

/** Seconds within which 下线 must follow the end of a connection. */
const offlineWithin = 30
const unknown = -1

export const make = (tally: Tally): Roster => {
  const visits = new Map<string, Visit.Visit>()
  const leftFor = new Map<Visit.Visit, number>()
  let arrivals = 0
  let online = 0

  const forget = (visit: Visit.Visit) => {
    visits.delete(visit.ip)
    leftFor.delete(visit)
  }

  const cameOnline = (visit: Visit.Visit, place: number) => {
    if (visit.onlineAt !== undefined) return tally.fault("presence", `${visit.ip} is online twice`)
    visit.onlineAt = place
    online++
  }

  const wentOffline = (visit: Visit.Visit) => {
    if (visit.onlineAt === undefined) {
      tally.fault("presence", `${visit.ip} (${visit.kind}) is offline, never was online`)
    } else online--
    if (visit.leaving === "polite" && Visit.isNumbered(visit) && visit.seen < visit.sent) {
      tally.fault(
        "lost",
        `${visit.ip} (${visit.kind}) left politely after line ${visit.sent}, the last one seen is ${visit.seen}`,
        visit.sent - visit.seen
      )
    }
    forget(visit)
    Deferred.unsafeDone(visit.gone, Effect.void)
  }

  const spoke = (visit: Visit.Visit, text: string) => {
    if (visit.onlineAt === undefined) tally.fault("presence", `${visit.ip} (${visit.kind}) speaks before it is online`)
    if (!Visit.isNumbered(visit)) return
    // Nobody should hear half a line of a connection that was reset. But libuv reports a reset as an end of input when
    // it finds unread bytes and the reset at one time, and then the rules for an unterminated last line hold.
    if (text === halfLine && visit.kind === "resetting" && visit.leaving === "rude") return
    const number = numberOf(text)
    if (number === undefined || number > visit.sent || text !== textOf(visit.id, number)) {
      return tally.fault("sender", `${visit.ip} (${visit.kind}, ${visit.sent} lines) never said: ${text}`)
    }
    const gap = number - visit.seen - 1
    if (gap > 0) tally.fault("lost", `${visit.ip} (${visit.kind}): line ${number} follows ${visit.seen}`, gap)
    if (gap < 0) tally.fault("twice", `${visit.ip} (${visit.kind}): line ${number} after ${visit.seen}`)
    visit.seen = Math.max(visit.seen, number)
  }

  return {
    arrive: (kind) => {
      const visit = Visit.make(arrivals++, kind)
      visits.set(visit.ip, visit)
      return visit
    },
    // If 下线 has come already (a kick), nothing is due any more.
    left: (visit) => void (visits.has(visit.ip) && leftFor.set(visit, 0)),
    judge: (address, text, place) => {
      const visit = visits.get(address.slice(0, address.lastIndexOf(":")))
      if (visit === undefined) {
        tally.fault("sender", `${address} is nobody, or offline already: ${text}`)
        return unknown
      }
      if (visit.address !== undefined && visit.address !== address) {
        tally.fault("sender", `${visit.address} is shown as ${address}`)
      }
      if (text === "已上线") cameOnline(visit, place)
      else if (text === "下线") wentOffline(visit)
      else spoke(visit, text)
      return visit.id
    },
    sweep: () =>
      leftFor.forEach((seconds, visit) => {
        if (seconds < offlineWithin) return leftFor.set(visit, seconds + 1)
        // A connection reset at once may never have come online; then nothing is wrong.
        if (visit.onlineAt !== undefined) {
          online--
          tally.fault("presence", `${visit.ip} (${visit.kind}) left ${seconds} s ago and is online still`)
        }
        return forget(visit)
      }),
    online: () => online,
    staying: () => Array.from(visits.values()).filter((visit) => !leftFor.has(visit))
  }
}
