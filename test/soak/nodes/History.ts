/** What each node gives as old lines in the end: of each room the same, and that is what was told when it was said. */
import { Effect } from "effect"
import type { Field } from "./Field.ts"
import * as Link from "./Link.ts"
import type { Node } from "./Node.ts"
import { lobby } from "./Reading.ts"
import type { Line } from "./Wire.ts"

const historyOf = (link: Link.Link, lines: Array<Line>) =>
  Effect.gen(function*() {
    lines.length = 0
    for (let more = true; more;) {
      const answer = yield* link.ask({ do: "history", limit: 1000, after: lines.at(-1)?.seq ?? 0 })
      more = answer.more === true
    }
    return [...lines]
  })

const look = (node: Node, field: Field) =>
  Effect.gen(function*() {
    const { ledger, tally } = field
    const heard: Array<Line> = []
    const link = yield* Link.open(node.port() ?? 0, node.name, tally, (line) => {
      if (line.kind === "past") {
        ledger.see(line, node.name)
        heard.push(line)
      }
    })
    yield* link.hello
    for (const room of new Set(ledger.lines().map(({ room }) => room))) {
      if (room !== lobby) yield* link.ask({ do: "join", room })
      const told = yield* historyOf(link, heard)
      // A node that began anew has not all.
      const first = told[0]?.seq ?? 0
      const expected = ledger.lines().filter((line) => line.room === room && line.seq >= first)
      const places = new Set(told.map(({ seq }) => seq))
      for (const { seq, text } of expected) {
        if (!places.has(seq)) tally.fault("lost", `the history of ${node.name} has not ${seq} in #${room}: ${text}`)
      }
      if (places.size !== told.length) tally.fault("twice", `the history of ${node.name} has lines twice`)
      if (told.length === 0 && ledger.lines().some((line) => line.room === room)) {
        tally.fault("lost", `the history of ${node.name} has nothing of #${room}`)
      }
    }
  }).pipe(
    Effect.scoped,
    Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => new Link.Cut({ why: "no answer came" }) }),
    Effect.catchAll(({ message }) => Effect.sync(() => field.tally.fault("server", `${node.name}: ${message}`)))
  )

export const judge = (field: Field) => Effect.forEach(field.nodes, (node) => look(node, field), { discard: true })
