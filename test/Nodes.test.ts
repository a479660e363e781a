/** Several nodes of one chat, as processes of their own, and what can happen to them and to NATS. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect as connectNats } from "@nats-io/transport-node"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { bundled, type Child, get, measures, monitor, port } from "./support/child.ts"
import { type Client, connect, within } from "./support/client.ts"
import { describeNats, natsServer } from "./support/natsServer.ts"
import { called, come, until } from "./support/people.ts"
import * as Program from "./support/program.ts"

const flags = (url: string) => ["--port", "0", "--metrics-port", "0", "--nats", url, "--lang", "en"]

/** Starts a node, and waits until people can come. */
const node = (url: string, ...more: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const child = yield* bundled([...flags(url), ...more])
    return { child, port: yield* port(child), monitor: yield* monitor(child) }
  })

const online = ({ front }: Client) => `${front}online`
const offline = (client: Client, name: string = client.address) => `${called(client, name)}offline`

/** How often it has read a line, of all that it reads until another one. */
const times = (lines: ReadonlyArray<string>, line: string) => lines.filter((one) => one === line).length

const dies = ({ child }: { readonly child: Child }) => Effect.zipRight(child.signal("SIGKILL"), child.over)

describeNats("Several nodes", { concurrent: true }, () => {
  it.scopedLive("are one chat: talk, lists, names that two want at once, private lines, takeovers", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const [a, b, c] = yield* Effect.all([node(url), node(url), node(url)], { concurrency: 3 })
      const ann = yield* come(a.port)
      const bob = yield* connect(b.port)
      yield* ann.sees(online(bob))
      yield* bob.sees(online(bob))
      const eve = yield* connect(c.port)
      for (const one of [ann, bob, eve]) yield* one.sees(online(eve))
      yield* eve.send("hello\n")
      for (const one of [ann, bob, eve]) yield* one.sees(`${eve.front}hello`)
      yield* ann.send("who\n")
      yield* ann.sees(...[ann, bob, eve].map(({ front }) => `${front}online...`))
      // One of them gets it.
      yield* Effect.all([ann.send("rename|zoe\n"), bob.send("rename|zoe\n")], { concurrency: 2 })
      const answers = [yield* ann.line, yield* bob.line]
      assert.sameMembers(answers, ["your name is now:zoe", "that name is taken"])
      const [zoe, other] = answers[0] === "that name is taken" ? [bob, ann] : [ann, bob]
      yield* eve.send("to|zoe|psst\n")
      yield* zoe.sees(`${eve.address} to you:psst`)
      yield* eve.sees(`${eve.address} to zoe:psst`)
      yield* other.send("quit the chat\n")
      for (const one of [ann, bob, eve]) yield* one.sees(`${other.front}quit the chat`)
    }))
})
