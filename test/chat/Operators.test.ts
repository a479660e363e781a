/** What operators began is done to its end. */
import { describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, FiberId, Layer } from "effect"
import * as Operators from "../../src/chat/Operators.ts"
import { Pace } from "../../src/chat/Pace.ts"
import { Visit } from "../../src/chat/Visit.ts"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import { MessageLog } from "../../src/log/MessageLog.ts"
import * as Command from "../../src/wire/Command.ts"
import { OperatorCommand } from "../../src/wire/OperatorCommand.ts"
import { chat } from "../support/chat.ts"
import { within } from "../support/client.ts"
import { makeUser } from "../support/fakes.ts"

describe("An erasure", () => {
  const begun = Deferred.unsafeMake<void>(FiberId.none)
  const going = Deferred.unsafeMake<void>(FiberId.none)
  const done = Deferred.unsafeMake<void>(FiberId.none)
  const engine = Layer.map(MemoryLog.layer, (context) => {
    const log = Context.get(context, MessageLog)
    return Context.add(context, MessageLog, {
      ...log,
      erase: (erasure) =>
        Effect.acquireUseRelease(
          Deferred.succeed(begun, undefined),
          () => Effect.zipRight(Deferred.await(going), log.erase(erasure)),
          (_, exit) => Exit.isSuccess(exit) ? Deferred.succeed(done, undefined) : Deferred.interrupt(done)
        )
    })
  })
  it.scoped("goes on though its operator is gone", () =>
    Effect.gen(function*() {
      const operate = yield* Operators.make
      const visit = new Visit(
        yield* makeUser(1),
        (line) => ({ command: Command.parse(line), id: undefined }),
        new Pace(0, 1)
      )
      visit.isOperator = true
      const act = OperatorCommand.Erase({ whose: "mallory", duration: 1000 })
      const fiber = yield* Effect.fork(operate(visit, Command.Command.Operate({ act, command: "/erase" })))
      yield* within("a beginning", Deferred.await(begun))
      yield* Fiber.interrupt(fiber)
      yield* Deferred.succeed(going, undefined)
      yield* within("the end", Deferred.await(done))
    }).pipe(Effect.provide(chat({ engine }))))
})
