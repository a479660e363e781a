import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Net from "node:net"
import { port, server } from "./support/child.ts"
import { connect, within } from "./support/client.ts"

const readers = 1000
const stalled = 50
const slow = 10
const grace = 3
// Of those who do not read, and of those who read too late, each answered by some 45 kB: the first are owed more than
// the kernel and a backlog hold, the others more than the kernel.
const questions = 1000
const lateQuestions = 200
const backlog = 16_777_216
const beginning = "everybody is here"
const notice = "*** 服务器即将关闭"

/** A user who keeps what it reads as it came: a thousand of them must not be what is slow. */
class Reader {
  readonly socket: Net.Socket
  address = ""
  /** Line breaks since `lines` was set to 0. */
  lines = 0
  onData = () => {}
  private readonly chunks: Array<Buffer> = []

  constructor(port: number, over: () => void) {
    this.socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    this.socket.on("connect", () => {
      this.address = `${this.socket.localAddress}:${this.socket.localPort}`
    })
    this.socket.on("data", (chunk) => {
      this.chunks.push(chunk)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.lines++
      this.onData()
    })
    this.socket.on("error", () => {}).on("close", over)
  }

  /** All that it has read. */
  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  /** Whether this is the last that it has read. */
  endsWith(line: string): boolean {
    const expected = Buffer.from(line)
    return Buffer.concat(this.chunks.slice(-expected.length)).subarray(-expected.length).equals(expected)
  }

  /** Reads no more for a while, and asks for much. */
  fallBehind(): void {
    this.socket.pause()
    this.socket.write("who\n".repeat(lateQuestions))
  }

  say(text: string): void {
    if (this.socket.writable) this.socket.write(`${text}\n`)
  }
}

/** Waits until it holds for each. */
const each = (what: string, readers: ReadonlyArray<Reader>, holds: (reader: Reader) => boolean) =>
  within(
    what,
    Effect.async<void>((resume) => {
      let missing = readers.length
      for (const reader of readers) {
        reader.onData = () => {
          if (!holds(reader)) return
          reader.onData = () => {}
          if (--missing === 0) resume(Effect.void)
        }
        reader.onData()
      }
    })
  )

const nextTurn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

describe("A server that is stopped under load", () => {
  it.scopedLive("ends within the grace, and who reads gets every line that was accepted before the notice", () =>
    Effect.gen(function*() {
      const tellnet = yield* server(
        "--backlog",
        `${backlog}`,
        "--rate",
        "0",
        "--max-connections-per-ip",
        "5000",
        "--shutdown-grace",
        `${grace} seconds`
      )
      const listening = yield* port(tellnet)
      const deaf = yield* Effect.forEach(Array.from({ length: stalled }), () => connect(listening, { paused: true }))
      const allOver = yield* Deferred.make<void>()
      let over = 0
      const crowd = yield* Effect.acquireRelease(
        Effect.sync(() =>
          Array.from({ length: readers }, () =>
            new Reader(listening, () => {
              if (++over === readers) Deferred.unsafeDone(allOver, Effect.void)
            }))
        ),
        (crowd) => Effect.sync(() => crowd.forEach(({ socket }) => socket.destroy()))
      )
      // Who has read something has read of its own arrival first.
      yield* each("an arrival", crowd, ({ lines }) => lines > 0)
      yield* Effect.forEach(deaf, (client) => client.send("who\n".repeat(questions)), { discard: true })
      crowd[0]!.say(beginning)
      yield* each("the beginning", crowd, (reader) => reader.endsWith(`:${beginning}\n`))

      for (const reader of crowd) reader.lines = 0
      // All talk, a part of them at a time so that all keep up.
      const wave = readers / 4
      for (let said = 0; said < 2 * readers;) {
        for (let i = 0; i < wave; i++, said++) crowd[said % readers]!.say(`word ${said}`)
        yield* each(`${said} lines`, crowd, ({ lines }) => lines === said)
      }
      // And go on without a pause, before the signal and after it.
      const talk = (from: number, to: number) =>
        Effect.gen(function*() {
          for (let said = from; said < to;) {
            for (let i = 0; i < 100; i++, said++) crowd[said % readers]!.say(`word ${said}`)
            yield* nextTurn
          }
        })
      for (const reader of crowd.slice(0, slow)) reader.fallBehind()
      yield* talk(2 * readers, 4 * readers)
      yield* tellnet.signal("SIGTERM")
      // The promise is one second more than the grace; the other one is for the start and the end of a process on a
      // machine that does other things too.
      const ending = yield* Effect.fork(Effect.timeoutOption(tellnet.over, `${grace + 1 + 1} seconds`))
      yield* talk(4 * readers, 6 * readers)
      yield* each("the notice", crowd.slice(slow), (reader) => reader.endsWith(`${notice}\n`))
      for (const { socket } of crowd.slice(0, slow)) socket.resume()
      const ended = yield* Fiber.join(ending)
      assert.isTrue(Option.isSome(ended), "still running after the grace and a second")
      assert.strictEqual(Option.getOrUndefined(ended)?.code, 0)
      yield* within("the end of all connections", Deferred.await(allOver))

      const sinceBeginning = ({ bytes }: Reader) => bytes.subarray(bytes.indexOf(`:${beginning}\n`))
      const order = sinceBeginning(crowd[slow]!)
      for (const reader of crowd.slice(slow)) assert.isTrue(sinceBeginning(reader).equals(order))
      for (const reader of crowd.slice(0, slow)) {
        const said = sinceBeginning(reader).toString().replace(/.*在线\.\.\.\n/g, "")
        assert.strictEqual(said, order.toString())
      }
      const lines = order.toString().split("\n")
      assert.deepStrictEqual(lines.splice(-2), [notice, ""])
      // Of each user the first words, without a gap, and at least those that came back before the signal.
      const heard = new Map<string, Array<number>>()
      for (const line of lines.slice(1)) {
        const [, address = "", said] = /^\[(.+)\]\1:word (\d+)$/.exec(line) ?? assert.fail(line)
        heard.set(address, [...(heard.get(address) ?? []), Number(said)])
      }
      const said = crowd.map(({ address }, i) =>
        Array.from({ length: heard.get(address)?.length ?? 0 }, (_, round) => round * readers + i)
      )
      assert.deepStrictEqual(crowd.map(({ address }) => heard.get(address)), said)
      assert.isTrue(said.every(({ length }) => length >= 2))
      assert.isAbove(lines.length, 2 * readers + 1)

      // Those who did not read were owed more than they could take, and could not hold it up.
      for (const { socket } of deaf) socket.resume()
      yield* Effect.forEach(deaf, ({ ended }) => ended, { discard: true })
      const owed = questions * readers * "[127.0.0.1:1]127.0.0.1:1:在线...\n".length
      for (const { socket } of deaf) assert.isBelow(socket.bytesRead, owed)
    }))
})
