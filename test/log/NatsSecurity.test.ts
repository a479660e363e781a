/** Nodes on a NATS server as `src/log/README.md` sets it up: what they may do there, and what strangers may not. */
import { assert, it } from "@effect/vitest"
import { jetstream } from "@nats-io/jetstream"
import {
  connect,
  type NatsConnection,
  type NodeConnectionOptions,
  usernamePasswordAuthenticator
} from "@nats-io/transport-node"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import { readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { NodeId } from "../../src/domain/Event.ts"
import * as NatsRegistry from "../../src/log/NatsRegistry.ts"
import * as Codec from "../../src/log/RecordCodec.ts"
import { Stats } from "../../src/ops/Stats.ts"
import { Server } from "../../src/Server.ts"
import { port, server, start } from "../support/child.ts"
import { arrive, within } from "../support/client.ts"
import { folder } from "../support/engines.ts"
import { describeNats, natsServer } from "../support/natsServer.ts"
import { asks, called, come, elsewhere, own, quit, readsNothing, told, until } from "../support/people.ts"
import { program } from "../support/program.ts"
import { config, doors } from "../support/server.ts"

const page = readFileSync(new URL("../../src/log/README.md", import.meta.url), "utf8")
const blocks = [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, kind, text = ""]) => ({ kind, text }))
const configuration = blocks.find(({ kind }) => kind === "")?.text ?? ""
const commands = blocks.find(({ kind, text }) => kind === "sh" && text.includes("openssl"))?.text ?? ""

/** A server as the page says, with strangers: `guest` has an account with the nodes, but not their rights; `other` has its own. */
const secured = Effect.gen(function*() {
  const files = yield* folder
  const made = yield* start("sh", ["-ec", `cd ${files}\n${commands}`], { NODE_PATH: resolve("node_modules") })
  const { code, stderr, stdout } = yield* made.over
  assert.strictEqual(code, 0, stderr)
  const [, password = ""] = readFileSync(`${files}/nats.login`, "utf8").trim().split(":")
  const may = `["other.>", "_INBOX.>", "$JS.API.INFO"]`
  const guest = `{ user: guest, password: guest, permissions: { publish: ${may}, subscribe: ${may} } }`
  const written = configuration
    .replaceAll("/etc/nats", files)
    // Flags of the tests say where.
    .replace(/^jetstream .*$/m, "")
    .replace("PASSWORD", password)
    .replace("PUBLIC_KEY", stdout.trim())
    .replace("users: [", `users: [ ${guest}`)
    .replace("accounts {", "accounts { OTHER { jetstream: enabled, users: [ { user: other, password: other } ] }")
  const log = `${files}/nats.log`
  const nats = yield* natsServer(`log_file: "${log}"\n${written}`)
  const url = `tls://127.0.0.1:${nats.port}`
  const trusting = ["--nats", url, "--nats-ca", `${files}/cert.pem`]
  return {
    files,
    url,
    trusting,
    withLogin: [...trusting, "--nats-login", `${files}/nats.login`],
    withNkey: [...trusting, "--nats-nkey", `${files}/nats.nkey`],
    violations: Effect.sync(() => readFileSync(log, "utf8").split("\n").filter((line) => /violation/i.test(line))),
    as: (name: string, secret = name) =>
      connection({
        servers: url,
        tls: { ca: readFileSync(`${files}/cert.pem`, "utf8") },
        authenticator: usernamePasswordAuthenticator(name, secret),
        ...(name === "tellnet" ? { inboxPrefix: "tellnet.inbox" } : {})
      }),
    password
  }
})

const connection = (options: NodeConnectionOptions) =>
  Effect.acquireRelease(
    Effect.promise(() => connect(options)),
    (connection) => Effect.promise(() => connection.close())
  )

const node = (...flags: ReadonlyArray<string>) => server("--lang", "zh", "--node-lease", "3s", ...flags)

describeNats("NatsSecurity", { concurrent: true }, () => {
  it.scopedLive("nodes have all the rights that they need, with a password and with an nkey", () =>
    Effect.gen(function*() {
      const { violations, withLogin, withNkey } = yield* secured
      const one = yield* node(...withLogin)
      const [first] = [yield* port(one)]
      const two = yield* node(...withNkey)
      const second = yield* port(two)
      const ann = yield* come(first, [], elsewhere())
      const bob = yield* come(second, [ann], elsewhere())
      yield* own(ann, "ann")
      yield* own(bob, "bob")
      yield* ann.send("hello\n")
      for (const each of [ann, bob]) yield* each.sees(`${called(ann, "ann")}hello`)
      yield* bob.send("to|ann|psst\n")
      yield* ann.sees("bob对您说:psst")
      yield* asks(bob, "/secret another secret", "*** 口令已更改")
      yield* quit(bob)
      yield* ann.sees(`${called(bob, "bob")}下线`)
      yield* asks(ann, "to|bob|later", "*** bob 不在线，已留言")
      yield* asks(ann, "/join den", `${called(ann, "ann")}来到 #den`)
      yield* asks(ann, "/join lobby", `${called(ann, "ann")}来到 #lobby`)
      // Its node is killed under it.
      const cy = yield* come(second, [ann], elsewhere())
      yield* two.signal("SIGKILL")
      yield* ann.sees(`${cy.front}下线`)
      const three = yield* node(...withNkey)
      const back = yield* come(yield* port(three), [ann], elsewhere())
      const lines = yield* told(back, "rename|bob#another secret")
      assert.isTrue(lines.some((line) => line.endsWith("ann对您说:later")), lines.join("\n"))
      yield* asks(back, "/disown", "*** bob 不再归您所有")
      for (const each of [one, three]) yield* each.signal("SIGTERM")
      for (const each of [ann, back]) yield* Effect.zipRight(until(each, "*** 服务器即将关闭"), each.end)
      for (const each of [one, three]) assert.strictEqual((yield* each.over).code, 0)
      // What the flags say is brought to the stream that is there.
      const four = yield* node(...withLogin, "--keep-lines", "5000")
      yield* own(yield* arrive(yield* port(four)), "dan")
      yield* four.signal("SIGTERM")
      assert.strictEqual((yield* four.over).code, 0)
      assert.deepStrictEqual(yield* violations, [])
    }))

  it.scopedLive("a node with these rights lists more than NATS sends without being asked to go on", () =>
    Effect.gen(function*() {
      const { as, password, violations } = yield* secured
      const js = jetstream(yield* as("tellnet", password))
      const registry = NatsRegistry.make(yield* NatsRegistry.open(js, "tellnet_registry", 1))
      const keys = Array.makeBy(3000, (n) => `name/${n}`)
      const value = "v".repeat(1500)
      yield* Effect.forEach(keys, (key) => registry.put(key, value, undefined), { concurrency: 200 })
      assert.strictEqual((yield* registry.list("name/", 5000)).length, keys.length)
      assert.deepStrictEqual(yield* violations, [])
    }))

  it.scopedLive("strangers neither read nor write the chat", () =>
    Effect.gen(function*() {
      const { as, trusting, violations, withLogin, files } = yield* secured
      const ann = yield* arrive(yield* port(yield* node(...withLogin)))
      const guest = yield* as("guest")
      const other = yield* as("other")
      const hear = (connection: NatsConnection) => {
        const heard: Array<string> = []
        for (const subject of [">", "tellnet.>", "tellnet.inbox.>", "$KV.>", "other.>"]) {
          connection.subscribe(subject, { callback: (error, message) => void (error ?? heard.push(message.string())) })
        }
        return heard
      }
      const [heardByGuest, heardByOther] = [hear(guest), hear(other)]
      const forged = Codec.encode({ node: NodeId(""), number: 0, events: [{ _tag: "NodeGone", node: NodeId("a") }] })
      const asked = ["STREAM.INFO", "STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.GET", "CONSUMER.CREATE"]
        .flatMap((what) => ["tellnet_log", "KV_tellnet_registry"].map((stream) => `$JS.API.${what}.${stream}`))
      for (const connection of [guest, other]) {
        for (const subject of ["tellnet.log.said", "tellnet.node.a", "$KV.tellnet_registry.a"]) {
          connection.publish(subject, forged)
        }
        for (const subject of asked) {
          const ask = () => connection.request(subject, "{\"seq\":1}", { timeout: 2000 })
          const answer = yield* Effect.either(Effect.tryPromise(ask))
          // The other account has streams of its own, and none that is called so.
          if (answer._tag === "Right") assert.property(answer.right.json(), "error")
        }
      }
      yield* ann.send("between us\n")
      yield* ann.sees(`${ann.front}between us`)
      for (const connection of [guest, other]) yield* Effect.promise(() => connection.flush())
      assert.deepStrictEqual(heardByGuest, [])
      // It hears itself.
      assert.isNotEmpty(heardByOther)
      for (const text of heardByOther) assert.notInclude(text, ann.address)
      yield* readsNothing(ann)
      // The guest was refused, or the log of the server says nothing.
      assert.isAbove((yield* violations).length, 10)

      // Another chat of the same name, in another account.
      const login = `${files}/other.login`
      writeFileSync(login, "other:other")
      const elsewhere = yield* arrive(yield* port(yield* node(...trusting, "--nats-login", login)))
      yield* elsewhere.send("nobody else\n")
      yield* elsewhere.sees(`${elsewhere.front}nobody else`)
      yield* asks(elsewhere, "who", `${elsewhere.front}在线...`)
      yield* readsNothing(ann)
    }))

  it.scopedLive("chats with different prefixes on one server do not meet", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const ann = yield* arrive(yield* port(yield* node("--nats", url)))
      const bob = yield* arrive(yield* port(yield* node("--nats", url, "--nats-prefix", "tellnet_2")))
      yield* own(ann, "same")
      yield* own(bob, "same", "another secret")
      yield* asks(bob, "to|ann|hi", "该用户名不存在")
      for (const each of [ann, bob]) {
        yield* asks(each, "who", `${called(each, "same")}在线...`)
        yield* readsNothing(each)
      }
    }))

  it.scopedLive("what is wrong with a login or a file is said at once", () =>
    Effect.gen(function*() {
      const { files, trusting, url, withLogin } = yield* secured
      const write = (name: string, text: string) => {
        writeFileSync(`${files}/${name}`, text)
        return `${files}/${name}`
      }
      const absent = `${files}/absent`
      const garbage = write("garbage", "garbage")
      const refuses = (says: string, ...flags: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          const child = yield* server(...flags)
          const { code, stderr, stdout } = yield* Effect.timeout(child.over, "10 seconds")
          // Newer Nodes have an advice in it.
          const words = stderr.trim().replace(/(?<=self-signed certificate);.*(?= \(see)/, "")
          assert.deepStrictEqual({ code, stderr: words }, { code: 1, stderr: says })
          assert.match(stdout, /^(?:\S+ \S+ INFO .*: connecting to NATS at \S+\n)?$/)
        })
      const login = (file: string) => [...trusting, "--nats-login", file]
      const cannotRead = `${absent} cannot be read: ENOENT: no such file or directory, open '${absent}'`
      const denied = `NATS at ${url} cannot be reached: Authorization Violation`
      yield* refuses(denied, ...login(write("wrong", "tellnet:wrong")))
      yield* refuses(denied, ...trusting)
      yield* refuses(cannotRead, ...login(absent))
      yield* refuses(cannotRead, "--nats", url, "--nats-ca", absent)
      yield* refuses(cannotRead, ...trusting, "--nats-nkey", absent)
      yield* refuses(`${garbage} must hold USER:PASSWORD`, ...login(garbage))
      yield* refuses(`${garbage} must hold the seed of an nkey`, ...trusting, "--nats-nkey", garbage)
      yield* refuses(`${garbage} must hold certificates (PEM)`, "--nats", url, "--nats-ca", garbage)
      yield* refuses(`NATS at ${url} cannot be reached: self-signed certificate (see --nats-ca)`, "--nats", url)
      // It has no rights there.
      const { code, stderr } = yield* Effect.flatMap(server(...withLogin, "--nats-prefix", "other"), ({ over }) => over)
      assert.match(stderr, /^JetStream at \S+ cannot be used: Permissions Violation for \w+ \w* ?"\S*other\S*"\n$/)
      assert.strictEqual(code, 1)
    }))

  it.scopedLive("a password goes to nobody who speaks no TLS, and to nobody with a certificate for somebody else", () =>
    Effect.gen(function*() {
      const { files, withLogin } = yield* secured
      const plain = yield* natsServer()
      const args = ["--nats", plain.url.replace("nats:", "tls:"), "--nats-login", `${files}/nats.login`]
      const first = yield* server(...args)
      assert.match((yield* first.over).stderr, /cannot be reached: server does not support 'tls'\n$/)
      const renewed = "-addext subjectAltName=IP:127.0.0.2,DNS:localhost -keyout key.pem -out cert.pem"
      const made = yield* start("sh", ["-ec", `cd ${files}\n${commands.replace(/-addext .*/, renewed)}`], {
        NODE_PATH: resolve("node_modules")
      })
      yield* made.over
      const tls = `tls { cert_file: "${files}/cert.pem", key_file: "${files}/key.pem" }`
      const { port } = yield* natsServer(tls)
      const { code, stderr } = yield* Effect.flatMap(
        server(...withLogin, "--nats", `tls://127.0.0.1:${port}`),
        ({ over }) => over
      )
      assert.match(stderr, /cannot be reached: Hostname\/IP does not match certificate's altnames: .*127\.0\.0\.1/)
      assert.strictEqual(code, 1)
    }))

  it.scopedLive("whatever a client asks for, what its node writes is a record", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const [listening = 0] = yield* doors({ nats: [url], rate: 0 })
      const { answered } = yield* program(listening)
      // NFKC makes 18 letters of it.
      for (const [id, length] of [50, 100, 256, 257, 512].entries()) {
        const asked = { do: "to", name: "\ufdfa".repeat(length), text: "x", nonce: `0123456789abcde${id}`, id }
        const answer = (yield* answered(asked)).at(-1)
        assert.include(answer, { ok: false, code: "no-such-user" })
      }
      assert.include((yield* answered({ do: "say", text: "\"".repeat(4096), id: "last" })).at(-1), { ok: true })
    }))

  it.scopedLive("garbage in the stream is passed over by all, and counted", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const start = Effect.gen(function*() {
        const one = Layer.merge(Layer.provide(Server.layer, config({ nats: [url], rate: 0 })), Stats.layer)
        const context = yield* Layer.build(one).pipe(Logger.withMinimumLogLevel(LogLevel.None))
        return { port: Context.get(context, Server).doors[0]?.port ?? 0, stats: Context.get(context, Stats) }
      })
      const [first, second] = [yield* start, yield* start]
      const ann = yield* come(first.port)
      const bob = yield* come(second.port, [ann])
      const stranger = yield* connection({ servers: url })
      const user = { user: 0, who: { address: "1.2.3.4:5", name: "\u001b[2J\n*** x" } }
      const record = (...events: ReadonlyArray<object>) => JSON.stringify({ v: 1, node: "abc", number: 1, events })
      const garbage = [
        "",
        "garbage",
        Buffer.from([0xff, 0xfe]),
        "[".repeat(100_000),
        Buffer.alloc(500_000, "a"),
        record().replace(":1,", ":2,"),
        record({ _tag: "Said", ...user, room: "lobby" }),
        record({ _tag: "Left", user: -1, reason: "quit" }),
        record({ _tag: "Left", user: 0, reason: "\u001b[2J" }),
        record({ _tag: "NodeGone", node: "../.." })
      ]
      for (const each of garbage) for (const kind of ["said", "presence"]) stranger.publish(`tellnet.log.${kind}`, each)
      yield* Effect.promise(() => stranger.flush())
      yield* bob.send("still here\n")
      for (const each of [ann, bob]) yield* each.sees(`${bob.front}still here`)
      for (const { stats } of [first, second]) {
        yield* within(
          "all garbage",
          Effect.repeat(Effect.sync(() => stats.link.malformed), {
            until: (count) => count >= 2 * garbage.length,
            schedule: Schedule.spaced("20 millis")
          })
        )
        assert.strictEqual(stats.link.malformed, 2 * garbage.length)
      }
      // What looks like a record is shown as text that drives no terminal.
      stranger.publish(
        "tellnet.log.said",
        record({ _tag: "Arrived", user: 0, address: "\u001b]0;x\u0007\n" }, {
          _tag: "Said",
          ...user,
          room: "lobby",
          text: "\u202ex\u009b"
        })
      )
      for (const each of [ann, bob]) {
        yield* each.sees(
          "[\ufffd]0;x\ufffd\ufffd]\ufffd]0;x\ufffd\ufffd:已上线",
          "[\ufffd]0;x\ufffd\ufffd]\ufffd]0;x\ufffd\ufffd:\ufffdx\ufffd"
        )
      }
      // And to one that comes later.
      const late = yield* start
      const cy = yield* come(late.port, [ann, bob])
      yield* cy.send("hello\n")
      for (const each of [ann, bob, cy]) yield* each.sees(`${cy.front}hello`)
    }))
})
