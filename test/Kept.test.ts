/**
 * What anybody has seen is kept: the real server with a file, killed at random moments under load, and on a disk that is
 * full for a while.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import Database from "libsql"
import { bundle } from "./support/bundle.ts"
import { bundled, get, isInstalled, measures, monitor, port, quiet, start } from "./support/child.ts"
import { arrive, type Client } from "./support/client.ts"
import { folder } from "./support/engines.ts"

/** What `/history` shows, as it was seen when it was said. */
const history = (client: Client, count: number) =>
  Effect.gen(function*() {
    yield* client.send(`/history ${count}\nthat is all\n`)
    const lines: Array<string> = []
    while (true) {
      const line = yield* client.line
      if (line === `${client.front}that is all`) return lines
      const [, said] = /^\*\*\* \d\d-\d\d \d\d:\d\d:\d\d (\[.*)$/.exec(line) ?? []
      if (said !== undefined) lines.push(said)
    }
  })

const server = (file: string, ...flags: ReadonlyArray<string>) =>
  bundled(["--port", "0", "--rate", "0", "--data", file, ...flags])

/** Reads what comes until nothing can come any more, and gives what was said. */
const seenBy = (client: Client) => {
  const seen: Array<string> = []
  let rest = ""
  client.socket.removeAllListeners("data").setEncoding("utf8").on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n")
    rest = lines.pop() ?? ""
    seen.push(...lines.filter((line) => line.includes(":round ")))
  })
  return seen
}

const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

describe("What was seen", () => {
  it.live(
    `is kept by a server that is killed 50 times under load (KILL_SEED=${seed})`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const file = `${yield* folder}/tellnet.db`
        const moments = FastCheck.sample(FastCheck.integer({ min: 0, max: 150 }), { numRuns: 50, seed })
        let before: ReadonlyArray<ReadonlyArray<string>> = []
        let total = 0
        for (const [round, moment] of moments.entries()) {
          yield* Effect.scoped(Effect.gen(function*() {
            const tellnet = yield* server(file)
            const listening = yield* port(tellnet)
            const clients = yield* Effect.replicateEffect(arrive(listening), 3)
            const kept = yield* history(clients[0]!, 1000)
            for (const seen of before) {
              const ofRound = kept.filter((line) => line.includes(`:round ${round - 1} `))
              assert.deepStrictEqual(ofRound.slice(0, seen.length), seen, "all that was seen, once and in its order")
              assert.strictEqual(new Set(ofRound).size, ofRound.length, "nothing twice")
            }
            const seen = clients.map(seenBy)
            const talk = Effect.forEach(Array.from({ length: 25 }), (_, burst) =>
              Effect.zipRight(
                Effect.sync(() => {
                  for (const [who, { socket }] of clients.entries()) {
                    const lines = Array.from({ length: 10 }, (_, n) => `round ${round} ${who} ${burst} ${n}\n`)
                    if (socket.writable) socket.write(lines.join(""))
                  }
                }),
                Effect.sleep(4)
              ))
            yield* Effect.fork(talk)
            yield* Effect.sleep(moment)
            yield* tellnet.signal("SIGKILL")
            yield* tellnet.over
            yield* Effect.forEach(clients, ({ ended }) => ended)
            before = seen
            total += Math.max(...seen.map(({ length }) => length))
          }))
        }
        assert.isAbove(total, 5000, "they were killed under load")
      })),
    { timeout: 180_000 }
  )

  // A soft limit can be lifted again from outside, which makes room on the disk.
  const limited = (file: string) =>
    Effect.gen(function*() {
      const flags = ["--port", "0", "--rate", "0", "--metrics-port", "0", "--data", file]
      const tellnet = yield* start("sh", [
        "-c",
        "ulimit -S -f 600; exec \"$0\" \"$@\"",
        process.execPath,
        bundle,
        ...flags
      ], quiet)
      const listening = yield* port(tellnet)
      const [ann, bob] = [yield* arrive(listening), yield* arrive(listening)]
      yield* ann.sees(`${bob.front}已上线`)
      const said: Array<string> = []
      const fails = "*** 新消息暂时无法保存"
      /** Says something, which both hear; gives how many were told on the way that it is not kept. */
      const say = (text: string) =>
        Effect.gen(function*() {
          const line = `${ann.front}${text}`
          yield* ann.send(`${text}\n`)
          said.push(line)
          let told = 0
          for (const client of [ann, bob]) {
            for (let next = yield* client.line; next !== line; next = yield* client.line) {
              assert.strictEqual(next, fails)
              told++
            }
          }
          return told
        })
      let told = 0
      do told = yield* say(`${said.length} ${"x".repeat(3000)}`)
      while (told === 0)
      for (let n = 0; n < 300; n++) told += yield* say(`full ${n}`)
      assert.strictEqual(told, 2, "each is told once")
      return { tellnet, ann, bob, said }
    })

  it.live.skipIf(!isInstalled("prlimit"))(
    "is written in order once the disk has room again, and everybody is told once",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const file = `${yield* folder}/tellnet.db`
        const { ann, bob, said, tellnet } = yield* limited(file)
        const url = yield* monitor(tellnet)
        yield* measures(url, "tellnet_log_writable 0", "tellnet_log_failures_total 1")
        assert.strictEqual((yield* get(`${url}/readyz`)).status, 200, "people can talk")
        assert.deepStrictEqual((yield* history(bob, 1000)).slice(-300), said.slice(-300), "what waits can be read")
        yield* ann.sees(`${bob.front}that is all`)
        yield* start("prlimit", ["--pid", String(tellnet.process.pid), "--fsize=unlimited"])
        for (const client of [ann, bob]) yield* client.sees("*** 新消息已恢复保存")
        yield* measures(url, "tellnet_log_writable 1", "tellnet_log_failures_total 1")
        yield* tellnet.signal("SIGTERM")
        for (const client of [ann, bob]) yield* client.end
        const { code, stdout } = yield* tellnet.over
        assert.strictEqual(code, 0)
        assert.strictEqual(stdout.split("\n").filter((line) => line.includes("ERROR")).length, 1)
        const again = yield* server(file)
        const carl = yield* arrive(yield* port(again))
        const kept = yield* history(carl, 1000)
        assert.deepStrictEqual(kept.filter((line) => !line.endsWith("that is all")), said)
      })),
    { timeout: 90_000 }
  )

  it.live(
    "ends in order though the disk is full, and says what could not be kept",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { ann, bob, tellnet } = yield* limited(`${yield* folder}/tellnet.db`)
        yield* tellnet.signal("SIGTERM")
        for (const client of [ann, bob]) yield* client.end
        const { code, stdout } = yield* tellnet.over
        assert.strictEqual(code, 0)
        assert.match(stdout, /3\d\d lines could not be kept/)
      })),
    { timeout: 90_000 }
  )

  it.live(
    "gets no number twice, though the server was killed while its disk was full",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const file = `${yield* folder}/tellnet.db`
        const { said, tellnet } = yield* limited(file)
        yield* tellnet.signal("SIGKILL")
        yield* tellnet.over
        const again = yield* server(file)
        const carl = yield* arrive(yield* port(again))
        yield* carl.send("after\n")
        yield* carl.sees(`${carl.front}after`)
        yield* again.signal("SIGTERM")
        yield* carl.end
        yield* again.over
        const db = new Database(file)
        const rows = db.prepare("select seq, text from line order by seq").raw().all([]) as Array<[number, string]>
        const [last, after] = [rows.at(-2), rows.at(-1)]
        assert.isFalse(last?.[1].startsWith("full"))
        assert.strictEqual(after?.[1], "after")
        assert.isAtLeast(after![0] - last![0], said.length - (rows.length - 1))
      })),
    { timeout: 90_000 }
  )
})
