/** What commands cost whoever gives them. */
import { assert, describe, it } from "@effect/vitest"
import { Array, Context, Effect, Layer } from "effect"
import { Broadcaster } from "../../src/chat/Broadcaster.ts"
import * as Commands from "../../src/chat/Commands.ts"
import type { Answer } from "../../src/chat/Entry.ts"
import { Pace } from "../../src/chat/Pace.ts"
import { Visit } from "../../src/chat/Visit.ts"
import { address } from "../../src/domain/Address.ts"
import { type Event, Seq, UserId } from "../../src/domain/Event.ts"
import * as Fold from "../../src/domain/Fold.ts"
import { nameKey } from "../../src/domain/Name.ts"
import * as World from "../../src/domain/World.ts"
import * as Command from "../../src/wire/Command.ts"
import { chat } from "../support/chat.ts"
import { makeUser } from "../support/fakes.ts"

/** A world in which so many people, each from somewhere else, are in a room of their own. */
const worldOf = (count: number) =>
  Array.makeBy(count, (n): ReadonlyArray<Event> => [
    { _tag: "Arrived", user: UserId(n), address: address(`10.0.${n >> 8}.${n & 255}`, 1) },
    { _tag: "Moved", user: UserId(n), room: { key: nameKey(`room ${n}`), name: `room ${n}` } }
  ]).flat().reduce((world, event, index) => Fold.step(world, event, Seq(index + 1), 0)[0], World.empty(Seq(0)))

const world = worldOf(600)

/** Everybody asks that world. */
const fake = (answers: Array<Answer>) =>
  Layer.map(Broadcaster.layer, (context) =>
    Context.make(Broadcaster, {
      ...Context.get(context, Broadcaster),
      askAndWait: (_asker, answer) => Effect.sync(() => void answers.push(answer(world)))
    }))

describe("A list of 600 rooms", () => {
  const answers: Array<Answer> = []
  it.scoped("costs two lines more than the question, and is made once for all who ask", () =>
    Effect.gen(function*() {
      const execute = yield* Commands.make
      for (const id of [0, 1]) {
        const pace = new Pace(1, 1)
        const visit = new Visit(yield* makeUser(id), (line) => ({ command: Command.parse(line), id: undefined }), pace)
        yield* execute(visit, Command.Command.Rooms())
        assert.isFalse(pace.isPaid(1999))
        assert.isTrue(pace.isPaid(2000))
      }
      const [one, other] = answers
      assert.strictEqual(one?.reply?._tag === "Rooms" ? one.reply.rooms.length : 0, 600)
      assert.strictEqual(one, other)
    }).pipe(Effect.provide(chat({ broadcaster: fake(answers) }))))
})
