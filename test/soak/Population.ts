/**
 * The crowd: a fixed number of slots of each kind. A slot is one fiber that sends in one visit after the other, so who
 * leaves is replaced and the population stays level.
 */
import { Clock, Effect } from "effect"
import * as BadManners from "./BadManners.ts"
import { type Behaviour, pause } from "./Behaviour.ts"
import * as Client from "./Client.ts"
import * as Dice from "./Dice.ts"
import type { Field } from "./Field.ts"
import * as GoodManners from "./GoodManners.ts"
import * as Reader from "./Reader.ts"
import type { Kind } from "./Visit.ts"

interface Part {
  readonly kind: Kind
  readonly behaviour: Behaviour
  /** Out of a hundred. */
  readonly share: number
  readonly reads: boolean
}

const parts: ReadonlyArray<Part> = [
  { kind: "talker", behaviour: GoodManners.talker, share: 25, reads: true },
  { kind: "lurker", behaviour: GoodManners.lurker, share: 22, reads: true },
  { kind: "historian", behaviour: GoodManners.historian, share: 3, reads: true },
  { kind: "silent", behaviour: GoodManners.silent, share: 5, reads: true },
  { kind: "messenger", behaviour: GoodManners.messenger, share: 6, reads: true },
  { kind: "renamer", behaviour: GoodManners.renamer, share: 6, reads: true },
  { kind: "paster", behaviour: GoodManners.paster, share: 5, reads: true },
  { kind: "flood", behaviour: BadManners.flood, share: 4, reads: true },
  { kind: "napper", behaviour: BadManners.napper, share: 3, reads: true },
  { kind: "stalled", behaviour: BadManners.stalled, share: 6, reads: false },
  { kind: "resetting", behaviour: BadManners.resetting, share: 8, reads: false },
  { kind: "garbage", behaviour: BadManners.garbage, share: 7, reads: true }
]

const visit = (part: Part, dice: Dice.Dice, field: Field) =>
  Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    const who = field.roster.arrive(part.kind)
    const reader = Reader.make(who, field)
    const client = yield* Client.connect(who, field, reader, { reads: part.reads })
    // A visit ends with its connection, whoever ends it; what a behaviour has to say about that end comes first.
    yield* Effect.raceFirst(
      part.behaviour({ client, reader, dice, field, began }),
      Effect.zipRight(client.closed, Effect.sleep("1 second"))
    )
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => {
      field.tally.fault("connection", `a ${part.kind} cannot connect: ${error.message}`)
      return Effect.sleep("1 second")
    })
  )

const slot = (part: Part, index: number, seed: number, field: Field) => {
  const dice = Dice.make(seed, `${part.kind} ${index}`)
  return pause(dice, 0, 4000).pipe(Effect.zipRight(Effect.forever(visit(part, dice, field))))
}

/** Never ends by itself; when it is interrupted, all clients are reset. */
export const run = (clients: number, seed: number, field: Field): Effect.Effect<void> =>
  Effect.forEach(
    parts.flatMap((part) =>
      Array.from({ length: Math.max(1, Math.round(clients * part.share / 100)) }, (_, index) => ({ part, index }))
    ),
    ({ part, index }) => slot(part, index, seed, field),
    { concurrency: "unbounded", discard: true }
  )
