/**
 * Who is in the room of one connection and under which name, as it is told: whoever comes was not there, whoever goes was,
 * and a name has one holder at each place. Knows nothing until it has a list.
 */
import type { NodesTally } from "./Laws.ts"
import type { Heard } from "./Wire.ts"

export interface Presence {
  readonly hear: (heard: Heard) => void
  /** Addresses and names, in the order of the addresses; `undefined`: no list yet. */
  readonly all: () => string | undefined
  /** Whether this connection is there, as far as it is told. */
  readonly has: (address: string, name: string) => boolean
}

const keyOf = (name: string) => name.normalize("NFKC").toLowerCase()

export const make = (program: string, tally: NodesTally): Presence => {
  let here: Map<string, string> | undefined
  let own = ""
  let room = ""

  const wrong = (heard: Heard, why: string) =>
    tally.fault("presence", `${program} is told ${JSON.stringify(heard)}, but ${why}`)
  const holds = (heard: Heard, addr: string, name: string) => {
    for (const [other, held] of here ?? []) {
      if (other !== addr && keyOf(held) === keyOf(name)) {
        tally.fault("name", `${program} is told ${JSON.stringify(heard)}, and ${other} holds that name`)
      }
    }
    here?.set(addr, name)
  }
  const isHere = (heard: Heard, addr: string, name: string) => {
    const held = here?.get(addr)
    if (held !== name) wrong(heard, held === undefined ? "nobody like that is there" : `it is called ${held}`)
  }

  const goes = (heard: Extract<Heard, { readonly kind: "offline" | "went" }>) => {
    if (here === undefined || heard.room !== room) return
    isHere(heard, heard.who.addr, heard.who.name)
    here.delete(heard.who.addr)
  }

  return {
    all: () => here && Array.from(here, ([addr, name]) => `[${addr}]${name}`).toSorted().join(" "),
    has: (address, name) => here?.get(address) === name,
    hear: (heard) => {
      switch (heard.kind) {
        case "hello":
          own = heard.you.addr
          room = heard.room
          return
        case "users":
          if (heard.room === room) here = new Map(heard.users.map(({ addr, name }) => [addr, name]))
          return
        case "online":
        case "came":
          if (heard.who.addr === own && heard.room !== room) {
            // Elsewhere from here on: another list is asked for.
            room = heard.room
            here = undefined
          } else if (here !== undefined) {
            if (here.has(heard.who.addr)) wrong(heard, "it is there already")
            holds(heard, heard.who.addr, heard.who.name)
          }
          return
        case "offline":
          if (heard.reason === "node-gone") tally.count("buried")
          if (heard.reason === "taken-over") tally.count("takenOver")
          return goes(heard)
        case "went":
          return goes(heard)
        case "renamed":
          if (here === undefined || heard.room !== room) return
          isHere(heard, heard.who.addr, heard.who.name)
          holds(heard, heard.who.addr, heard.name)
          return
        case "said":
          if (here !== undefined) isHere(heard, heard.from.addr, heard.from.name)
          return
        default:
      }
    }
  }
}
