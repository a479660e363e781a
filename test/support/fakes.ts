/** Stand-ins for what surrounds the code under test: a peer that pushes back when told to, a user. */
import { Effect } from "effect"
import type { Delivery } from "../../src/chat/Delivery.ts"
import type { User } from "../../src/chat/User.ts"
import * as UserChannel from "../../src/chat/UserChannel.ts"
import { address } from "../../src/domain/Address.ts"
import { UserId, type Who } from "../../src/domain/Event.ts"
import { Name } from "../../src/domain/Name.ts"
import { defaults } from "../../src/Flags.ts"
import * as PlainForm from "../../src/wire/PlainForm.ts"

/** A peer that takes so many writes, and pushes back with the last of them until more are admitted. */
export class FakeOutlet implements UserChannel.Outlet {
  /** How many writes came. */
  writes = 0
  private readonly written: Array<Uint8Array> = []
  private readonly open = Effect.unsafeMakeLatch(true)
  private readonly wrote = Effect.unsafeMakeLatch()
  private admitted: number

  constructor(writes = Infinity) {
    this.admitted = writes
  }

  write(parts: ReadonlyArray<Uint8Array>): boolean {
    if (this.admitted === 0) throw new Error("written to while it pushes back")
    this.writes++
    this.written.push(...parts)
    if (--this.admitted === 0) this.open.unsafeClose()
    this.wrote.unsafeOpen()
    this.wrote.unsafeClose()
    return this.admitted > 0
  }

  get writable(): Effect.Effect<void> {
    return this.open.await
  }

  get taken(): Effect.Effect<boolean> {
    return Effect.as(this.open.await, true)
  }

  /** Takes so many writes from now on. */
  admit(writes: number): void {
    this.admitted = writes
    this.open.unsafeOpen()
  }

  get text(): string {
    return Buffer.concat(this.written).toString()
  }

  /** All lines so far, without their line breaks. */
  get lines(): ReadonlyArray<string> {
    return this.text.split("\n").slice(0, -1)
  }

  /** Waits until it pushes back. */
  get full(): Effect.Effect<void> {
    return this.until(() => this.admitted === 0)
  }

  /** Waits until the line has come. */
  heard(line: string): Effect.Effect<void> {
    return this.until(() => this.lines.includes(line))
  }

  private until(holds: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => holds() ? Effect.void : Effect.zipRight(this.wrote.await, this.until(holds)))
  }
}

/** What is counted of all fake users. */
export const stats = { linesDelivered: 0, linesSkipped: 0, bytesOut: 0 }

/** What a fake user reads where lines were skipped. */
export const skipped = (lines: number): string => `*** ${lines} skipped\n`

export interface FakeUser extends User {
  readonly outlet: FakeOutlet
  /** What it is called until it is renamed. */
  readonly first: Who
}

/** The plain lines in Chinese. */
export const { plain, timed } = PlainForm.make({ ...defaults, data: "none" })

/** An own reply that has room kept for it. */
export const ownReply = ({ bytes, lines }: Pick<Delivery, "bytes" | "lines">): Delivery => ({
  bytes,
  lines,
  kind: "own",
  promised: true
})

export const privateLine = (line: string): Delivery => ({
  bytes: Buffer.from(line),
  lines: 1,
  kind: "private",
  promised: false
})

/** A user who arrived as number `id`, from `127.0.0.1` and the port `40000 + id` unless told otherwise. */
export const makeUser = (id: number, options?: {
  readonly outlet?: FakeOutlet
  readonly backlog?: number
  readonly port?: number
}): Effect.Effect<FakeUser> => {
  const outlet = options?.outlet ?? new FakeOutlet()
  const peer = address("127.0.0.1", options?.port ?? 40_000 + id)
  return Effect.map(
    UserChannel.make({ outlet, backlog: options?.backlog ?? 1_048_576, form: plain, skipped, stats }),
    (channel) => ({
      id: UserId(id),
      peer,
      address: peer,
      first: { address: peer, name: Name(peer) },
      who: undefined,
      form: plain,
      circle: undefined,
      ignores: undefined,
      channel,
      heardAt: 0,
      warned: false,
      end: () => {},
      outlet
    })
  )
}
