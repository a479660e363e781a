/** Those who read everything they are sent, and must not lose a line whatever the others do. */
import { Effect } from "effect"
import { type Behaviour, endInput, forSome, leavePolitely, pause, rename, stay } from "./Behaviour.ts"
import { textOf } from "./NumberedLine.ts"
import { senderName } from "./PrivateMessages.ts"

export const talker: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice } = stage
    yield* forSome(dice, 15, 60, Effect.zipRight(client.say, pause(dice, 500, 2500)))
    yield* leavePolitely(stage)
  })

/** Asks again and again what was said before; its own lines separate the answers. */
export const historian: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice } = stage
    yield* forSome(
      dice,
      15,
      60,
      client.say.pipe(
        Effect.zipRight(client.send(dice.pick("/history\n", "/history 3\n", "/history 200\n", "/history 1000\n"))),
        Effect.zipRight(client.say),
        Effect.zipRight(pause(dice, 500, 4000))
      )
    )
    yield* leavePolitely(stage)
  })

/** Speaks just often enough to stay; the messengers write to it. */
export const lurker: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice, field } = stage
    const name = `潜水员-${client.visit.id}`
    yield* rename(stage, name)
    field.addressees.add(name)
    yield* forSome(dice, 20, 90, Effect.zipRight(client.say, pause(dice, 4000, 9000))).pipe(
      Effect.ensuring(Effect.sync(() => field.addressees.delete(name)))
    )
    yield* leavePolitely(stage)
  })

/** Reads and never speaks: must be warned, then kicked, in time and not before. */
export const silent: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, field, reader: { notices } } = stage
    yield* client.closed.pipe(Effect.timeoutOption(`${field.idleSeconds + 15} seconds`))
    const seconds = yield* stay(stage)
    // One second less than the limit: the system's clock is not the most even one.
    if (seconds > field.idleSeconds - 1 && notices.kicked() && notices.warned()) return
    field.tally.fault(
      "kick",
      `${client.visit.ip} is silent, after ${seconds} s: warned ${notices.warned()}, kicked ${notices.kicked()}`
    )
  })

/** Sends private messages, each followed by the blank line that the usual client of this protocol sends. */
export const messenger: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice, field } = stage
    const { id } = client.visit
    yield* rename(stage, senderName(id))
    yield* forSome(
      dice,
      15,
      60,
      Effect.gen(function*() {
        const [first, ...rest] = field.addressees
        const addressee = first === undefined ? "nobody" : dice.pick(first, ...rest)
        const messages = dice.between(1, 12)
        for (let number = 1; number <= messages; number++) {
          const text = textOf(id, number)
          yield* client.send(dice.chance(0.5) ? `to|${addressee}|${text}\n\n` : `/to ${addressee} ${text}\n`)
          yield* pause(dice, 100, 1500)
        }
        yield* client.say
      })
    )
    yield* leavePolitely(stage)
  })

/** Changes its name all the time; the reader checks that its lines bear the new one as soon as it is confirmed. */
export const renamer: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice } = stage
    yield* forSome(
      dice,
      10,
      40,
      Effect.gen(function*() {
        yield* client.say
        // Free or taken, legal or not; lines go out before, between and after the answers.
        yield* client.send(
          dice.pick(
            `rename|换名-${dice.between(1, 9)}\n`,
            `/rename Ｗide${dice.between(1, 9)}\n`,
            `rename|e\u0301${dice.between(1, 99)}\n`,
            "rename|no good\n",
            "who\n"
          )
        )
        yield* client.say
        yield* pause(dice, 300, 2000)
      })
    )
    yield* leavePolitely(stage)
  })

/** `cat page | nc -N`: more lines at once than the rate allows, then the end of input. All must arrive. */
export const paster: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice } = stage
    yield* pause(dice, 0, 3000)
    const lines = dice.pick(1, 5, 30, 60, 300)
    for (let line = 0; line < lines; line++) yield* client.say
    yield* client.send("who\n")
    yield* endInput(stage, "60 seconds")
  })
