/**
 * What one program has read, over all of its connections: from where to where it was in which room, and each line of
 * these times exactly once. Knows no socket.
 */
import type { NodesTally } from "./Laws.ts"
import type { Ledger } from "./Ledger.ts"
import type { Line } from "./Wire.ts"

export const lobby = "lobby"

/** In the room for all lines behind `from`, up to `to`. */
interface Stay {
  readonly room: string
  readonly from: number
  readonly to: number
}

/** What a new connection has heard before all old lines were read: nothing of it counts if that breaks off. */
interface Return {
  here: { readonly room: string; readonly from: number }
  readonly stays: Array<Stay>
  readonly lines: Array<Line>
}

export interface Reading {
  readonly room: () => string
  /** A connection begins: in the lobby, behind this place. */
  readonly begin: (seq: number) => void
  /** It came to a room, behind this place. */
  readonly came: (room: string, seq: number) => void
  readonly said: (line: Line) => void
  readonly past: (line: Line) => void
  /** What to ask for; `undefined`: nothing is missed, this is the first connection. */
  readonly missed: () => { readonly after: number; readonly before: number } | undefined
  /** All old lines were read. */
  readonly returned: () => void
  /** Every line up to this place was read, and no other, each once. */
  readonly judge: (to: number) => void
}

export const make = (program: string, ledger: Ledger, tally: NodesTally): Reading => {
  const seen = new Map<string, Set<number>>()
  const stays: Array<Stay> = []
  let here: { readonly room: string; readonly from: number } | undefined
  /** All before is read. */
  let done = 0
  /** The last line of this connection. */
  let last = 0
  let returning: Return | undefined

  const read = ({ room, seq, text }: Line) => {
    const places = seen.get(room) ?? new Set()
    seen.set(room, places)
    if (places.has(seq)) tally.fault("twice", `${program} is told twice of ${seq}: ${text}`)
    places.add(seq)
  }
  const leave = (from: { readonly room: string; readonly from: number }, to: number) => ({ ...from, to })

  return {
    room: () => here?.room ?? lobby,
    begin: (seq) => {
      last = seq
      if (here === undefined) {
        here = { room: lobby, from: seq }
        done = seq
      } else {
        if (seq < done) tally.fault("order", `${program} comes back behind ${seq}, and had read ${done}`)
        returning = { here: { room: lobby, from: seq }, stays: [], lines: [] }
      }
    },
    came: (room, seq) => {
      const place = returning ?? { here, stays }
      if (place.here === undefined) return
      // Thought dead, it was brought back to where it is.
      if (place.here.room === room) return
      place.stays.push(leave(place.here, seq))
      if (returning !== undefined) returning.here = { room, from: seq }
      else {
        here = { room, from: seq }
        done = seq
      }
    },
    said: (line) => {
      ledger.see(line, program)
      tally.count("heard")
      if (line.seq <= last) tally.fault("order", `${program} is told of ${line.seq} behind ${last}: ${line.text}`)
      last = line.seq
      const room = (returning?.here ?? here)?.room
      if (line.room !== room) tally.fault("sender", `${program}, in #${room}, is told of ${line.seq} in #${line.room}`)
      if (returning !== undefined) return void returning.lines.push(line)
      read(line)
      done = line.seq
    },
    past: (line) => {
      ledger.see(line, program)
      tally.count("past")
      if (line.seq <= done) tally.fault("twice", `${program} asked behind ${done}, and is told of ${line.seq}`)
      read(line)
      done = line.seq
    },
    missed: () => returning && { after: done, before: returning.here.from + 1 },
    returned: () => {
      if (returning === undefined) return
      const { here: { from }, lines } = returning
      stays.push(...returning.stays)
      returning = undefined
      for (const line of lines) read(line)
      done = Math.max(done, from, lines.at(-1)?.seq ?? 0)
    },
    judge: (to) => {
      const all = here === undefined ? stays : [...stays, leave(here, to)]
      const isStay = (room: string, seq: number) =>
        all.some((stay) => stay.room === room && seq > stay.from && seq <= stay.to)
      for (const { room, seq, text } of ledger.lines()) {
        if (isStay(room, seq) && seen.get(room)?.has(seq) !== true) {
          tally.fault("lost", `${program} was never told of ${seq} in #${room}: ${text}`)
        }
      }
    }
  }
}
