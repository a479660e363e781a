/** The client in a pipe, at a real server: lines in, lines out, exit codes. And its connection. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { some } from "effect/Option"
import * as Scope from "effect/Scope"
import { X509Certificate } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { PassThrough, Writable } from "node:stream"
import { wordsIn } from "../../src/terminal/Language.ts"
import { Link, type Trouble } from "../../src/terminal/Link.ts"
import { pipe } from "../../src/terminal/Piped.ts"
import * as Proxy from "../soak/nodes/Proxy.ts"
import { client } from "../support/bundle.ts"
import * as Certificate from "../support/certificate.ts"
import { isInstalled, start } from "../support/child.ts"
import { type Client, connect, within } from "../support/client.ts"
import { folder } from "../support/engines.ts"
import { doors } from "../support/server.ts"

const scope = Effect.runSync(Scope.make())
let port = 0
beforeAll(async () => {
  const [plain = 0] = await Effect.runPromise(Scope.extend(doors({ rate: 0 }), scope))
  port = plain
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const until = (client: Client, isMeant: (line: string) => boolean) => Effect.repeat(client.line, { until: isMeant })

/** Somebody at a netcat in a room. */
const person = (name: string, room: string) =>
  Effect.gen(function*() {
    const client = yield* connect(port)
    yield* client.send(`/nick ${name}\n/join ${room}\n`)
    yield* until(client, (line) => line.endsWith(`来到 #${room}`))
    return client
  })

const piped = (at: number, ...flags: ReadonlyArray<string>) =>
  start(process.execPath, [client, `127.0.0.1:${at}`, "--lang", "en", ...flags])

/** Runs it with these lines, and gives how it ended. */
const run = (lines: string, at: number, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const child = yield* piped(at, ...flags)
    yield* child.type(lines)
    yield* child.end
    return yield* child.over
  })

describe.concurrent("The client in a pipe", () => {
  it.scopedLive("says all lines, in order, though there are more than may wait, and ends with 0", () =>
    Effect.gen(function*() {
      const ann = yield* person("Ann1", "many")
      const lines = Arr.makeBy(250, (n) => `line ${n} 行`)
      const told = yield* run(lines.map((line) => `${line}\n`).join(""), port, "--room", "many", "--name", "Bot1")
      assert.deepStrictEqual(told, { code: 0, stdout: "", stderr: "" })
      for (const line of lines) yield* until(ann, (said) => said.endsWith(`]Bot1:${line}`))
    }))

  it.scopedLive("prints what others say, each once, and answers, and does what a typed line does", () =>
    Effect.gen(function*() {
      const ann = yield* person("Ann2", "talk")
      const bot = yield* piped(port, "--room", "talk", "--name", "Bot2")
      yield* until(ann, (line) => line.endsWith("Bot2:来到 #talk"))
      yield* ann.send("hello: there\n")
      yield* bot.prints(/^Ann2: hello: there\n/)
      yield* ann.send("/to Bot2 psst\n")
      yield* bot.prints(/Ann2 -> Bot2: psst\n/)
      yield* bot.type("to|Ann2|back\n/who\n//slash\n")
      yield* until(ann, (line) => line === "Bot2对您说:back")
      yield* until(ann, (line) => line.endsWith("]Bot2:/slash"))
      yield* bot.end
      assert.deepStrictEqual(yield* bot.over, {
        code: 0,
        stdout: "Ann2: hello: there\nAnn2 -> Bot2: psst\n*** #talk: Ann2, Bot2\n",
        stderr: ""
      })
    }))

  it.scopedLive("ends with 1 and the reason if something is refused, and says the rest", () =>
    Effect.gen(function*() {
      const ann = yield* person("Ann3", "rest")
      const told = yield* run("to|Nobody|x\n/what\n/nick Ann3\n/nick admin#sesame\nrest\n", port, "--room", "rest")
      assert.deepStrictEqual(told, {
        code: 1,
        stdout: "",
        stderr: "*** Unknown command /what, try /help\n*** Not sent: x — There is nobody of that name\n"
          + "*** Somebody has that name\n*** That name is reserved\n"
      })
      yield* until(ann, (line) => line.endsWith(":rest"))
    }))

  it.scopedLive("does what operators do", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/operators`
      writeFileSync(file, "correct horse battery\n")
      const [own = 0] = yield* doors({ rate: 0, opSecretFile: some(file) })
      const told = yield* run("/op correct horse battery\n/ban 192.0.2.1\n/unban 192.0.2.2\n", own)
      const stdout = "*** you are an operator\n*** 192.0.2.1 is banned\n"
      assert.deepStrictEqual(told, { code: 1, stdout, stderr: "*** no such ban\n" })
    }))

  it.scopedLive("says nothing elsewhere if its room is refused", () =>
    Effect.gen(function*() {
      const [own = 0] = yield* doors({ rate: 0 })
      const ann = yield* connect(own)
      const refused = { code: 1, stdout: "", stderr: "*** Not a name for a room\n" }
      assert.deepStrictEqual(yield* run("for that room only\n", own, "--room", "x y"), refused)
      assert.deepStrictEqual(yield* run("/join x:y\nin the lobby\n", own), refused)
      const lines: Array<string> = []
      yield* until(ann, (line) => lines.push(line) > 0 && line.endsWith(":in the lobby"))
      assert.notInclude(lines.join(), "for that room only")
    }))

  it.scopedLive("ends with 1 if it cannot connect, is not let in, or is not called so; with 2 if it is used wrongly", () =>
    Effect.gen(function*() {
      const over = (told: { readonly code: number | string; readonly stderr: string }) => [told.code, told.stderr]
      const [full = 0] = yield* doors({ maxConnections: 1 })
      yield* connect(full)
      const [nowhere, refused, reserved, wrong] = yield* Effect.all([
        run("x\n", 1),
        run("x\n", full),
        run("x\n", port, "--name", "admin"),
        start(process.execPath, [client, "--lang", "en"]).pipe(Effect.flatMap(({ over }) => over))
      ], { concurrency: 4 })
      assert.deepStrictEqual(over(nowhere), [
        1,
        "*** Cannot connect to 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n"
      ])
      assert.deepStrictEqual(over(refused), [1, "*** The server let nobody in: 服务器已满，请稍后再试\n"])
      assert.deepStrictEqual(over(reserved), [1, "*** admin: That name is reserved\n"])
      assert.deepStrictEqual(over(wrong), [2, "error: missing required argument 'HOST[:PORT]'\n"])
    }))

  it.scopedLive("takes a name that has an owner with the secret of a file, and comes back with what it missed", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/secret`
      writeFileSync(file, "open sesame\n")
      const ann = yield* person("Ann4", "owned")
      const way = yield* Proxy.make(port)
      const bot = yield* piped(way.port, "--room", "owned", "--name", "Bot4", "--secret-file", file)
      yield* until(ann, (line) => line.endsWith("Bot4:来到 #owned"))
      yield* ann.send("before\n")
      yield* bot.prints(/Ann4: before\n/)
      yield* way.hole(true)
      yield* way.reset
      yield* ann.send(Arr.makeBy(20, (n) => `missed ${n}\n`).join(""))
      yield* bot.type("said meanwhile\n")
      yield* way.hole(false)
      yield* until(ann, (line) => line.endsWith("]Bot4:said meanwhile"))
      yield* bot.end
      const missed = Arr.makeBy(20, (n) => `Ann4: missed ${n}\n`).join("")
      const { code, stdout } = yield* bot.over
      assert.deepStrictEqual([code, stdout], [0, `Ann4: before\n${missed}`])
      assert.strictEqual((yield* run("", port, "--name", "Bot4")).code, 1)
    }))

  it.scopedLive.skipIf(!isInstalled("openssl"))(
    "trusts one certificate by its fingerprint, and tells of others",
    () =>
      Effect.gen(function*() {
        const { cert, key } = yield* Certificate.make()
        const tls = { tlsPort: some(0), tlsCert: some(cert), tlsKey: some(key) }
        const [plain = 0, at = 0] = yield* doors(tls)
        const { fingerprint256: fingerprint } = new X509Certificate(readFileSync(cert))
        const other = fingerprint.replaceAll(/[0-9]/g, "A")
        const [unknown, trusted, wrong, noTls, needsTls] = yield* Effect.all([
          run("x\n", at, "--tls"),
          run("said\n", at, "--tls-fingerprint", fingerprint),
          run("x\n", at, "--tls-fingerprint", other),
          run("x\n", plain, "--tls"),
          run("x\n", at)
        ], { concurrency: 5 })
        assert.include(unknown.stderr, "The certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)")
        assert.include(unknown.stderr, `use --tls-fingerprint ${fingerprint}\n`)
        assert.deepStrictEqual(trusted, { code: 0, stdout: "", stderr: "" })
        assert.strictEqual(wrong.stderr, `*** It is another certificate, with the fingerprint ${fingerprint}\n`)
        assert.strictEqual(noTls.stderr, `*** 127.0.0.1:${plain} speaks no TLS\n`)
        assert.strictEqual(needsTls.stderr, `*** 127.0.0.1:${at} is no tellnet server, or needs --tls\n`)
        assert.deepStrictEqual([unknown, wrong, noTls, needsTls].map(({ code }) => code), [1, 1, 1, 1])
      })
  )
})

/** A server that greets, and then does what the test says; its connections, and its port. */
const greeter = (meet: (socket: Net.Socket) => void = () => {}) =>
  Effect.acquireRelease(
    Effect.async<Net.Server>((resume) => {
      const hello = {
        kind: "hello",
        v: 1,
        version: "0.2.0",
        log: "a",
        you: { addr: "127.0.0.1:9", name: "127.0.0.1:9" },
        room: "lobby",
        seq: 0,
        maxLine: 4096
      }
      const server = Net.createServer((socket) => {
        socket.on("error", () => {}).resume()
        socket.write(`${JSON.stringify(hello)}\n`)
        meet(socket)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port))

const targetAt = (port: number) => ({ host: "127.0.0.1", port, isTls: false, fingerprint: undefined })

/** The client in this process, with these lines; `output` and `errors` are written to. */
const runHere = (
  lines: string,
  at: number,
  { errors = new PassThrough(), output = new PassThrough(), patience = 30_000 }: {
    readonly errors?: Writable
    readonly output?: Writable
    readonly patience?: number
  }
) => {
  const input = new PassThrough()
  input.end(lines)
  const beginning = { target: targetAt(at), wording: wordsIn("en"), name: undefined, secret: undefined, room: "lobby" }
  return within("the end of the client", Effect.promise(() => pipe(input, output, errors, beginning, patience)))
}

describe("The client in a pipe that nobody reads or answers", () => {
  for (
    const [what, meet] of [
      ["answers", () => {}],
      ["is there any more", (socket: Net.Socket) => socket.end()]
    ] as const
  ) {
    it.scopedLive(`gives up at the end of input where nobody ${what}`, () =>
      Effect.gen(function*() {
        const errors = new PassThrough()
        const at = yield* greeter(meet)
        assert.strictEqual(yield* runHere("hi\n", at, { errors, patience: 100 }), 1)
        assert.include(String(errors.read()), `*** Cannot connect to 127.0.0.1:${at}: no answer\n`)
      }))
  }

  it.scopedLive("says all, though nobody reads the reasons", () =>
    Effect.gen(function*() {
      const [own = 0] = yield* doors({ rate: 0 })
      const ann = yield* connect(own)
      yield* ann.line
      const errors = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) })
      assert.strictEqual(yield* runHere("/what\n/what\nthe last\n", own, { errors }), 1)
      yield* until(ann, (line) => line.endsWith(":the last"))
    }))

  it.scopedLive("reads no more than is read from it", () =>
    Effect.gen(function*() {
      const line =
        `{"kind":"private","time":"2026-11-25T09:00:00.000Z","from":{"addr":"a","name":"a"},"to":"b","text":"${
          "x".repeat(1000)
        }"}\n`
      const count = 64_000
      let server: Net.Socket | undefined
      const at = yield* greeter((socket) => {
        server = socket
        socket.write(line.repeat(count))
      })
      let lines = 0
      let go = () => {}
      const output = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          lines += chunk.toString().split("\n").length - 1
          if (lines === 1) go = done
          else done()
        }
      })
      const run = yield* Effect.fork(runHere("", at, { output }))
      yield* within(
        "the first line",
        Effect.repeat(Effect.delay(Effect.sync(() => lines), 10), { until: (n) => n === 1 })
      )
      // What the system takes for a connection that nobody reads has an end.
      const taken = Effect.delay(Effect.sync(() => server!.bytesWritten - server!.writableLength), 300)
      for (let [before, now] = [-1, 0]; now !== before;) [before, now] = [now, yield* taken]
      assert.isBelow(output.writableLength, 2 ** 20)
      assert.isAbove(server!.writableLength, 2 ** 20)
      go()
      yield* within(
        "all lines",
        Effect.repeat(Effect.delay(Effect.sync(() => lines), 10), { until: (n) => n === count })
      )
      server!.destroy()
      yield* Fiber.interrupt(run)
    }))
})

describe("The connection of the client", () => {
  it.scopedLive("is given up where nothing answers any more, and made again", () =>
    Effect.gen(function*() {
      let visits = 0
      const server = yield* Effect.acquireRelease(
        Effect.async<Net.Server>((resume) => {
          const server = Net.createServer((socket) => {
            visits++
            socket.on("error", () => {}).resume()
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const target = targetAt((server.address() as Net.AddressInfo).port)
      const troubles: Array<Trouble> = []
      yield* within(
        "a second connection",
        Effect.async<void>((resume) => {
          const link = new Link(target, {
            opened: () => troubles.length > 0 && resume(Effect.sync(() => link.close())),
            told: () => {},
            closed: () => {},
            state: () => {},
            trouble: (trouble) => troubles.push(trouble)
          }, { patience: 50, look: 10 })
          link.now()
        })
      )
      assert.deepStrictEqual(troubles, [{ is: "silent" }])
      assert.strictEqual(visits, 2)
    }))
})
