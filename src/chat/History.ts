/** Long answers, made as their reader takes them: nobody's memory holds all of one at once. */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { Seq } from "../domain/Event.ts"
import type { NameKey } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import type { Room } from "../domain/Room.ts"
import type { MessageLog, Unreadable } from "../log/MessageLog.ts"
import type { Form } from "../wire/Form.ts"
import type { Delivery } from "./Delivery.ts"
import type { Pages } from "./Entry.ts"
import { hides } from "./Ignores.ts"
import type { Replay, Stream } from "./Readers.ts"
import type { User } from "./User.ts"

type Log = typeof MessageLog.Service
export type Reads = Pick<Log, "startOf" | "count" | "erased" | "read" | "erasures">

// Reads share a thread with the commits: so many of one kind wait there at most, and a commit waits for those.
const readsAtOnce = 4

/** The log for one kind of readers, who wait for each other and for nobody else. */
export const shareReads = (log: Log): Effect.Effect<Reads> =>
  Effect.map(Effect.makeSemaphore(readsAtOnce), (reads) => {
    const inTurn = reads.withPermits(1)
    return {
      startOf: (...args) => inTurn(log.startOf(...args)),
      count: (...args) => inTurn(log.count(...args)),
      erased: (...args) => inTurn(log.erased(...args)),
      read: (...args) => inTurn(log.read(...args)),
      erasures: log.erasures
    }
  })

/** A long answer as the user's outlet takes it, page by page, at the pace of whoever asked for it. */
export const streamed = (clock: Clock.Clock, { asker: { id, user }, pages, pay }: Stream): Delivery => {
  const { form } = user
  let wait = 0
  const next = Effect.map(pages, (page) => {
    if (page === undefined) return undefined
    const shown = shownTo(user, page)
    const now = clock.unsafeCurrentTimeMillis()
    const bytes = Buffer.from(form.render(shown, now) + form.answer(shown, now, id))
    wait = pay(bytes.length)
    return bytes
  })
  return own(noBytes, Effect.suspend(() => wait > 0 ? Effect.delay(next, wait) : next))
}

/** What is left of it for a user who ignores somebody. */
const shownTo = ({ ignores }: User, page: Output): Output => {
  if (ignores === undefined || page._tag !== "Past") return page
  return { ...page, lines: page.lines.filter(({ who }) => !hides(ignores, who)) }
}

/** What is needed to read. */
export interface Readable {
  readonly log: Reads
  readonly start: (effect: Effect.Effect<unknown>) => void
}

// The last lines of so many rooms are remembered, in each form that somebody had them in.
const fewReplays = 64

interface Made {
  readonly before: Seq
  readonly erasures: number
  readonly all: Deferred.Deferred<Uint8Array>
  bytes: Uint8Array | undefined
}

/** The lines that newcomers to a room are told unasked: read and made once for all who come between two lines or erasures. */
export const makeReplay = ({ log, start }: Readable) => {
  const forms = new WeakMap<Form, Map<NameKey, Made>>()
  return ({ before, limit, room, user }: Replay): Delivery => {
    const { form } = user
    if (!form.replays) return own(noBytes)
    // What somebody does not want to see is in nobody's bytes: it is read for this user alone.
    if (user.ignores !== undefined) {
      return own(
        noBytes,
        once(Effect.map(linesOf(last(log, room, before, limit)), (pages) => inForm(form, pages, user)))
      )
    }
    let rooms = forms.get(form)
    if (rooms === undefined) forms.set(form, rooms = new Map())
    let made = rooms.get(room.key)
    const erasures = log.erasures()
    if (made?.before !== before || made.erasures !== erasures) {
      const making: Made = { before, erasures, all: Deferred.unsafeMake<Uint8Array>(FiberId.none), bytes: undefined }
      made = making
      if (rooms.size >= fewReplays) rooms.clear()
      rooms.set(room.key, made)
      const whole = Effect.map(linesOf(last(log, room, before, limit)), (pages) => inForm(form, pages))
      // In a fiber of its own: whoever asks first may go before it is read.
      start(Effect.zipRight(
        Effect.intoDeferred(whole, making.all),
        Effect.map(Deferred.await(making.all), (bytes) => {
          making.bytes = bytes
        })
      ))
    }
    return made.bytes === undefined ? own(noBytes, once(Deferred.await(made.all))) : own(made.bytes)
  }
}

/** A source that gives one thing. */
const once = <A>(self: Effect.Effect<A>): Effect.Effect<A | undefined> => {
  let given = false
  return Effect.suspend((): Effect.Effect<A | undefined> => {
    if (given) return Effect.succeed(undefined)
    given = true
    return self
  })
}

/** All old lines of an answer. Nobody asked for them, so nobody is told why some are missing: the log has the reason. */
const linesOf = (pages: Pages) =>
  Effect.gen(function*() {
    const all: Array<Output> = []
    for (let page = yield* pages; page !== undefined; page = yield* pages) if (page._tag === "Past") all.push(page)
    return all
  })

const inForm = (form: Form, pages: ReadonlyArray<Output>, user?: User): Uint8Array =>
  Buffer.from(pages.map((page) => form.render(user === undefined ? page : shownTo(user, page), 0)).join(""))

const noBytes = Buffer.alloc(0)

const own = (bytes: Uint8Array, more?: Effect.Effect<Uint8Array | undefined>): Delivery => {
  const delivery = { bytes, lines: 0, kind: "own", promised: false } as const
  return more === undefined ? delivery : { ...delivery, source: more }
}

/** No old lines. */
export const none = (): Pages => once(Effect.succeed({ _tag: "PastEnd", any: false, more: false } as const))

/** The last `limit` lines of a room before a place, and then whether there are others before them. */
export const last = (log: Reads, room: Room, before: Seq, limit: number): Pages =>
  pages(
    log,
    room,
    before,
    Effect.map(log.startOf(room.key, before, limit), (from) => ({ from, limit, skipsOlder: true }))
  )

/** The first `limit` lines of a room from one place on and before another, and then whether there are others after them. */
export const since = (log: Reads, room: Room, from: Seq, before: Seq, limit: number): Pages =>
  pages(
    log,
    room,
    before,
    Effect.map(log.erased(room.key), (erased) => ({ from, limit, skipsOlder: false, gap: from <= erased }))
  )

/**
 * The last `limit` lines of a room from one place on and before another. Should there be more, that is said first, and not
 * which.
 */
export const missed = (log: Reads, room: Room, from: Seq, before: Seq, limit: number): Pages =>
  pages(
    log,
    room,
    before,
    Effect.flatMap(log.count(room.key, from, before, limit + 1), (count) =>
      count <= limit
        ? Effect.succeed({ from, limit, skipsOlder: false })
        : Effect.map(log.startOf(room.key, before, limit), (from) => ({ from, limit, skipsOlder: false, older: true })))
  )

interface Range {
  readonly from: Seq
  readonly limit: number
  /** It begins where it does because there would be too many: what is older is more. */
  readonly skipsOlder: boolean
  /** Lines before the oldest one were asked for, and are gone. */
  readonly gap?: boolean
  /** More was missed than is told. */
  readonly older?: boolean
}

/** The pages of a range, which is found when the first is taken. If lines cannot be read, the last page says so. */
const pages = (log: Reads, room: Room, before: Seq, find: Effect.Effect<Range, Unreadable>): Pages => {
  let range: Range | undefined
  let from: Seq
  let told = 0
  let over = false
  return Effect.gen(function*() {
    if (over) return undefined
    if (range === undefined) {
      range = yield* find
      from = range.from
      if (range.gap === true) return { _tag: "Gap" } as const
      if (range.older === true) return { _tag: "OlderMissed" } as const
    }
    const left = range.limit - told
    const page = from < before ? yield* log.read(room.key, from, before) : []
    const lines = page.slice(0, left)
    const newest = lines.at(-1)
    if (newest === undefined) {
      const more = range.skipsOlder
        ? (yield* log.startOf(room.key, range.from, 1)) < range.from
        : range.older === true || page.length > 0
      over = true
      return { _tag: "PastEnd", any: told > 0, more } as const
    }
    from = (newest.seq + 1) as Seq
    told += lines.length
    return { _tag: "Past", room, lines } as const
  }).pipe(
    Effect.catchAll((error) => {
      over = true
      return Effect.as(Effect.logError(error.message), { _tag: "Busy" } as const)
    })
  )
}
