/** Several nodes of one chat, as processes of their own, and what can happen to them and to NATS. */
import { assert, it } from "@effect/vitest"
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream"
import { connect as connectNats } from "@nats-io/transport-node"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Address } from "../src/domain/Address.ts"
import { type Event, NodeId, Nonce, UserId } from "../src/domain/Event.ts"
import { Name } from "../src/domain/Name.ts"
import { lobby } from "../src/domain/Room.ts"
import * as Codec from "../src/log/RecordCodec.ts"
import * as Proxy from "./soak/nodes/Proxy.ts"
import { bundled, type Child, get, measures, monitor, port } from "./support/child.ts"
import { type Client, connect, within } from "./support/client.ts"
import { describeNats, natsCluster, natsServer } from "./support/natsServer.ts"
import { called, come, told, until } from "./support/people.ts"
import { program } from "./support/program.ts"

const flags = (url: string) => ["--port", "0", "--metrics-port", "0", "--nats", url]

/** Starts a node, and waits until people can come. */
const node = (url: string, ...more: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const child = yield* bundled([...flags(url), ...more])
    return { child, port: yield* port(child), monitor: yield* monitor(child) }
  })

const online = ({ front }: Client) => `${front}已上线`
const offline = (client: Client, name: string = client.address) => `${called(client, name)}下线`

const cutOff = "*** 暂时无法发言，正在重试"
const back = "*** 已恢复"
const replaced = "*** 聊天记录已更换，旧消息不再可见"

const dies = ({ child }: { readonly child: Child }) => Effect.zipRight(child.signal("SIGKILL"), child.over)
const ends = ({ child }: { readonly child: Child }) => Effect.zipRight(child.signal("SIGTERM"), child.over)

/** What is on NATS, past all nodes. */
const jetStream = (urls: string) =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.promise(() => connectNats({ servers: urls.split(",") })),
      (connection) => Effect.promise(() => connection.close())
    ),
    (connection) => Effect.promise(() => jetstreamManager(connection))
  )

const old = { user: UserId(1), who: { address: Address("192.0.2.1:1"), name: Name("old") }, room: lobby }
const said = (text: string) => ({ _tag: "Said", ...old, text }) as const

/** What the nodes keep on NATS. */
const kept = ["tellnet_log", "KV_tellnet_nodes", "KV_tellnet_registry"]

/** Waits until each server of a cluster has all of it: before that the death of another one can leave it without a majority. */
const allCurrent = (manager: JetStreamManager) => {
  const isCurrent = (name: string) =>
    Effect.tryPromise(() => manager.streams.info(name)).pipe(Effect.map(({ cluster }) => {
      const { leader = "", replicas = [] } = cluster ?? {}
      return leader !== "" && replicas.length === 2 &&
        replicas.every(({ current, offline }) => current && offline !== true)
    }))
  const looked = Effect.forEach(kept, (name) => Effect.filterOrFail(isCurrent(name), (is) => is))
  return within("a whole cluster", Effect.orDie(Effect.retry(looked, Schedule.spaced("100 millis"))))
}

/** Writes records of a node that is not there any more. */
const writeRecords = (manager: JetStreamManager, records: ReadonlyArray<ReadonlyArray<Event>>) =>
  Effect.forEach(
    records,
    (events, n) => {
      const body = Codec.encode({ node: NodeId("abcd"), number: n + 1, events })
      return Effect.promise(() => manager.jetstream().publish("tellnet.log.said", body))
    },
    { concurrency: 100, discard: true }
  )

/** Two nodes with somebody on each, who know of each other. */
const pair = (url: string) =>
  Effect.gen(function*() {
    const [a, b] = yield* Effect.all([node(url), node(url)], { concurrency: 2 })
    const ann = yield* come(a.port)
    const bob = yield* connect(b.port)
    for (const one of [ann, bob]) yield* one.sees(online(bob))
    return { a, b, ann, bob }
  })

describeNats("Several nodes", { concurrent: true }, () => {
  it.scopedLive(
    "are one chat: talk, lists, a name that two want at once, private lines, the same order for all",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const { a, ann, bob } = yield* pair(url)
        const c = yield* node(url)
        const eve = yield* connect(c.port)
        for (const one of [ann, bob, eve]) yield* one.sees(online(eve))
        yield* ann.send("who\n")
        yield* ann.sees(...[ann, bob, eve].map(({ front }) => `${front}在线...`))
        // One of them gets it.
        yield* Effect.all([ann.send("rename|zoe\n"), bob.send("rename|zoe\n")], { concurrency: 2 })
        const answers = [yield* ann.line, yield* bob.line]
        assert.sameMembers(answers, ["您已经更新用户名:zoe", "当前用户名被使用"])
        const [zoe, other] = answers[0] === "当前用户名被使用" ? [bob, ann] : [ann, bob]
        yield* eve.send("to|zoe|psst\nto|nobody|psst\n")
        yield* zoe.sees(`${eve.address}对您说:psst`)
        yield* eve.sees("该用户名不存在")
        const lines = Array.from(
          { length: 30 },
          (_, n) => [ann, bob, eve].map((one) => one.send(`${one.address} ${n}\n`))
        )
        yield* Effect.all(lines.flat(), { concurrency: 3 })
        const read = yield* Effect.forEach([ann, bob, eve], (one) => Effect.replicateEffect(one.line, 90))
        assert.deepStrictEqual(read[1], read[0])
        assert.deepStrictEqual(read[2], read[0])
        assert.strictEqual(new Set(read[0]).size, 90)
        assert.strictEqual((yield* ends(a)).code, 0)
        // It went in order: nobody waits for its lease.
        const gone = offline(ann, zoe === ann ? "zoe" : undefined)
        for (const one of [bob, eve]) yield* one.sees(gone)
        assert.isDefined(other)
      })
  )

  it.scopedLive(
    "notice that one is dead: its users go once for everybody, and their names are free",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const { a, ann, b, bob } = yield* pair(url)
        const c = yield* node(url)
        const eve = yield* connect(c.port)
        for (const one of [ann, bob, eve]) yield* one.sees(online(eve))
        assert.deepStrictEqual(yield* told(ann, "rename|张三"), ["您已经更新用户名:张三"])
        yield* dies(a)
        for (const one of [bob, eve]) yield* one.sees(offline(ann, "张三"))
        assert.deepStrictEqual(yield* told(bob, "rename|张三"), ["您已经更新用户名:张三"])
        assert.deepStrictEqual(yield* told(eve, "who"), [`${called(bob, "张三")}在线...`, `${eve.front}在线...`])
        yield* measures(b.monitor, "tellnet_nodes_others 1")
        // One that begins knows of all this.
        const d = yield* node(url)
        const dave = yield* come(d.port)
        for (const one of [bob, eve]) yield* one.sees(online(dave))
        assert.deepStrictEqual(
          yield* told(dave, "who"),
          [`${called(bob, "张三")}在线...`, `${eve.front}在线...`, `${dave.front}在线...`]
        )
      })
  )

  it.scopedLive(
    "that were frozen for longer than the lease come back with their users, and what these said meanwhile",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const { a, ann, bob } = yield* pair(url)
        assert.deepStrictEqual(yield* told(ann, "rename|Ann"), ["您已经更新用户名:Ann"])
        yield* a.child.signal("SIGSTOP")
        yield* ann.send("said to a frozen node\n")
        yield* bob.sees(offline(ann, "Ann"))
        assert.deepStrictEqual(yield* told(bob, "to|Ann|psst"), ["该用户名不存在"])
        yield* a.child.signal("SIGCONT")
        yield* bob.sees(online(ann), `${called(ann, "Ann")}said to a frozen node`)
        yield* until(ann, `${called(ann, "Ann")}said to a frozen node`)
        assert.deepStrictEqual(
          yield* told(bob, "who"),
          [`${bob.front}在线...`, `${called(ann, "Ann")}在线...`]
        )
      })
  )

  it.scopedLive("say so when one cannot be reached", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const { a, ann, bob } = yield* pair(url)
      yield* a.child.signal("SIGSTOP")
      assert.deepStrictEqual(yield* told(bob, `to|${ann.address}|psst`), [
        `*** 暂时联系不到 ${ann.address}，可能未送达`
      ])
      yield* a.child.signal("SIGCONT")
      yield* until(ann, /对您说:psst$/)
    }))

  it.scopedLive(
    "tell people when NATS is gone, and say all that was accepted once it is back, once",
    () =>
      Effect.gen(function*() {
        const nats = yield* natsServer()
        const { a, ann, bob } = yield* pair(nats.url)
        yield* nats.kill("SIGSTOP")
        yield* ann.send("said to nobody yet\n")
        for (const one of [ann, bob]) yield* one.sees(cutOff)
        assert.strictEqual((yield* get(`${a.monitor}/readyz`)).status, 503)
        yield* nats.kill("SIGCONT")
        const lines = yield* Effect.forEach([ann, bob], (one) => Effect.replicateEffect(one.line, 2))
        for (const two of lines) assert.sameMembers(two, [back, `${ann.front}said to nobody yet`])
        // And over a kill.
        yield* nats.kill("SIGKILL")
        yield* bob.send("said to nobody yet either\n")
        for (const one of [ann, bob]) yield* one.sees(cutOff)
        yield* nats.restart
        const more = yield* Effect.forEach([ann, bob], (one) => Effect.replicateEffect(one.line, 2))
        for (const two of more) assert.sameMembers(two, [back, `${bob.front}said to nobody yet either`])
        assert.deepStrictEqual(yield* told(ann, "after"), [`${ann.front}after`])
        yield* bob.sees(`${ann.front}after`)
        assert.deepStrictEqual(yield* told(bob), [])
      })
  )

  it.scopedLive(
    "say aloud that the stream was deleted, and go on in another log with all their users",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const { ann, bob } = yield* pair(url)
        assert.deepStrictEqual(yield* told(ann, "rename|Ann", "old"), [
          "您已经更新用户名:Ann",
          `${called(ann, "Ann")}old`
        ])
        yield* bob.sees(`${called(ann, "Ann")}old`)
        const manager = yield* jetStream(url)
        yield* Effect.promise(() => manager.streams.delete("tellnet_log"))
        const read = yield* until(bob, replaced)
        // Everybody is gone in it at first.
        assert.include(read, offline(ann, "Ann"))
        yield* until(bob, online(ann))
        yield* until(ann, replaced)
        yield* until(ann, online(bob))
        yield* ann.send("new\n")
        yield* until(bob, `${called(ann, "Ann")}new`)
        yield* told(ann)
        assert.match((yield* told(bob, "/history")).join("\n"), /^\*\*\* \d\d-\d\d \S+ \[.*\]Ann:new$/)
      })
  )

  it.scopedLive(
    "lose nothing where one of three NATS servers dies, and another one after that is back",
    () =>
      Effect.gen(function*() {
        const servers = yield* natsCluster
        const urls = servers.map(({ url }) => url).join(",")
        // Longer than a cluster elects where the machine is busy: nobody is to be thought dead here.
        const flags = ["--nats-replicas", "3", "--node-lease", "20s"]
        const [a, b] = yield* Effect.all([1, 2].map(() => node(urls, ...flags)), { concurrency: 2 })
        const ann = yield* come(a!.port)
        const bob = yield* connect(b!.port)
        for (const one of [ann, bob]) yield* one.sees(online(bob))
        const manager = yield* jetStream(urls)
        let count = 0
        const talk = Effect.suspend(() => Effect.forEach([ann, bob], (one) => one.send(`${one.address} ${++count}\n`)))
        const isSaid = (line: string) => / \d+$/.test(line) && !line.startsWith("***")
        const hear = (lines: number) =>
          Effect.gen(function*() {
            const heard = (one: Client) => Effect.replicateEffect(Effect.repeat(one.line, { until: isSaid }), lines)
            const [first, second] = yield* Effect.all([heard(ann), heard(bob)], { concurrency: 2 })
            assert.deepStrictEqual(second, first)
            assert.strictEqual(new Set(first).size, lines)
          })
        for (const server of servers) {
          yield* talk
          yield* server.kill("SIGKILL")
          yield* talk
          yield* hear(4)
          yield* server.restart
          yield* talk
          yield* hear(2)
          yield* allCurrent(manager)
        }
        for (const one of [ann, bob]) assert.deepStrictEqual((yield* told(one)).filter(isSaid), [])
      })
  )

  it.scopedLive(
    "give what is there as many replicas as the last one wants that begins",
    () =>
      Effect.gen(function*() {
        const urls = (yield* natsCluster).map(({ url }) => url).join(",")
        for (const replicas of [1, 3]) {
          const one = yield* node(urls, "--nats-replicas", `${replicas}`)
          yield* ends(one)
          const manager = yield* jetStream(urls)
          for (const name of kept) {
            const { config } = yield* Effect.promise(() => manager.streams.info(name))
            assert.strictEqual(config.num_replicas, replicas, name)
          }
        }
      })
  )

  it.scopedLive(
    "remember the same of what was said, also one that begins",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const a = yield* node(url, "--rate", "0", "--rate-per-ip", "0")
        const bot = yield* program(a.port)
        // A nonce is forgotten behind 200 others of one address, and is then used anew.
        const nonces = ["first", ...Arr.makeBy(205, (n) => `other${n}`), "first"].map((nonce) => nonce.padEnd(16, "_"))
        for (const [id, nonce] of nonces.entries()) {
          const [answer] = (yield* bot.answered({ do: "say", text: `line ${id}`, nonce, id })).slice(-1)
          assert.include(answer, { kind: "answer", ok: true })
        }
        const history = (from: typeof bot) =>
          Effect.map(from.answered({ do: "history", id: "h", limit: 1000 }), (lines) =>
            lines.flatMap((line) => line.kind === "past" ? [line.text] : []))
        const expected = nonces.map((_, id) =>
          `line ${id}`
        )
        assert.deepStrictEqual(yield* history(bot), expected)
        const c = yield* program((yield* node(url, "--rate", "0", "--rate-per-ip", "0")).port)
        const same = Effect.repeat(Effect.delay(history(c), "200 millis"), {
          until: (lines) => lines.length >= expected.length
        })
        assert.deepStrictEqual(yield* within("all of the history", same), expected)
      })
  )

  it.scopedLive(
    "remember what was said long before they began",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const before = yield* node(url)
        yield* dies(before)
        const manager = yield* jetStream(url)
        // More than a node reads before it lets people in.
        const lines = 6000
        yield* writeRecords(manager, Arr.makeBy(lines, (n) => [said(`line ${n + 1}`)]))
        const { port } = yield* node(url)
        const bot = yield* program(port)
        const first = bot.answered({ do: "history", id: 1, limit: 1, after: 0 }).pipe(
          Effect.delay("200 millis"),
          Effect.repeat({ until: (lines) => lines.some((line) => line.kind === "past" && line.text === "line 1") })
        )
        yield* within("the first line", first)
      })
  )

  it.scopedLive(
    "read all of what was said last, on however slow a way",
    () =>
      Effect.gen(function*() {
        const nats = yield* natsServer()
        yield* ends(yield* node(nats.url))
        const manager = yield* jetStream(nats.url)
        const text = "x".repeat(3900)
        const nonce = Nonce("said-before-them")
        const records = Arr.makeBy(240, (n) => Arr.makeBy(18, (k) => said(`${n}.${k} ${text}`)))
        yield* writeRecords(manager, [...records, [{ ...said("the last one"), nonce }]])
        // One request for all of it would take longer than any answer is waited for.
        const way = yield* Proxy.make(nats.port, 3_000_000)
        const bot = yield* program((yield* node(`nats://127.0.0.1:${way.port}`, "--rate", "0")).port)
        const past = yield* bot.answered({ do: "history", id: 1, limit: 19 })
        const texts = past.flatMap((line) => line.kind === "past" ? [line.text.split(" x")[0]] : [])
        assert.deepStrictEqual(texts, [...Arr.makeBy(18, (k) => `239.${k}`), "the last one"])
        // It is not said again.
        const again = yield* bot.answered({ do: "say", text: "the last one", nonce, id: 2 })
        assert.strictEqual(again.length, 1)
        assert.include(again[0], { kind: "answer", ok: true })
      })
  )

  it.scopedLive(
    "end at once where the stream forgot what they had not seen, and say so",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const { ann, b, bob } = yield* pair(url)
        const manager = yield* jetStream(url)
        yield* b.child.signal("SIGSTOP")
        // What it asked for already will come.
        yield* writeRecords(manager, Arr.makeBy(1000, () => []))
        assert.deepStrictEqual(yield* told(ann, "rename|张三"), ["您已经更新用户名:张三"])
        assert.deepStrictEqual(yield* told(ann, "never seen there"), [`${called(ann, "张三")}never seen there`])
        const { state } = yield* Effect.promise(() => manager.streams.info("tellnet_log"))
        yield* Effect.promise(() => manager.streams.purge("tellnet_log", { seq: state.last_seq }))
        yield* b.child.signal("SIGCONT")
        assert.deepStrictEqual(yield* told(ann, "one more"), [`${called(ann, "张三")}one more`])
        yield* bob.sees("*** 服务器即将关闭")
        const { code, stdout } = yield* b.child.over
        assert.strictEqual(code, 1)
        assert.include(stdout, "the stream has forgotten what this node had not seen yet")
        yield* ann.sees(offline(bob))
      })
  )

  it.scopedLive(
    "end within the grace though NATS is gone and somebody waits to be heard",
    () =>
      Effect.gen(function*() {
        const nats = yield* natsServer()
        const { child, port } = yield* node(nats.url, "--shutdown-grace", "1s")
        const ann = yield* come(port)
        yield* nats.kill("SIGSTOP")
        yield* ann.send("never said\n")
        yield* ann.sees(cutOff)
        yield* child.signal("SIGTERM")
        yield* ann.sees("*** 服务器即将关闭")
        assert.strictEqual((yield* child.over).code, 0)
        yield* nats.kill("SIGCONT")
      })
  )

  it.scopedLive(
    "bury nobody who comes back to NATS later than one that begins",
    () =>
      Effect.gen(function*() {
        const nats = yield* natsServer()
        const { ann, bob } = yield* pair(nats.url)
        yield* nats.kill("SIGKILL")
        for (const one of [ann, bob]) yield* one.sees(cutOff)
        const beginning = yield* bundled(flags(nats.url))
        yield* beginning.prints(/connecting to NATS/)
        yield* nats.restart
        yield* port(beginning)
        for (const one of [ann, bob]) yield* one.sees(back)
        assert.deepStrictEqual(yield* told(ann, "still here"), [`${ann.front}still here`])
        yield* bob.sees(`${ann.front}still here`)
      })
  )

  it.scopedLive("do not start with more replicas than there are servers", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      // Where the stream is there already, the server alone would say yes.
      const first = yield* node(url)
      yield* ends(first)
      const child = yield* bundled([...flags(url), "--nats-replicas", "3"])
      const { code, stderr } = yield* child.over
      assert.strictEqual(code, 1)
      assert.include(stderr, "one server alone cannot keep 3 replicas")
    }))

  it.scopedLive("do not start without NATS", () =>
    Effect.gen(function*() {
      const child = yield* bundled(flags("nats://127.0.0.1:1"))
      const { code, stderr } = yield* child.over
      assert.strictEqual(code, 1)
      assert.include(stderr, "NATS at nats://127.0.0.1:1 cannot be reached: ")
    }))

  it.scopedLive("do not start where messages of NATS are too small", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer("max_payload: 262144")
      const child = yield* bundled(flags(url))
      const { code, stderr } = yield* child.over
      assert.strictEqual(code, 1)
      assert.include(stderr, "the max_payload of NATS is 262144 bytes, and tellnet needs 524288")
    }))
})
