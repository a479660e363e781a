/** What operators do on one of several nodes is so on all of them, on those that begin later, and after all have stopped. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { bundled, port } from "./support/child.ts"
import { type Client, connect, type Options, within } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import * as Hashing from "./support/hashing.ts"
import { describeNats, natsServer } from "./support/natsServer.ts"
import { asks, called, elsewhere, own, secretOf, timeless, told, until } from "./support/people.ts"
import { doors } from "./support/server.ts"

const secret = "correct horse battery staple"
const banned = "*** 您已被禁止进入"
const muted = "*** 您已被禁言"

const isRefused = (port: number, line: string, options: Options) =>
  Effect.gen(function*() {
    const client = yield* connect(port, options)
    yield* client.sees(line)
    yield* client.ended
  })

/** Comes to a node, and is known to all who are here. */
const come = (port: number, others: ReadonlyArray<Client>, options: Options = elsewhere()) =>
  Effect.gen(function*() {
    const client = yield* connect(port, options)
    for (const one of [client, ...others]) yield* until(one, `${client.front}已上线`)
    return client
  })

const becomes = (client: Client) => asks(client, `/op ${secret}`, "*** 您现在是管理员")

/** Fails if it takes longer than a second. */
const inASecond = <A, R>(self: Effect.Effect<A, never, R>) =>
  Effect.timeoutTo(self, {
    duration: "1 second",
    onSuccess: Effect.succeed,
    onTimeout: () => Effect.dieMessage("it took longer than a second")
  }).pipe(Effect.flatten)

describeNats("Operators of several nodes", () => {
  Hashing.cheaply()

  it.scopedLive("mute, put out, ban, lock, erase and announce for all of them", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const path = `${yield* folder}/operators`
      writeFileSync(path, secret)
      const scope = yield* Scope.make()
      const settings = { rate: 0, nats: [url], opSecretFile: Option.some(path) }
      const node = Effect.map(doors(settings), ([port = 0]) => port)
      const nodeIn = (scope: Scope.Scope) => Scope.extend(node, scope)
      const [a, b] = yield* Effect.all([nodeIn(scope), nodeIn(scope)], { concurrency: 2 })
      const op = yield* come(a, [])
      const bob = yield* come(b, [op])
      const eve = yield* come(b, [op, bob])
      const owner = yield* come(b, [op, bob, eve])
      yield* becomes(op)
      yield* own(owner, "Owner")
      // A mute.
      yield* op.send(`/mute ${bob.address} 1h\n`)
      yield* inASecond(op.sees(`*** 已禁言 ${bob.address}`))
      yield* inASecond(asks(bob, "hi", muted))
      yield* asks(bob, `to|${eve.address}|psst`, muted)
      yield* asks(bob, "rename|Bobby", muted)
      yield* asks(op, `/unmute ${bob.address}`, `*** 已解除禁言 ${bob.address}`)
      yield* inASecond(Effect.repeat(told(bob, "one dirty word"), { until: ([line]) => line !== muted }))
      yield* told(eve, "a clean word")
      yield* until(op, `${eve.front}a clean word`)
      yield* told(bob, "two dirty words")
      yield* until(op, `${bob.front}two dirty words`)
      // Lines go on all nodes.
      yield* asks(op, `/erase ${bob.address}`, "*** 已删除 2 行")
      const clean = [`*** TIME ${eve.front}a clean word`]
      for (const one of [op, eve]) {
        yield* inASecond(
          Effect.repeat(Effect.map(told(one, "/history"), (lines) => timeless(lines)), {
            until: (lines) => JSON.stringify(lines.filter((line) => line.startsWith("***"))) === JSON.stringify(clean)
          })
        )
      }
      yield* told(owner, "said by its owner")
      yield* until(op, `${called(owner, "Owner")}said by its owner`)
      yield* asks(op, "/announce tea", "*** 公告：tea")
      for (const one of [bob, eve]) yield* inASecond(until(one, "*** 公告：tea"))
      // A kick.
      yield* op.send(`/kick ${eve.address} go\n`)
      yield* inASecond(until(eve, "*** 您被请出：go"))
      yield* eve.ended
      yield* op.sees(`${eve.front}下线`, `*** 已请出 ${eve.address}`)
      yield* until(bob, `${eve.front}下线`)
      // A ban: whoever is there goes, nobody comes from there to any node.
      const ofBob = { localAddress: bob.address.split(":")[0]! }
      yield* op.send(`/ban ${bob.address} 1h spam\n/ban Owner\n`)
      yield* inASecond(until(bob, banned))
      yield* inASecond(until(owner, banned))
      yield* bob.ended
      yield* until(op, "*** 已禁止 Owner")
      for (const port of [a, b]) yield* isRefused(port, banned, ofBob)
      // The owner of a banned name is known by its secret.
      const back = yield* connect(b, elsewhere())
      yield* until(back, `${back.front}已上线`)
      yield* back.send(`rename|Owner#${secretOf("Owner")}\n`)
      yield* until(back, banned)
      yield* back.ended
      yield* told(op)
      yield* asks(op, "/lock", "*** 已关闭入口")
      yield* inASecond(isRefused(b, "*** 暂不接受新用户", elsewhere()))
      // One that begins now has all of it from another one.
      const c = yield* nodeIn(scope)
      yield* isRefused(c, banned, ofBob)
      yield* isRefused(c, "*** 暂不接受新用户", elsewhere())
      yield* asks(op, "/unlock", "*** 已开放入口")
      const late = yield* come(c, [op])
      yield* becomes(late)
      const bans = yield* told(late, "/bans")
      assert.deepStrictEqual(bans.map((line) => line.replace(/\d\d-\d\d \d\d:\d\d/, "WHEN")), [
        "*** Owner 至 永久",
        `*** ${ofBob.localAddress} 至 WHEN spam`,
        `*** ${owner.address.split(":")[0]} 至 永久`
      ])
      const both = [...clean, `*** TIME ${called(owner, "Owner")}said by its owner`]
      const seen = (client: Client) =>
        within(
          "old lines",
          Effect.repeat(Effect.delay(Effect.map(told(client, "/history"), timeless), "50 millis"), {
            until: (lines) => JSON.stringify(lines) === JSON.stringify(both)
          })
        )
      yield* seen(late)
      yield* Scope.close(scope, Exit.void)
      // All have stopped: bans come from the registry, and what was erased is not read from the stream.
      const d = yield* node
      yield* isRefused(d, banned, ofBob)
      const next = yield* come(d, [])
      yield* seen(next)
      yield* becomes(next)
      yield* asks(next, "/unban owner", "*** 已解禁 Owner")
      const again = yield* come(d, [next])
      yield* again.send(`rename|Owner#${secretOf("Owner")}\n`)
      yield* until(again, "您已经更新用户名:Owner")
    }), 60_000)

  it.scopedLive(
    "see and ban where users of another node come from, though that is hidden from others",
    () =>
      Effect.gen(function*() {
        const { url } = yield* natsServer()
        const path = `${yield* folder}/operators`
        writeFileSync(path, secret)
        const flags = ["--port", "0", "--nats", url, "--addresses", "hidden", "--op-secret-file", path]
        const node = Effect.flatMap(bundled(flags), (child) => Effect.map(port(child), (port) => ({ child, port })))
        const [a, b] = yield* Effect.all([node, node], { concurrency: 2 })
        const [from, op] = [elsewhere(), yield* connect(b.port)]
        yield* op.line
        yield* becomes(op)
        const bob = yield* connect(a.port, from)
        const arrival = yield* bob.line
        assert.match(arrival, /^\[~\w{8}\]/)
        yield* until(op, arrival)
        yield* told(bob, "/nick bob")
        yield* within("a name", Effect.repeat(told(op, "/whois bob"), { until: ([line]) => line !== "该用户名不存在" }))
        const [known = ""] = yield* told(op, "/whois bob")
        assert.isTrue(known.startsWith(`*** [${bob.address}]bob 在 #lobby`), known)
        // Where nobody answers, nobody is banned.
        yield* a.child.signal("SIGSTOP")
        yield* asks(op, "/ban bob", "*** 暂时联系不到 bob，可能未送达")
        yield* a.child.signal("SIGCONT")
        yield* asks(op, "/bans", "*** 没有禁令")
        yield* op.send("/ban bob\n")
        yield* until(bob, banned)
        yield* bob.ended
        yield* until(op, "*** 已禁止 bob")
        for (const { port } of [a, b]) {
          yield* isRefused(port, banned, from)
          yield* told(yield* connect(port, elsewhere()))
        }
      }),
    60_000
  )
})
