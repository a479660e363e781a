/** What one client has been told for itself alone: answers, private messages, warnings. */
import type { Field } from "./Field.ts"
import { Received } from "./Grammar.ts"
import * as PrivateMessages from "./PrivateMessages.ts"
import type { Visit } from "./Visit.ts"

export interface Notices {
  readonly hear: (received: Received, line: string) => void
  /** The name that the server has confirmed last. */
  readonly name: () => string
  readonly warned: () => boolean
  readonly kicked: () => boolean
  readonly toldOfShutdown: () => boolean
}

const nothing = () => {}

export const make = (visit: Visit, { tally }: Field): Notices => {
  const who = `${visit.ip} (${visit.kind})`
  const privates = PrivateMessages.make(who, tally)
  let name: string | undefined
  let warned = false
  let kicked = false
  let shutdown = false
  return {
    hear: (received, line) =>
      Received.$match(received, {
        // These belong to the order of broadcasts, which is the reader's.
        Broadcast: nothing,
        Skipped: nothing,
        Past: nothing,
        Help: nothing,
        Listed: () => tally.count("listed"),
        TooLong: () => tally.count("tooLong"),
        Refusal: () => tally.count("refusals"),
        Private: ({ sender, text }) => privates.read(sender, text),
        Renamed: (renamed) => {
          name = renamed.name
          tally.count("renames")
        },
        IdleWarning: () => {
          warned = true
        },
        Kicked: () => {
          kicked = true
          tally.count("kicked")
          if (visit.kind !== "silent") tally.fault("kick", `${who} was kicked`)
        },
        ShuttingDown: () => {
          shutdown = true
        },
        Foreign: ({ why }) => tally.fault("grammar", `${why}, read by ${who}: ${JSON.stringify(line)}`)
      }),
    name: () => name ?? visit.address ?? "",
    warned: () => warned,
    kicked: () => kicked,
    toldOfShutdown: () => shutdown
  }
}
