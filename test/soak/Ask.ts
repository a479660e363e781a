/** `printf 'LINE\n' | nc -N`: connects, sends one line, ends its input, and reads to the end. */
import { Effect } from "effect"
import * as Client from "./Client.ts"
import type { Field } from "./Field.ts"
import { Received } from "./Grammar.ts"

/** All that is received, broadcasts left out. Fails if the server does not close in time. */
const ask = (field: Field, line: string) =>
  Effect.gen(function*() {
    const visit = field.roster.arrive("probe")
    const read: Array<string> = []
    const hands: Client.Hands = { take: (lines) => void read.push(...lines), finish: () => {} }
    const client = yield* Client.connect(visit, field, hands, { reads: true })
    yield* client.send(`${line}\n`)
    yield* client.end
    yield* client.closed.pipe(Effect.timeout("10 seconds"))
    const answer = read.filter((line) => !Received.$is("Broadcast")(field.grammar.read(line)))
    return { answer, address: visit.address }
  }).pipe(Effect.scoped)

/** The lines of `/help`. */
export const help = (field: Field): Effect.Effect<ReadonlyArray<string>, Error> =>
  Effect.map(ask(field, "/help"), ({ answer }) => answer)

/** The addresses that `who` lists, the asker's own left out. */
export const online = (field: Field): Effect.Effect<ReadonlyArray<string>, Error> =>
  Effect.map(ask(field, "who"), ({ address, answer }) =>
    answer
      .map(field.grammar.read)
      .filter(Received.$is("Listed"))
      .map((listed) => listed.address)
      .filter((listed) => listed !== address))
