/** Each part of a running server is broken in turn: the server must not go on without it as if it were well. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get, monitor, port, quiet, start } from "./support/child.ts"
import { arrive } from "./support/client.ts"

const server = (sabotage: string) =>
  start(process.execPath, [
    "--import",
    "tsx",
    "--import",
    "./test/support/saboteur.ts",
    "src/main.ts",
    "--port",
    "0",
    "--metrics-port",
    "0"
  ], { ...quiet, SABOTAGE: sabotage })

const notice = "*** 服务器即将关闭"

describe("A server of which a part dies", { concurrent: true }, () => {
  for (const part of ["broadcaster", "sweeper", "doors"]) {
    it.scopedLive(`tells everyone, is not ready, logs the cause and ends with code 1: ${part}`, () =>
      Effect.gen(function*() {
        const tellnet = yield* server(part)
        const listening = yield* port(tellnet)
        const url = yield* monitor(tellnet)
        const ann = yield* arrive(listening)
        const bob = yield* arrive(listening)
        yield* ann.sees(`${bob.front}已上线`)
        assert.strictEqual((yield* get(`${url}/readyz`)).status, 200)
        yield* tellnet.signal("SIGUSR2")
        // The broadcaster finds out with the next line after the signal, which nobody gets any more.
        yield* ann.send("hello\n")
        while ((yield* ann.line) !== notice) yield* ann.send("hello\n")
        while ((yield* bob.line) !== notice);
        // They have not ended their half yet, and the server waits a second for that.
        assert.strictEqual((yield* get(`${url}/readyz`)).status, 503)
        for (const client of [ann, bob]) yield* Effect.zipRight(client.ended, client.end)
        const { code, stdout } = yield* tellnet.over
        assert.strictEqual(code, 1)
        assert.match(stdout, new RegExp(`FATAL.*The ${part} ended, and the server with it[^]*sabotage`))
      }))
  }
})
