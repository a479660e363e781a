import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import { arrive, type Client, connect, within } from "./support/client.ts"
import { type Gauged, server } from "./support/gauged.ts"

const MB = 1_000_000
const backlog = 1_048_576

// What the server may hold more than before for reasons of its own: compiled code, grown tables, the chunk just read.
const slack = 3 * MB

// What is answered by a line that repeats it, and what by the shortest there is, of 22 bytes.
const longAnswer = `/${"x".repeat(1000)}\n`
const shortAnswer = `to|nobody|${"x".repeat(30)}\n`

/** Comes and goes with a reset: before it is anybody, in the middle of a line, or when it has a name and has talked. */
const passBy = (port: number, visit: number) =>
  Effect.async<void>((resume) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    const words = ["", "half a li", `rename|n${visit}\nhello\n`][visit % 3]!
    const seen = words.endsWith("\n") ? "hello" : "已上线"
    socket.on("connect", () => words === "" ? socket.resetAndDestroy() : socket.write(words))
    socket.on("data", (bytes) => bytes.includes(seen) && socket.resetAndDestroy())
    socket.on("error", () => {}).on("close", () => resume(Effect.void))
  })

const passersBy = (port: number, from: number, to: number) =>
  within(
    "all to pass by",
    Effect.forEach(Array.from({ length: to - from }), (_, i) => passBy(port, from + i), {
      concurrency: 90,
      discard: true
    })
  )

/** Waits until nobody is online but the asker. */
const isAlone = (client: Client) =>
  Effect.gen(function*() {
    for (let alone = false; !alone;) {
      yield* client.send("who\nthat is all\n")
      let others = 0
      for (let line = yield* client.line; line !== `${client.front}that is all`; line = yield* client.line) {
        if (line.endsWith("在线...") && !line.startsWith(client.front)) others++
      }
      alone = others === 0
    }
  })

/** Says something, and hears it. */
const talks = (client: Client) =>
  Effect.gen(function*() {
    yield* client.send("hello\n")
    while ((yield* client.line) !== `${client.front}hello`);
  })

/** How many bytes wait in the kernel for the client, and how many from it for the server. */
const inKernel = (port: number, client: Client) => {
  const ends = [port, client.socket.localPort ?? 0].map((end) => `0100007F:${end.toString(16).padStart(4, "0")}`)
  const line = readFileSync("/proc/net/tcp", "utf8").split("\n").find((line) =>
    line.toUpperCase().includes(ends.join(" ").toUpperCase())
  )
  const [, out = "", into = ""] = / ([0-9A-F]{8}):([0-9A-F]{8}) /.exec(line ?? "") ?? []
  return { out: Number.parseInt(out, 16), into: Number.parseInt(into, 16) }
}

/** Sends without reading until the server reads no more of it; gives what it holds for that. */
const sendsAndNeverReads = ({ measure, port }: Gauged, questions: string) =>
  Effect.gen(function*() {
    const stalled = yield* connect(port, { paused: true })
    const ann = yield* arrive(port)
    const before = yield* measure
    yield* stalled.send(questions)
    let grown = 0
    let last = inKernel(port, stalled)
    for (let quiet = 0; quiet < 3;) {
      yield* talks(ann)
      grown = Math.max(grown, (yield* measure).memory - before.memory)
      const now = inKernel(port, stalled)
      quiet = now.out > 0 && now.out === last.out && now.into === last.into ? quiet + 1 : 0
      last = now
    }
    assert.isAbove(last.into, 0)
    return grown
  })

/** What users who read nothing cost, while others say far more than their backlogs hold. */
const stalledUsers = (count: number) =>
  Effect.gen(function*() {
    // In a file, what is said takes no memory.
    const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "tellnet-" })
    const { measure, port, settles } = yield* server("--rate", "0", "--data", `${directory}/tellnet.db`)
    const ann = yield* arrive(port)
    const stalled = yield* Effect.forEach(Array.from({ length: count }), () => connect(port, { paused: true }))
    for (let i = 0; i < count; i++) yield* ann.line
    const before = yield* measure
    const text = "x".repeat(4000)
    for (let round = 0; round < 30; round++) {
      yield* ann.send(`${text}\n`.repeat(100))
      for (let heard = 0; heard < 100;) heard += (yield* ann.lines).length
    }
    const after = yield* measure
    // Each has a write that the kernel does not take.
    assert.strictEqual(after.resources["SimpleWriteWrap"], count)
    for (const client of stalled.slice(1)) yield* client.reset
    const [first] = stalled
    yield* first!.read
    // And more was said than there was room for.
    while (!/^\*\*\* 接收过慢，已跳过 \d+ 行$/.test(yield* first!.line));
    yield* first!.reset
    yield* isAlone(ann)
    yield* settles("nothing to be left of them", ({ memory }) => memory - before.memory < slack)
    return after.memory - before.memory
  }).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

// Wherever clients cost memory too, it is that of another process.
describe.skipIf(process.platform !== "linux")("The memory of the server", { concurrent: true }, () => {
  it.scopedLive("holds nothing of 10,000 connections that came and were reset", () =>
    Effect.gen(function*() {
      const { measure, port, settles } = yield* server("--rate", "0")
      yield* passersBy(port, 0, 1000)
      const ann = yield* arrive(port)
      yield* isAlone(ann)
      const before = yield* measure
      for (let visit = 1000; visit < 11_000; visit += 1000) yield* passersBy(port, visit, visit + 1000)
      yield* isAlone(ann)
      // Of each connection not even 400 bytes.
      yield* settles(
        `no more than in ${JSON.stringify(before)}`,
        ({ descriptors, memory, resources }) =>
          memory - before.memory < 4 * MB &&
          descriptors === before.descriptors &&
          resources["TCPSocketWrap"] === 1 &&
          // What is on the way at this moment, as a timer of the sweeper.
          Object.entries(resources).every(([kind, count]) => count <= (before.resources[kind] ?? 0) + 5)
      )
    }), 180_000)

  it.scopedLive("does not grow with a line that never ends", () =>
    Effect.gen(function*() {
      const maxLine = 65_536
      const { measure, port } = yield* server("--rate", "0", "--max-line", `${maxLine}`)
      const endless = yield* arrive(port)
      const ann = yield* arrive(port)
      const before = yield* measure
      for (let round = 0; round < 5; round++) {
        yield* within(
          "the kernel to take it",
          Effect.async<void>((resume) => {
            endless.socket.write(Buffer.alloc(10 * MB, "x"), () => resume(Effect.void))
          })
        )
        yield* talks(ann)
        assert.isBelow((yield* measure).memory - before.memory, maxLine + slack)
      }
      yield* endless.sees(`${ann.front}已上线`)
      while ((yield* endless.line) !== `*** 消息过长（上限 ${maxLine} 字节），未发送`);
    }))

  it.scopedLive("holds one backlog for a user who asks without end and never reads", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--rate", "0", "--backlog", `${backlog}`)
      const grown = yield* sendsAndNeverReads(tellnet, longAnswer.repeat(40_000))
      assert.isBelow(grown, backlog + slack)
    }))

  it.scopedLive("holds one backlog for a user who asks for short answers and never reads", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--rate", "0", "--backlog", `${backlog}`)
      // The long ones are for the kernel, which would take many of the short.
      const grown = yield* sendsAndNeverReads(tellnet, longAnswer.repeat(2500) + shortAnswer.repeat(600_000))
      assert.isBelow(grown, backlog + slack)
    }))

  for (const [what, line] of [["long", "x".repeat(4000)], ["short", "hello"]] as const) {
    it.scopedLive(`holds one chunk of each user who sends ${what} lines without end`, () =>
      Effect.gen(function*() {
        const { measure, port } = yield* server("--rate", "1", "--burst", "1")
        const ann = yield* arrive(port)
        const senders = yield* Effect.forEach(Array.from({ length: 50 }), () => connect(port))
        for (const _ of senders) yield* ann.line
        const before = yield* measure
        for (const { socket } of senders) socket.write(`${line}\n`.repeat(Math.ceil(8 * MB / line.length)))
        // Each has been heard, and the kernel takes no more of it.
        const heard = new Set<string>()
        while (heard.size < senders.length) heard.add(/^\[([^\]]+)\]/.exec(yield* ann.line)?.[1] ?? "")
        yield* within(
          "the kernel to be full",
          Effect.iterate(senders.map(({ socket }) => socket.bytesWritten), {
            while: (last) => last.length > 0,
            body: (last) => {
              const now = senders.map(({ socket }) => socket.bytesWritten - socket.writableLength)
              const quiet = now.every((bytes, i) => bytes === last[i])
              return Effect.delay(Effect.succeed(quiet ? [] : now), "1 second")
            }
          })
        )
        const { memory } = yield* measure
        assert.isBelow((memory - before.memory) / senders.length, 100_000)
      }))
  }

  it.scopedLive("holds what many stalled users miss only once", () =>
    Effect.gen(function*() {
      const [one, fifty] = yield* Effect.all([Effect.scoped(stalledUsers(1)), Effect.scoped(stalledUsers(50))])
      assert.isBelow(one, backlog + slack)
      assert.isBelow(fifty, one + 2 * backlog)
    }))
})
