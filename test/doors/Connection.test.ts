import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Net from "node:net"
import type { Peer } from "../../src/chat/Peer.ts"
import { Address } from "../../src/domain/Address.ts"
import * as Connection from "../../src/doors/Connection.ts"
import { connect, within } from "../support/client.ts"

/** A client, and the server's connection to it. */
const pair = Effect.gen(function*() {
  const server = yield* Effect.acquireRelease(
    Effect.async<Net.Server>((resume) => {
      const server = Net.createServer({ allowHalfOpen: true })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
  const accepted = yield* Effect.fork(Effect.async<Net.Socket>((resume) => {
    server.once("connection", (socket) => resume(Effect.succeed(socket.on("error", () => {}))))
  }))
  yield* Effect.yieldNow()
  const address = server.address()
  assert.isObject(address)
  const client = yield* connect(typeof address === "object" && address !== null ? address.port : 0)
  const socket = yield* within("a connection", Fiber.join(accepted))
  yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
  return { client, connection: Connection.make(socket, Address("10.0.0.1:1")) }
})

/** All bytes until some end so, pulled one chunk at a time, or all at once. */
const pullUntil = (connection: Peer, end: string, atOnce: boolean) =>
  Effect.gen(function*() {
    let text = ""
    while (!text.endsWith(end)) {
      yield* within(
        end,
        connection.pull((bytes) => {
          text += bytes.toString()
          return atOnce && !text.endsWith(end) ? undefined : 0
        })
      )
    }
    return text
  })

describe("Connection", () => {
  for (const atOnce of [true, false]) {
    it.scopedLive(`gives all bytes in order, ${atOnce ? "while nobody waits" : "also when each waits for a fiber"}`, () =>
      Effect.gen(function*() {
        const { client, connection } = yield* pair
        const text = Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join("")
        yield* client.send(text)
        assert.strictEqual(yield* pullUntil(connection, "99999\n", atOnce), text)
        yield* client.send("more\n")
        assert.strictEqual(yield* pullUntil(connection, "more\n", atOnce), "more\n")
        yield* client.end
        assert.isFalse(yield* within("the end", connection.pull(() => undefined)))
        assert.isFalse(yield* within("the end, again", connection.pull(() => undefined)))
      }))
  }

  it.scopedLive("reads nothing that nobody pulls, so that the sender has to wait", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* pair
      const size = 32_000_000
      yield* client.send(Buffer.alloc(size, "x"))
      let pulled = 0
      const one = (bytes: Buffer) => {
        pulled += bytes.length
        return 0
      }
      yield* within("a chunk", connection.pull(one))
      const echo = yield* pair
      yield* echo.client.send("a turn of the event loop\n")
      yield* pullUntil(echo.connection, "loop\n", true)
      assert.isAtMost(pulled, 65_536)
      assert.isAbove(client.socket.writableLength, size / 4)
    }))

  it.scopedLive("dies of a bug in who takes the bytes, and not the process", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* pair
      yield* client.send("boom")
      const exit = yield* Effect.exit(within(
        "an exit",
        connection.pull(() => {
          throw new Error("found")
        })
      ))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
    }))

  it.scopedLive("writes out all that it took before it ends, though the client has sent what nobody read", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* pair
      yield* client.send("unread\n".repeat(100_000))
      const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} of ${"many ".repeat(60)}last words`)
      connection.write([
        Buffer.from(`${lines.slice(0, 9).join("\n")}\n`),
        Buffer.from(`${lines.slice(9).join("\n")}\n`)
      ])
      const finished = yield* Effect.fork(connection.finish(Duration.seconds(5), "quit"))
      yield* client.sees(...lines)
      yield* client.ended
      yield* client.end
      yield* within("the end", Fiber.join(finished))
    }))

  it.scopedLive("tells of a peer that is lost, and takes and holds nothing for it any more", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* pair
      const lost = yield* Effect.fork(Effect.async<void>((resume) => connection.onLost(() => resume(Effect.void))))
      yield* Effect.fork(connection.pull(() => undefined))
      yield* client.reset
      yield* within("the loss", Fiber.join(lost))
      assert.isTrue(connection.write([Buffer.alloc(1_000_000)]))
      yield* within("to be writable", connection.writable)
      yield* within("the end", connection.finish(Duration.seconds(5), "quit"))
      let told = false
      connection.onLost(() => {
        told = true
      })
      assert.isTrue(told)
    }))

  it.scopedLive("pushes back when the client does not read, until it does", () =>
    Effect.gen(function*() {
      const { client, connection } = yield* pair
      client.socket.pause()
      const chunk = Buffer.from(`${"x".repeat(65_535)}\n`)
      let chunks = 1
      while (connection.write([chunk])) chunks++
      const free = yield* Effect.fork(connection.writable)
      assert.isNull(free.unsafePoll())
      client.socket.resume()
      yield* within("to be writable", Fiber.join(free))
      for (let i = 0; i < chunks; i++) assert.strictEqual((yield* client.line).length, 65_535)
    }))
})
