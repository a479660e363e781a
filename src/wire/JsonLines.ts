/**
 * What a line of JSON holds, in both directions: the types of what `README.md` beside this file documents. For the server
 * and for the web page, so it knows nothing else of either.
 */
import type { OfflineReason } from "../domain/Reasons.ts"

export interface Person {
  readonly addr: string
  readonly name: string
}

/** Comes back in the answer as it was: an integer within ±2^53, or at most 64 characters. */
export type Id = string | number

/** What was said. `seq`: its place in the order of all that is said on the server. */
interface Spoken {
  readonly seq: number
  readonly room: string
  /** ISO 8601 in UTC with milliseconds, as all times. */
  readonly time: string
  readonly from: Person
  readonly text: string
}

interface Presence {
  readonly room: string
  readonly who: Person
  readonly time: string
}

/** What the server says. */
export type Told =
  | {
    readonly kind: "hello"
    readonly v: 1
    readonly version: string
    readonly log: string
    readonly you: Person
    readonly room: string
    readonly seq: number
    readonly maxLine: number
  }
  | Spoken & { readonly kind: "said" }
  | Spoken & { readonly kind: "past"; readonly id?: Id | undefined }
  | {
    readonly kind: "private"
    readonly time: string
    readonly from: Person
    readonly to: string
    readonly text: string
    readonly kept?: true
  }
  | Presence & { readonly kind: "online" }
  | Presence & { readonly kind: "offline"; readonly reason: OfflineReason }
  | Presence & { readonly kind: "came"; readonly from: string; readonly seq?: number | undefined }
  | Presence & { readonly kind: "went"; readonly to: string }
  | Presence & { readonly kind: "renamed"; readonly name: string }
  | {
    readonly kind: "users"
    readonly room: string
    readonly users: ReadonlyArray<Person & { readonly since: string }>
  }
  | { readonly kind: "rooms"; readonly rooms: ReadonlyArray<{ readonly room: string; readonly users: number }> }
  | {
    readonly kind: "notice"
    readonly code: NoticeCode
    readonly text: string
    readonly lines?: number
    readonly seconds?: number
    readonly reason?: string
  }
  /** On a WebSocket, now and then: the connection lives. */
  | { readonly kind: "beat" }
  | Answer

export type Answer = Done | Refused

/** Which of these there are depends on what was asked for. */
export interface Done {
  readonly kind: "answer"
  readonly id?: Id | undefined
  readonly ok: true
  readonly seq?: number
  readonly name?: string
  readonly names?: ReadonlyArray<string>
  readonly owned?: boolean
  readonly kept?: boolean
  readonly more?: boolean
  readonly who?: Person
  readonly room?: string
  readonly since?: string
  readonly online?: number
  readonly linesPerSecond?: number
  readonly backlog?: number
  readonly skipped?: number
  readonly idleLeft?: number | undefined
  readonly lines?: number
  readonly bans?: ReadonlyArray<Ban>
}

/** Who may not come in. `until`: `null` for ever. */
export interface Ban {
  readonly target: string
  readonly until: string | null
  readonly reason: string
  readonly by: string
}

export interface Refused {
  readonly kind: "answer"
  readonly id?: Id | undefined
  readonly ok: false
  readonly code: Code
  readonly text: string
}

/** Why something that was asked for was not done. */
export type Code =
  | "malformed"
  | "unknown-command"
  | "usage"
  | "too-long"
  | "empty"
  | "name-taken"
  | "name-not-allowed"
  | "name-reserved"
  | "name-owned"
  | "wrong-secret"
  | "bad-secret"
  | "not-owner"
  | "too-many-names"
  | "busy"
  | "no-such-user"
  | "no-such-room"
  | "room-not-allowed"
  | "too-many-rooms"
  | "mailbox-full"
  | "unreachable"
  | "ignore-full"
  | "muted"
  | "look-alike"
  | "no-such-ban"

/** What a notice is about. */
export type NoticeCode =
  | "owned"
  | "welcome"
  | "away"
  | "elsewhere"
  | "idle"
  | "idle-kick"
  | "skipped"
  | "gap"
  | "log-down"
  | "log-up"
  | "cut-off"
  | "back"
  | "log-lost"
  | "log-dropped"
  | "full"
  | "address-full"
  | "too-fast"
  | "banned"
  | "locked"
  | "removed"
  | "muted"
  | "announcement"
  | "shutdown"

/** What can be asked for; `id` goes with each. */
export type Asked =
  | { readonly do: "say"; readonly text: string; readonly nonce?: string }
  | { readonly do: "to"; readonly name: string; readonly text: string; readonly nonce?: string }
  | { readonly do: "rename"; readonly name: string; readonly secret?: string }
  | { readonly do: "secret"; readonly secret: string }
  | { readonly do: "history"; readonly limit?: number; readonly before?: number; readonly after?: number }
  | { readonly do: "who"; readonly room?: string }
  | { readonly do: "join"; readonly room: string }
  | { readonly do: "ignore" | "whois"; readonly name?: string }
  | { readonly do: "unignore"; readonly name: string }
  | { readonly do: "op"; readonly secret: string }
  | { readonly do: "kick"; readonly name: string; readonly reason?: string }
  | { readonly do: "mute"; readonly name: string; readonly duration?: string }
  | { readonly do: "ban"; readonly target: string; readonly duration?: string; readonly reason?: string }
  | { readonly do: "unban"; readonly target: string }
  | { readonly do: "unmute" | "release"; readonly name: string }
  | { readonly do: "erase"; readonly target: string; readonly duration?: string }
  | { readonly do: "announce"; readonly text: string }
  | { readonly do: "deop" | "bans" | "lock" | "unlock" }
  | { readonly do: "disown" | "missed" | "leave" | "rooms" | "stats" | "quit" }
