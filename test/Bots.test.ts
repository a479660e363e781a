/** The bot that programmers are shown, at a real server, in one room with people. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import { createInterface } from "node:readline"
import * as Child from "./support/child.ts"
import { arrive, type Client, within } from "./support/client.ts"
import { program } from "./support/program.ts"
import { start } from "./support/server.ts"

const script = "test/bots/echo.mjs"

/** Starts the bot. */
const bot = (port: number, name: string, ...secret: ReadonlyArray<string>) =>
  Child.start(process.execPath, [script, "127.0.0.1", String(port), name, ...secret])

/** A way to the server that can be cut. */
const cable = (port: number) =>
  Effect.gen(function*() {
    const near = new Set<Net.Socket>()
    const far = new Set<Net.Socket>()
    const keep = (ends: Set<Net.Socket>, end: Net.Socket) =>
      void ends.add(end.on("error", () => {}).on("close", () => ends.delete(end)))
    let losesAnswers = false
    const cut = (ends: Set<Net.Socket>) =>
      Effect.sync(() => {
        for (const end of ends) end.resetAndDestroy()
      })
    const server = yield* Effect.acquireRelease(
      within(
        "a cable",
        Effect.async<Net.Server>((resume) => {
          const server = Net.createServer((client) => {
            const toServer = Net.connect(port, "127.0.0.1")
            keep(near, client)
            keep(far, toServer)
            client.pipe(toServer)
            toServer.on("end", () => client.end())
            createInterface(toServer).on("error", () => {}).on("line", (line) => {
              if (!losesAnswers || !/^\{"kind":"answer","id":\d/.test(line)) client.write(`${line}\n`)
            })
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        })
      ),
      (server) => Effect.zipRight(Effect.all([cut(near), cut(far)]), Effect.sync(() => server.close()))
    )
    const address = server.address()
    return {
      port: typeof address === "object" ? address!.port : 0,
      cut: Effect.all([cut(near), cut(far)]),
      /** From now on the client is not told what became of what it said; or is again. */
      loseAnswers: (loses: boolean) =>
        Effect.sync(() => {
          losesAnswers = loses
        }),
      /** The client loses its connection, and the server does not hear of it. */
      cutNear: cut(near)
    }
  })

/** Reads up to the line in which somebody with this name says the last of these, and gives all that it said. */
const saidBy = (client: Client, name: string, last: string) =>
  Effect.gen(function*() {
    const said: Array<string> = []
    while (said.at(-1) !== last) {
      const [, text] = new RegExp(`^\\[127\\.0\\.0\\.1:\\d+\\]${name}:(.*)$`).exec(yield* client.line) ?? []
      if (text !== undefined && text !== "下线") said.push(text)
    }
    return said
  })

/** Ann, who types; and what waits until somebody is called so. */
const room = (port: number) =>
  Effect.gen(function*() {
    const watcher = yield* program(port)
    const ann = yield* arrive(port)
    return {
      ann,
      takesName: (name: string) => watcher.until((line) => line.kind === "renamed" && line.name === name)
    }
  })

/** Lets the bot hear 40 lines at a time, and breaks its connection in the middle of that, again and again. */
const underFire = (ann: Client, name: string, cut: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const rounds = 5
    const lines = (round: number) => Array.from({ length: 40 }, (_, n) => `${round} ${n}`)
    const type = (texts: ReadonlyArray<string>) => ann.send(texts.map((text) => `!echo ${text}\nwhat?\n`).join(""))
    const echoes: Array<string> = []
    for (let round = 0; round < rounds; round++) {
      yield* type(lines(round))
      echoes.push(...yield* saidBy(ann, name, `${round} ${round * 7}`))
      yield* cut
      yield* type([`${round} away`])
    }
    echoes.push(...yield* saidBy(ann, name, `${rounds - 1} away`))
    assert.deepStrictEqual(
      echoes,
      Array.from({ length: rounds }, (_, round) => [...lines(round), `${round} away`]).flat()
    )
  })

describe("The bot that echoes", () => {
  it("has 30 lines at most, and needs nothing but Node", () => {
    const text = readFileSync(script, "utf8")
    assert.isAtMost(text.trimEnd().split("\n").length, 30)
    for (const [, module] of text.matchAll(/from "(.*)"/g)) assert.match(module!, /^node:/)
  })

  it("stands in the README as it is", () =>
    assert.include(readFileSync("README.md", "utf8"), `\`\`\`js\n${readFileSync(script, "utf8")}\`\`\`\n`))

  it.scopedLive("tells how it is used to whoever starts it without a name", () =>
    Effect.gen(function*() {
      const { over } = yield* Child.start(process.execPath, [script, "127.0.0.1", "8888"])
      const told = { code: 1, stdout: "", stderr: "usage: node echo.mjs HOST PORT NAME [SECRET]\n" }
      assert.deepStrictEqual(yield* over, told)
    }))

  it.scopedLive("comes once and stops with the code, if its name is refused for good", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const owner = yield* arrive(port)
      yield* owner.send("/nick Echo#open sesame\n")
      while (!(yield* owner.line).includes("归您所有"));
      const refused = {
        "wrong-secret": ["Echo", "wrong secret"],
        "name-owned": ["Echo"],
        "name-reserved": ["admin"]
      } as const
      for (const [code, [name, ...secret]] of Object.entries(refused)) {
        const { over } = yield* bot(port, name, ...secret)
        assert.deepStrictEqual(yield* over, { code: 1, stdout: "", stderr: `${code}\n` })
      }
    }))

  it.scopedLive("says again what follows its word, and nothing else", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const { ann, takesName } = yield* room(port)
      yield* ann.send("!echo too early\n")
      yield* bot(port, "Echo")
      yield* takesName("Echo")
      yield* ann.send("hello\n!echo\n!echo  张 \"quoted\" \\n \n!echo !echo twice?\n!echo    \n!echo bye\n")
      assert.deepStrictEqual(yield* saidBy(ann, "Echo", "bye"), [" 张 \"quoted\" \\n ", "!echo twice?", "bye"])
    }))

  it.scopedLive("answers each line once and in order, though its connection breaks again and again", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const { ann, takesName } = yield* room(port)
      const wire = yield* cable(port)
      yield* bot(wire.port, "Echo")
      yield* takesName("Echo")
      yield* underFire(ann, "Echo", wire.cut)
    }))

  it.scopedLive("says nothing twice, though its connection breaks before it hears that it was said", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const { ann, takesName } = yield* room(port)
      const wire = yield* cable(port)
      yield* bot(wire.port, "Echo")
      yield* takesName("Echo")
      yield* wire.loseAnswers(true)
      yield* ann.send("!echo one\n!echo two\n")
      assert.deepStrictEqual(yield* saidBy(ann, "Echo", "two"), ["one", "two"])
      yield* wire.cut
      yield* wire.loseAnswers(false)
      yield* ann.send("!echo three\n")
      assert.deepStrictEqual(yield* saidBy(ann, "Echo", "three"), ["three"])
    }))

  it.scopedLive("takes its name from its own old connection if it has a secret", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const { ann, takesName } = yield* room(port)
      const wire = yield* cable(port)
      yield* bot(wire.port, "Echo", "open sesame")
      yield* takesName("Echo")
      yield* underFire(ann, "Echo", wire.cutNear)
    }))

  it.scopedLive("tries again until its old connection has gone if it has none", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const { ann, takesName } = yield* room(port)
      const wire = yield* cable(port)
      yield* bot(wire.port, "Echo")
      yield* takesName("Echo")
      yield* wire.cutNear
      yield* ann.send("!echo again\n")
      // Comes, and goes again.
      for (let line = yield* ann.line; !line.endsWith("已上线"); line = yield* ann.line);
      for (let line = yield* ann.line; !line.endsWith("下线"); line = yield* ann.line);
      yield* wire.cut
      assert.deepStrictEqual(yield* saidBy(ann, "Echo", "again"), ["again"])
    }))
})
