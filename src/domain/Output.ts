/** All that the server can say to somebody, before it is put into words. Knows no language and no form. */
import type { Line, Online, Seq, Who } from "./Event.ts"
import type { Name } from "./Name.ts"
import type { OfflineReason } from "./Reasons.ts"
import type { Room } from "./Room.ts"
import type { Rule } from "./Rules.ts"

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

export type Output = Happening | Private | Answer | Notice | Refusal

/** What everyone in a room is told. */
export type Happening =
  | { readonly _tag: "Online"; readonly who: Who; readonly room: Room }
  | { readonly _tag: "Offline"; readonly who: Who; readonly room: Room; readonly reason: OfflineReason }
  /** `seq`: the last line before it; known to the one that comes. */
  | { readonly _tag: "Came"; readonly who: Who; readonly room: Room; readonly from: Room; readonly seq?: Seq }
  | { readonly _tag: "Went"; readonly who: Who; readonly room: Room; readonly to: Room }
  | { readonly _tag: "NowCalled"; readonly who: Who; readonly room: Room; readonly name: Name }
  | { readonly _tag: "Said"; readonly who: Who; readonly room: Room; readonly text: string; readonly seq: Seq }

export type Private =
  | { readonly _tag: "Private"; readonly from: Who; readonly to: string; readonly text: string }
  /** The same, kept while its reader was away. `at`: when it was written, in ms since 1970. */
  | { readonly _tag: "Kept"; readonly from: Who; readonly to: string; readonly text: string; readonly at: number }
  /** What its author is shown. */
  | { readonly _tag: "Wrote"; readonly from: Who; readonly to: string; readonly text: string }

/** What somebody is told who asked for something, and got it. */
export type Answer =
  /** It was done. `seq`: where. */
  | { readonly _tag: "Done"; readonly seq?: Seq }
  | { readonly _tag: "Past"; readonly room: Room; readonly lines: ReadonlyArray<Line> }
  /** Behind the last old line. `any`: there was one. `more`: there are others beyond the limit. */
  | { readonly _tag: "PastEnd"; readonly any: boolean; readonly more: boolean }
  | { readonly _tag: "Users"; readonly room: Room; readonly users: ReadonlyArray<Online> }
  | { readonly _tag: "Rooms"; readonly rooms: ReadonlyArray<{ readonly room: Room; readonly users: number }> }
  | { readonly _tag: "Whois"; readonly who: Who; readonly room: Room; readonly at: number }
  | { readonly _tag: "Stats"; readonly standing: Standing }
  /** Behind all that the new name has brought. */
  | { readonly _tag: "Called"; readonly name: Name; readonly owned: boolean }
  | { readonly _tag: "Delivered"; readonly to: string; readonly kept: boolean }
  | { readonly _tag: "Ignoring"; readonly names: ReadonlyArray<string> }
  | { readonly _tag: "Disowned" | "Ignored" | "Unignored"; readonly name: string }
  | { readonly _tag: "AlreadyThere"; readonly room: Room }
  /** How this connection stands, for a program. */
  | { readonly _tag: "Hello"; readonly log: string; readonly you: Who; readonly room: Room; readonly seq: Seq }
  | { readonly _tag: "SecretChanged" | "TimeShown" | "TimeHidden" | "Help" | "OperatorHelp" }
  | Act

/** What has to do with operators: what one of them has done, and what others are told of it. */
export type OfOperators =
  | Act
  /** The reason may be empty. */
  | { readonly _tag: "Removed"; readonly reason: string }
  | { readonly _tag: "Announcement"; readonly text: string }
  | { readonly _tag: "Banned" | "Locked" | "NowMuted" }
  | NotAllowed

type NotAllowed = { readonly _tag: "Muted" | "LookAlike" | "NoSuchBan" }

/** What an operator is told that it has done. */
type Act =
  | {
    readonly _tag: "WasRemoved" | "WasMuted" | "WasUnmuted" | "WasBanned" | "WasUnbanned" | "WasReleased"
    readonly name: string
  }
  | { readonly _tag: "WasErased"; readonly lines: number }
  | { readonly _tag: "Bans"; readonly bans: ReadonlyArray<Rule> }
  | { readonly _tag: "IsOperator" | "NoOperator" | "WasLocked" | "WasUnlocked" }

/** What somebody is told unasked, or beside an answer. */
export type Notice =
  | { readonly _tag: "Renamed" | "Owned"; readonly name: Name }
  | { readonly _tag: "Welcome"; readonly users: number }
  | { readonly _tag: "IdleWarning"; readonly seconds: number }
  /** `isAll`: there may be more than that. */
  | { readonly _tag: "Away"; readonly lines: number; readonly isAll: boolean }
  | { readonly _tag: "Skipped" | "NotKept"; readonly lines: number }
  | Exclude<OfOperators, Act | NotAllowed>
  | {
    readonly _tag:
      | "TakenOver"
      | "OlderMissed"
      | "Gap"
      | "Kicked"
      | "KeepingFails"
      | "KeepingWorks"
      | "CutOff"
      | "Back"
      | "Replaced"
      | "ServerFull"
      | "AddressFull"
      | "TooFast"
      | "ShuttingDown"
  }

/** Why somebody did not get what it asked for. */
export type Refusal =
  | { readonly _tag: "Usage"; readonly usage: string }
  | { readonly _tag: "UnknownCommand"; readonly command: string }
  | NotAllowed
  | { readonly _tag: "LineTooLong"; readonly limit: number }
  | { readonly _tag: "NameOwned" | "NotOwner" | "MailboxFull" | "Unreachable"; readonly name: string }
  | {
    readonly _tag:
      | "Malformed"
      | "TellMalformed"
      | "TellEmpty"
      | "NameTaken"
      | "NameNotAllowed"
      | "NameReserved"
      | "WrongSecret"
      | "BadSecret"
      | "NeverOwned"
      | "TooManyNames"
      | "Busy"
      | "NoSuchUser"
      | "NoSuchRoom"
      | "RoomNotAllowed"
      | "TooManyRooms"
      | "IgnoreFull"
  }
