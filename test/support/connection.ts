/** A peer without a socket: what it types is pulled, what is written to it is kept, and it may push back. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type * as Chat from "../../src/chat/Peer.ts"
import { address } from "../../src/domain/Address.ts"

export interface Peer {
  readonly connection: Chat.Peer
  readonly front: string
  readonly type: (text: string) => Effect.Effect<void>
  /** Ends its half. */
  readonly end: Effect.Effect<void>
  /** Is lost, as by a reset. */
  readonly lose: Effect.Effect<void>
  /** Takes no more; or, with `false`, all that it did not take, and more. */
  readonly block: (blocked: boolean) => Effect.Effect<void>
  /** Takes one more piece each time that so much time has passed, until the end of the scope. */
  readonly trickle: (pause: Duration.DurationInput) => Effect.Effect<void, never, Scope.Scope>
  /** The next line that was written to it. */
  readonly line: Effect.Effect<string>
  /** How it was closed: in order, or at once. */
  readonly closed: () => "finished" | "destroyed" | undefined
}

let ports = 40_000

export const make: Effect.Effect<Peer> = Effect.gen(function*() {
  const input = yield* Queue.unbounded<Buffer | undefined>()
  const lines = yield* Queue.unbounded<string>()
  const free = yield* Effect.makeLatch(true)
  let rest: Buffer | undefined
  let blocked = false
  let lost: (() => void) | undefined
  let closed: "finished" | "destroyed" | undefined
  const port = ports++
  const close = (how: "finished" | "destroyed") =>
    Effect.sync(() => {
      closed ??= how
      free.unsafeOpen()
    })
  return {
    connection: {
      address: address("10.0.0.1", port),
      isEncrypted: false,
      form: "plain",
      pull: (take) => {
        const given = (bytes: Buffer) => {
          const left = take(bytes)
          rest = left ? bytes.subarray(-left) : undefined
          return left === undefined ? pull : Effect.succeed(true)
        }
        const pull: Effect.Effect<boolean> = Effect.suspend(() =>
          rest !== undefined ? given(rest) : Effect.flatMap(
            Queue.take(input),
            (bytes) => bytes === undefined ? Effect.succeed(false) : given(bytes)
          )
        )
        return pull
      },
      stop: () => {},
      onLost: (callback) => {
        lost = callback
      },
      write: (parts) => {
        if (closed === undefined) {
          for (const line of Buffer.concat(parts).toString().split("\n").slice(0, -1)) Queue.unsafeOffer(lines, line)
        }
        return !blocked
      },
      writable: free.await,
      taken: Effect.map(free.await, () => closed !== "destroyed"),
      finish: (patience) =>
        Effect.flatMap(
          Effect.timeoutOption(free.await, patience),
          (taken) => close(Option.isSome(taken) ? "finished" : "destroyed")
        ),
      destroy: close("destroyed")
    },
    front: `[10.0.0.1:${port}]10.0.0.1:${port}:`,
    type: (text) => Queue.offer(input, Buffer.from(text)),
    end: Queue.offer(input, undefined),
    lose: Effect.sync(() => {
      closed ??= "destroyed"
      free.unsafeOpen()
      lost?.()
    }),
    block: (now) =>
      Effect.sync(() => {
        blocked = now
        if (now) free.unsafeClose()
        else free.unsafeOpen()
      }),
    trickle: (pause) => Effect.asVoid(Effect.forkScoped(Effect.forever(Effect.delay(free.release, pause)))),
    line: Queue.take(lines),
    closed: () => closed
  }
})
