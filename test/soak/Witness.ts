/**
 * The first to come and the last to leave. What it reads becomes the log that all others are held against, so it judges
 * each broadcast itself. Should the server fail the witness, all others disagree with it, and that shows as well.
 */
import { Effect, Schedule, type Scope } from "effect"
import * as Client from "./Client.ts"
import type { Field } from "./Field.ts"
import { Received } from "./Grammar.ts"

const take = (field: Field, line: string) => {
  const { grammar, log, roster, tally } = field
  const received = grammar.read(line)
  if (Received.$is("Broadcast")(received)) {
    log.append(line, roster.judge(received.address, received.text, log.end()))
    tally.count("ordered")
  } else if (Received.$is("Skipped")(received)) {
    tally.fault("lost", `the witness was told of ${received.lines} skipped lines`, received.lines)
  } else if (!Received.$is("ShuttingDown")(received)) {
    tally.fault("grammar", `the witness asked for nothing and reads: ${JSON.stringify(line)}`)
  }
}

/** Connects the witness, which then says a line a second. */
export const connect = (field: Field): Effect.Effect<Client.Client, Error, Scope.Scope> =>
  Effect.gen(function*() {
    const visit = field.roster.arrive("witness")
    const hands: Client.Hands = {
      take: (lines) => {
        for (const line of lines) take(field, line)
        // A copy: who is still ahead puts itself back.
        for (const reader of Array.from(field.ahead)) reader.advance()
      },
      finish: () => {}
    }
    const client = yield* Client.connect(visit, field, hands, { reads: true, strict: true })
    yield* client.say.pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.forkScoped)
    return client
  })
