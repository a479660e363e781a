/** A visit: the user, how its lines are read, and the paces that its connection, and its address, may go on with. */
import * as Effect from "effect/Effect"
import type { Seq } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"
import type { Read } from "../wire/Input.ts"
import type { Pace } from "./Pace.ts"
import type { Seen } from "./Seen.ts"
import type { Asker, User } from "./User.ts"

/** What a room said while its reader was away: from one place on, and before another. */
export interface Missed {
  readonly from: Seq
  readonly before: Seq
}

/** What goes with a name that the user owns. */
export interface Owning {
  readonly key: NameKey
  /** How far its owner had read in each room when it came. */
  readonly seen: Pick<Seen, "get">
  /** What the room said that it is in now. */
  missed: Missed | undefined
  /** Kept messages that were handed over, once its outlet has taken them; they are deleted when it is heard of again. */
  handedOver: ReadonlyArray<string> | undefined
}

export class Visit {
  readonly user: User
  /** How its lines are read, and its answers numbered. */
  read: Read
  asker: Asker
  /** Each of its lines is answered, with the number that it gave. */
  isProgram = false
  owning: Owning | undefined
  /** Waits until the last long answer was taken. */
  streaming: Effect.Effect<unknown> = Effect.void
  /** What it says of others counts, since it has shown the secret of operators. */
  isOperator = false
  /** Wrong secrets of operators that it has shown. */
  wrongSecrets = 0
  /** Nobody can read on its way what it sends: it is encrypted, or comes from this machine. */
  isSafe = false
  /** Whether the line that is carried out had to wait for its pace. */
  waited = false
  private readonly paces: ReadonlyArray<Pace>

  constructor(user: User, read: Read, ...paces: ReadonlyArray<Pace>) {
    this.user = user
    this.read = read
    this.asker = { user, id: undefined }
    this.paces = paces
  }

  /** Whether a line may pass without waiting, at the time `now` in ms. */
  isOpen(now: number): boolean {
    return this.paces.every((pace) => pace.isOpen(now))
  }

  /** Takes so many lines, and says for how many ms to wait before they pass. */
  pay(now: number, lines: number): number {
    return this.paces.reduce((longest, pace) => Math.max(longest, pace.take(now, lines)), 0)
  }

  giveBack(lines: number): void {
    for (const pace of this.paces) pace.giveBack(lines)
  }
}
