/** Lines that were said, read page by page as the reader takes them: nobody's memory holds all of them at once. */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { Seq } from "../domain/Event.ts"
import type { Output } from "../domain/Output.ts"
import { lobby, type Room } from "../domain/Room.ts"
import type { MessageLog } from "../log/MessageLog.ts"
import type { Form } from "../wire/Form.ts"
import type { Delivery } from "./Delivery.ts"
import type { Recall } from "./Readers.ts"

/** What is needed to read. */
export interface Readable {
  readonly log: typeof MessageLog.Service
  readonly clock: Clock.Clock
  readonly start: (effect: Effect.Effect<unknown>) => void
}

/** The lines that somebody asked for, made page by page as they are taken. */
export const asked = (
  { clock, log }: Readable,
  { before, limit, user }: Recall,
  pay: (bytes: number) => void
): Delivery => {
  const lines = pages(log, lobby, before, limit)
  const { form } = user
  let any = false
  const next = Effect.map(lines, (page) => {
    if (page === undefined && any) return undefined
    any = true
    const bytes = Buffer.from(form.render(page ?? { _tag: "NothingYet" }, clock.unsafeCurrentTimeMillis()))
    pay(bytes.length)
    return bytes
  })
  return own(nothing, next)
}

/** The lines that newcomers are told unasked: read and made once for all who come between two lines. */
export const makeReplay = ({ log, start }: Readable) => {
  let made: { readonly before: Seq; readonly form: Form; bytes: Uint8Array | undefined } | undefined
  let all: Effect.Effect<Uint8Array> = Effect.succeed(nothing)
  return ({ before, limit, user: { form } }: Recall): Delivery => {
    if (made?.before !== before || made.form !== form) {
      const making = made = { before, form, bytes: undefined as Uint8Array | undefined }
      const deferred = Deferred.unsafeMake<Uint8Array>(FiberId.none)
      all = Deferred.await(deferred)
      // In a fiber of its own: whoever asks first may go before it is read.
      start(
        Effect.tap(
          Effect.intoDeferred(wholeOf(pages(log, lobby, before, limit), form), deferred),
          () =>
            Effect.map(all, (bytes) => {
              making.bytes = bytes
            })
        )
      )
    }
    if (made.bytes !== undefined) return own(made.bytes)
    let taken = false
    const wait = all
    return own(
      nothing,
      Effect.suspend(() => {
        if (taken) return Effect.succeed(undefined)
        taken = true
        return wait
      })
    )
  }
}

const wholeOf = (lines: Pages, form: Form) =>
  Effect.gen(function*() {
    let text = ""
    for (let page = yield* lines; page !== undefined; page = yield* lines) {
      // Nobody asked for it, so nobody is told why it is missing: the log has the reason.
      if (page._tag === "Past") text += form.render(page, 0)
    }
    return Buffer.from(text)
  })

const nothing = Buffer.alloc(0)

const own = (bytes: Uint8Array, more?: Effect.Effect<Uint8Array | undefined>): Delivery => {
  const delivery = { bytes, lines: 0, kind: "own", promised: false } as const
  return more === undefined ? delivery : { ...delivery, source: more }
}

/** The next lines, or `undefined` behind the last. */
type Pages = Effect.Effect<Output | undefined>

/** The last `limit` lines of a room before a place. If they cannot be read, the last page says so. */
const pages = (
  log: typeof MessageLog.Service,
  room: Room,
  before: Seq,
  limit: number
): Pages => {
  let from: Seq | undefined
  let over = false
  return Effect.gen(function*() {
    if (over) return undefined
    from ??= yield* log.startOf(room, before, limit)
    const lines = from < before ? yield* log.read(room, from, before) : []
    const last = lines.at(-1)
    if (last === undefined) {
      over = true
      return undefined
    }
    from = (last.seq + 1) as Seq
    return { _tag: "Past", lines } as const
  }).pipe(
    Effect.catchAll((error) => {
      over = true
      return Effect.as(Effect.logError(error.message), { _tag: "Busy" } as const)
    })
  )
}
