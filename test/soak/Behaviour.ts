/** What a behaviour gets to play with, and the habits that several of them share. */
import { Clock, Duration, Effect, Option } from "effect"
import type { Client } from "./Client.ts"
import type { Dice } from "./Dice.ts"
import type { Field } from "./Field.ts"
import type { Reader } from "./Reader.ts"

export interface Stage {
  readonly client: Client
  readonly reader: Reader
  readonly dice: Dice
  readonly field: Field
  /** Milliseconds on the clock before it connected: no later than the server began to count. */
  readonly began: number
}

/** One visit from its connection to its end; a client still connected after it is reset. */
export type Behaviour = (stage: Stage) => Effect.Effect<void>

/** Seconds since it came. */
export const stay = ({ began }: Stage): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => (now - began) / 1000)

/** Sleeps between `least` and `most` milliseconds. */
export const pause = (dice: Dice, least: number, most: number): Effect.Effect<void> =>
  Effect.suspend(() => Effect.sleep(Duration.millis(dice.between(least, most))))

/** Does `act` again and again for some seconds, drawn between `least` and `most`; the last round is not cut short. */
export const forSome = (dice: Dice, least: number, most: number, act: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const until = (yield* Clock.currentTimeMillis) + dice.between(least * 1000, most * 1000)
    while ((yield* Clock.currentTimeMillis) < until) yield* act
  })

/** Renames, and waits until the server has confirmed it. */
export const rename = ({ client, field, reader }: Stage, name: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* client.send(`rename|${name}\n`)
    yield* Effect.sleep("20 millis").pipe(
      Effect.repeat({ until: () => reader.notices.name() === name }),
      Effect.timeoutOption("20 seconds"),
      Effect.tap((confirmed) => {
        if (Option.isNone(confirmed)) field.tally.fault("name", `${client.visit.ip} waits for its name ${name}`)
      })
    )
  })

/** The server must end a connection that asked for it, after all lines before that are carried out. */
const awaitClose = ({ client, field }: Stage, within: Duration.DurationInput) =>
  client.closed.pipe(
    Effect.timeoutOption(within),
    Effect.map((closed) => {
      if (Option.isSome(closed)) return
      field.tally.fault("connection", `${client.visit.ip} (${client.visit.kind}) asked to leave and was not closed`)
    })
  )

export const leavePolitely = (stage: Stage, within: Duration.DurationInput = "20 seconds"): Effect.Effect<void> =>
  Effect.suspend(() => stage.dice.pick(stage.client.quit, stage.client.end)).pipe(
    Effect.zipRight(awaitClose(stage, within))
  )

/** Half-close only: every line that the server has not read yet must still be carried out. */
export const endInput = (stage: Stage, within: Duration.DurationInput): Effect.Effect<void> =>
  stage.client.end.pipe(Effect.zipRight(awaitClose(stage, within)))
