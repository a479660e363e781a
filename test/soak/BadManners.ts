/** Those who do what a server fears. Some of them read, and are held to the same order as everybody else. */
import { Deferred, Effect } from "effect"
import { type Behaviour, endInput, forSome, pause, stay } from "./Behaviour.ts"
import { chunk } from "./GarbageBytes.ts"
import { halfLine } from "./NumberedLine.ts"

/** Sends as fast as the socket takes it, and reads. */
export const flood: Behaviour = ({ client, dice }) =>
  forSome(dice, 10, 30, client.sayAll).pipe(
    // The rate lets a full socket move only now and then: a flood leaves when its time is over, not at the next room.
    Effect.timeoutOption("31 seconds"),
    Effect.asVoid
  )

/** Asks for lists to fill its socket, reads nothing for a while, then everything: the place where lines are skipped. */
export const napper: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice } = stage
    yield* forSome(
      dice,
      40,
      80,
      Effect.gen(function*() {
        yield* client.say
        yield* client.pause
        // The kernel takes some MiB before the server notices: lists are what fills that soonest.
        yield* forSome(dice, 12, 26, Effect.zipRight(client.send("who\n"), Effect.sleep("50 millis")))
        yield* client.resume
        yield* pause(dice, 3000, 6000)
      })
    )
    yield* client.reset
  })

/** Reads nothing, ever; is kicked when mute, and disconnected when what it is sent finds no room any more. */
export const stalled: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice, field } = stage
    const habit = dice.pick("mute", "chatty", "asking")
    const act = {
      mute: Effect.sleep("1 second"),
      chatty: Effect.zipRight(client.say, pause(dice, 2000, 6000)),
      asking: Effect.zipRight(client.send("who\n"), Effect.sleep("50 millis"))
    }[habit]
    // It cannot see the end of its connection, since it does not read: the witness reads that it went offline.
    const gone = yield* Effect.raceFirst(
      Effect.as(Deferred.await(client.visit.gone), true),
      Effect.as(forSome(dice, 60, 90, act), false)
    )
    if (habit !== "mute") return gone ? field.tally.count("stalls") : undefined
    const seconds = yield* stay(stage)
    if (gone && seconds > field.idleSeconds - 1) return field.tally.count("kicked")
    field.tally.fault("kick", `${client.visit.ip} neither reads nor speaks, after ${seconds} s: offline ${gone}`)
  })

/** Connects, says something or nothing, and is gone with a reset. */
export const resetting: Behaviour = ({ client, dice, field }) =>
  Effect.gen(function*() {
    const lines = dice.between(0, 3)
    yield* pause(dice, 0, 200)
    for (let line = 0; line < lines; line++) yield* client.say
    if (dice.chance(0.3)) yield* client.send(halfLine)
    yield* pause(dice, 0, 600)
    yield* client.reset
    field.tally.count("resets")
  })

/** Any bytes, cut anywhere. Reads: what comes back, to it and to others, must be in the tables. */
export const garbage: Behaviour = (stage) =>
  Effect.gen(function*() {
    const { client, dice, field } = stage
    yield* forSome(
      dice,
      3,
      15,
      Effect.gen(function*() {
        // The server paces it; what it does not take must not pile up here.
        if (client.unsent() < 1 << 18) yield* client.send(chunk(dice, field.maxLine))
        yield* pause(dice, 50, 900)
      })
    )
    if (dice.chance(0.5)) return yield* endInput(stage, "60 seconds")
    yield* client.reset
  })
