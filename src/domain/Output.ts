/** All that the server can say to somebody, before it is put into words. Knows no language and no form. */
import type { Line, Who } from "./Event.ts"
import type { Name } from "./Name.ts"

/** What `/stats` tells. */
export interface Standing {
  readonly online: number
  readonly linesPerSecond: number
  /** Bytes that wait for the asker. */
  readonly backlog: number
  /** Lines that the asker missed. */
  readonly skipped: number
  /** Seconds; `undefined` for any time. */
  readonly idleLeft: number | undefined
}

export type Output =
  /** What everyone in a room is told. */
  | { readonly _tag: "Online" | "Offline"; readonly who: Who }
  | { readonly _tag: "Said"; readonly who: Who; readonly text: string }
  | { readonly _tag: "Private"; readonly from: Who; readonly text: string }
  /** What an asker is told. */
  | { readonly _tag: "Users"; readonly users: ReadonlyArray<Who> }
  | { readonly _tag: "Renamed"; readonly name: Name }
  | { readonly _tag: "Stats"; readonly standing: Standing }
  | { readonly _tag: "Past"; readonly lines: ReadonlyArray<Line> }
  | { readonly _tag: "Usage"; readonly usage: string }
  | { readonly _tag: "UnknownCommand"; readonly command: string }
  | { readonly _tag: "LineTooLong"; readonly limit: number }
  /** What happens to somebody. */
  | { readonly _tag: "Welcome"; readonly users: number }
  | { readonly _tag: "IdleWarning"; readonly seconds: number }
  | { readonly _tag: "Skipped" | "NotKept"; readonly lines: number }
  | { readonly _tag: Plain }

/** What needs no more than to be said. */
type Plain =
  | "NameTaken"
  | "NameNotAllowed"
  | "NameReserved"
  | "TellMalformed"
  | "TellEmpty"
  | "NoSuchUser"
  | "NothingYet"
  | "Busy"
  | "Help"
  | "TimeShown"
  | "TimeHidden"
  | "Kicked"
  | "KeepingFails"
  | "KeepingWorks"
  | "ServerFull"
  | "AddressFull"
  | "ShuttingDown"
