/** Operators on a real server: what they, those whom they meet, and everybody else read, byte for byte. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { readFileSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import * as Networks from "../src/domain/Networks.ts"
import type { Settings } from "../src/ServerConfig.ts"
import { arrive, type Client, connect, type Options, within } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import * as Hashing from "./support/hashing.ts"
import { asks, called, come, elsewhere, own, readsNothing, secretOf, timeless, told, until } from "./support/people.ts"
import { program, speaking } from "./support/program.ts"
import * as Proxy from "./support/proxy.ts"
import { doors, plainAndTls, start } from "./support/server.ts"
import { arriveByWeb, browse, plainAndWeb } from "./support/web.ts"

const secret = "correct horse battery staple"
const isOperator = "*** 您现在是管理员"
const muted = "*** 您已被禁言"
const banned = "*** 您已被禁止进入"
const unknown = (word: string) => `*** 未知命令 ${word}，输入 /help 查看帮助`

/** A file whose first line is the secret. */
const secretFile = Effect.map(folder, (folder) => {
  writeFileSync(`${folder}/operators`, `${secret}\nwhat follows is not read\n`)
  return Option.some(`${folder}/operators`)
})

const open = (settings: Partial<Settings> = {}) =>
  Effect.flatMap(secretFile, (opSecretFile) => start({ rate: 0, opSecretFile, ...settings }))

const operator = (port: number, others: ReadonlyArray<Client> = []) =>
  Effect.tap(come(port, others), (op) => asks(op, `/op ${secret}`, isOperator))

/** A newcomer from there reads this, and is closed. */
const isRefused = (port: number, line: string, options: Options) =>
  Effect.gen(function*() {
    const client = yield* connect(port, options)
    yield* client.sees(line)
    yield* client.ended
  })

const places = [
  { name: "in memory", data: Effect.succeed<Settings["data"]>("none") },
  { name: "in a file", data: Effect.map(folder, (folder) => ({ file: `${folder}/tellnet.db` })) }
]

describe("Operators", { concurrent: true }, () => {
  Hashing.cheaply()

  it.scopedLive("are those who know the secret; for all others their commands are unknown", () =>
    Effect.gen(function*() {
      const port = yield* open()
      const ann = yield* come(port)
      for (const word of ["kick", "Mute", "unmute", "ban", "unban", "bans", "lock", "unlock", "release", "erase"]) {
        yield* asks(ann, `/${word} x y z`, unknown(`/${word}`))
      }
      yield* asks(ann, "/announce hi", unknown("/announce"))
      yield* asks(ann, "/deop", unknown("/deop"))
      assert.notInclude((yield* told(ann, "/help")).join(), "/kick")
      yield* asks(ann, "/op", "*** 用法：/op SECRET")
      yield* asks(ann, `/op ${secret}!`, "*** 口令不对")
      yield* asks(ann, `／OP　${secret} `, isOperator)
      yield* asks(ann, "/op once more", "*** 口令不对")
      const help = yield* told(ann, "/help")
      assert.includeMembers([...help], [
        "*** 管理",
        "***   /ban NAME|IP|CIDR [DURATION] [REASON]  禁止一个用户或网络进入（默认永久）"
      ])
      yield* asks(ann, "/kick", "*** 用法：/kick NAME [REASON]")
      yield* asks(ann, "/deop", "*** 您不再是管理员")
      yield* asks(ann, "/kick", unknown("/kick"))
    }))

  it.scopedLive("see and ban where somebody comes from, though others do not", () =>
    Effect.gen(function*() {
      const port = yield* open({ addresses: "hidden" })
      const ann = yield* connect(port)
      const [, shown = ""] = /^\[(~\w{8})\]/.exec(yield* ann.line) ?? []
      yield* asks(ann, `/op ${secret}`, isOperator)
      const options = { localAddress: "127.0.9.6" }
      const bob = yield* connect(port, options)
      yield* ann.sees(yield* bob.line)
      yield* asks(bob, "/nick bob", "您已经更新用户名:bob")
      assert.match((yield* told(bob, "/whois bob")).join(), /^\*\*\* \[~\w{8}\]bob 在 #lobby/)
      const known = (yield* told(ann, "/whois bob")).join()
      assert.isTrue(known.startsWith(`*** [${bob.address}]bob 在 #lobby`), known)
      // Its own network, and one that is hidden, are none that could be banned.
      yield* asks(ann, `/ban ${shown}`, "*** 用法：/ban NAME|IP|CIDR [DURATION] [REASON]")
      yield* ann.send("/ban bob\n")
      yield* bob.sees(banned)
      yield* bob.ended
      assert.match(yield* ann.line, /^\[~\w{8}\]bob:下线$/)
      yield* ann.sees("*** 已禁止 bob")
      yield* isRefused(port, banned, options)
      // Two of one network whose names look the same are known apart by where they come from.
      const from = { localAddress: "127.0.9.7" }
      const [one, other] = [yield* connect(port, from), yield* connect(port, from)]
      yield* told(one, "/nick Mallory", "a dirty word")
      yield* told(other, "/nick MaIlory", "a clean word")
      yield* told(ann)
      for (const name of ["Mallory", "MaIlory"]) yield* asks(ann, `/kick ${name}`, "*** 有相似的用户名，请用地址")
      yield* ann.send(`/kick ${one.address}\n`)
      yield* until(one, "*** 您被请出")
      yield* one.ended
      yield* until(ann, `*** 已请出 ${one.address}`)
      // What was said from there is found, though it is hidden where it is kept.
      const { localAddress } = from
      yield* asks(ann, `/erase ${localAddress}`, "*** 已删除 2 行")
      assert.deepStrictEqual(timeless(yield* told(ann, "/history")), ["*** 还没有消息"])
    }))

  it.scopedLive("are closed after three wrong secrets, and ten of one network in an hour are looked at", () =>
    Effect.gen(function*() {
      const port = yield* open()
      const from = elsewhere()
      for (let n = 0; n < 3; n++) {
        const eve = yield* arrive(port, from)
        yield* eve.send("/op wrong wrong wrong\n".repeat(4))
        yield* eve.sees("*** 口令不对", "*** 口令不对", "*** 口令不对")
        yield* eve.ended
      }
      const eve = yield* arrive(port, from)
      yield* asks(eve, "/op wrong wrong wrong", "*** 口令不对")
      yield* asks(eve, `/op ${secret}`, "*** 服务器忙，请稍后再试")
      const ann = yield* connect(port, elsewhere())
      yield* until(ann, `${ann.front}已上线`)
      yield* asks(ann, `/op ${secret}`, isOperator)
    }))

  it.scopedLive("come over the plain port from this machine only, but over TLS and with --op-plain from anywhere", () =>
    Effect.gen(function*() {
      const settings = { rate: 0, opSecretFile: yield* secretFile, proxyProtocol: Networks.read("127.0.0.1") }
      const { plain, tls } = yield* plainAndTls(settings)
      const abroad = { header: Proxy.v1("203.0.113.7", 4000) }
      const ann = yield* connect(plain, abroad)
      yield* ann.sees("[203.0.113.7:4000]203.0.113.7:4000:已上线")
      yield* asks(ann, `/op ${secret}`, unknown("/op"))
      const bob = yield* connect(tls, { ...abroad, tls: true })
      yield* until(bob, /已上线$/)
      yield* asks(bob, `/op ${secret}`, isOperator)
      const open = yield* start({ ...settings, opPlain: true })
      const eve = yield* connect(open, abroad)
      yield* eve.line
      yield* asks(eve, `/op ${secret}`, isOperator)
    }))

  it.scopedLive("put somebody out, who reads why, and whose name is free", () =>
    Effect.gen(function*() {
      const port = yield* open()
      const op = yield* operator(port)
      const bob = yield* come(port, [op], elsewhere())
      const eve = yield* come(port, [op, bob], elsewhere())
      yield* asks(bob, "/nick Bob", "您已经更新用户名:Bob")
      yield* asks(op, "/kick Boba", "该用户名不存在")
      yield* op.send("/kick bob  too  loud \n")
      yield* bob.sees("*** 您被请出：too  loud")
      yield* bob.ended
      yield* op.sees(`${called(bob, "Bob")}下线`, "*** 已请出 Bob")
      yield* eve.sees(`${called(bob, "Bob")}下线`)
      // By its address, whatever it is called; without a reason.
      yield* asks(eve, "/nick Bob", "您已经更新用户名:Bob")
      yield* op.send(`/kick ${eve.address}\n`)
      yield* eve.sees("*** 您被请出")
      yield* eve.ended
      yield* op.sees(`${called(eve, "Bob")}下线`, `*** 已请出 ${eve.address}`)
    }))

  it.scopedLive("mean exactly the name that they type, and the address where two names look the same", () =>
    Effect.gen(function*() {
      const port = yield* open()
      const op = yield* operator(port)
      const bob = yield* come(port, [op], elsewhere())
      const mallory = yield* come(port, [op, bob], elsewhere())
      yield* asks(bob, "/nick Alice", "您已经更新用户名:Alice")
      // A capital I in the place of the l.
      yield* asks(mallory, "/nick AIice", "您已经更新用户名:AIice")
      for (const word of ["kick", "mute", "ban", "erase", "release"]) {
        yield* asks(op, `/${word} Alice`, "*** 有相似的用户名，请用地址")
        yield* asks(op, `/${word} AIice`, "*** 有相似的用户名，请用地址")
      }
      yield* asks(op, `/mute ${mallory.address}`, `*** 已禁言 ${mallory.address}`)
      yield* asks(bob, "hi", `${called(bob, "Alice")}hi`)
      yield* asks(mallory, "hi", `${called(bob, "Alice")}hi`, muted)
    }))

  it.scopedLive("let somebody say nothing, tell nothing, be called nothing else and go nowhere, until that is over", () =>
    Effect.gen(function*() {
      const port = yield* open()
      const op = yield* operator(port)
      const here = elsewhere()
      const bob = yield* come(port, [op], here)
      const twin = yield* come(port, [op, bob], here)
      const owner = yield* come(port, [op, bob, twin], here)
      yield* own(owner, "Owner")
      yield* asks(op, `/mute ${bob.address}`, `*** 已禁言 ${bob.address}`)
      yield* readsNothing(bob)
      for (
        const line of [
          "hi",
          "//hi",
          `to|${op.address}|psst`,
          "to|",
          "to||",
          "rename|Bob",
          "rename|Owner#secret of Owner"
        ]
      ) {
        yield* asks(bob, line, muted)
      }
      yield* asks(bob, "/join tea", muted)
      yield* asks(bob, "rename|admin", "*** 该用户名为系统保留")
      yield* asks(
        bob,
        "/who",
        ...[op, bob, twin].map(({ front }) => `${front}在线...`),
        `${called(owner, "Owner")}在线...`
      )
      // Whoever has no name of its own, and comes from there.
      yield* asks(twin, "hi", muted)
      yield* asks(owner, "hi", `${called(owner, "Owner")}hi`)
      const next = yield* connect(port, here)
      yield* next.sees(`${next.front}已上线`)
      for (const one of [op, bob, twin, owner]) yield* until(one, `${next.front}已上线`)
      yield* asks(next, "hi", muted)
      yield* asks(op, `/unmute ${next.address}`, `*** 已解除禁言 ${next.address}`)
      yield* asks(next, "hi", `${next.front}hi`)
      yield* asks(bob, "hi", `${next.front}hi`, `${bob.front}hi`)
      // The name, wherever its owner comes from.
      yield* until(op, `${bob.front}hi`)
      yield* asks(op, "/mute owner 2s", "*** 已禁言 Owner")
      yield* until(owner, `${bob.front}hi`)
      yield* asks(owner, "hi", muted)
      const far = yield* connect(port, elsewhere())
      yield* far.line
      yield* far.send(`rename|Owner#${secretOf("Owner")}\n`)
      yield* until(far, "您已经更新用户名:Owner")
      yield* asks(far, "hi", muted)
      yield* within(
        "the end of the mute",
        Effect.repeat(Effect.delay(told(far, "again"), "100 millis"), { until: ([line]) => line !== muted })
      )
      yield* told(op)
      yield* asks(op, "/mute nobody", "该用户名不存在")
      yield* asks(op, "/unmute nobody", "该用户名不存在")
    }))

  for (const { data, name } of places) {
    it.scopedLive(`ban networks and names, kept ${name}`, () =>
      Effect.gen(function*() {
        const settings = {
          data: yield* data,
          proxyProtocol: Networks.read("127.0.0.1"),
          opSecretFile: yield* secretFile,
          rate: 0
        }
        const scope = yield* Scope.make()
        const port = yield* Scope.extend(start(settings), scope)
        const from = (ip: string, port = 4000) => ({ header: Proxy.v1(ip, port) })
        const op = yield* connect(port, elsewhere())
        yield* op.line
        yield* asks(op, `/op ${secret}`, isOperator)
        yield* asks(op, "/bans", "*** 没有禁令")
        const bob = yield* connect(port, from("203.0.113.7"))
        yield* bob.line
        yield* until(op, /已上线$/)
        yield* own(bob, "Bob")
        yield* op.send("/ban bob 7d for  good reasons\n")
        yield* bob.sees(banned)
        yield* bob.ended
        yield* op.sees("[203.0.113.7:4000]Bob:下线", "*** 已禁止 Bob")
        yield* isRefused(port, banned, from("203.0.113.7"))
        const bans = (yield* told(op, "/bans")).map((line) => line.replace(/\d\d-\d\d \d\d:\d\d/, "WHEN"))
        assert.deepStrictEqual(bans, ["*** Bob 至 WHEN for  good reasons", "*** 203.0.113.7 至 WHEN for  good reasons"])
        // From elsewhere it has no name of its own before it shows the secret.
        const again = yield* connect(port, from("203.0.113.8"))
        yield* again.line
        yield* until(op, /已上线$/)
        yield* asks(again, "rename|Bob#wrong secret", "*** 口令不对")
        yield* again.send(`rename|Bob#${secretOf("Bob")}\n`)
        yield* again.sees(banned)
        yield* again.ended
        yield* op.sees("[203.0.113.8:4000]203.0.113.8:4000:下线")
        // Networks; what is written otherwise is the same one.
        yield* asks(op, "/ban 2001:DB8:0::/33", "*** 已禁止 2001:db8::/33")
        yield* asks(op, "/ban 198.51.100.200/24 1s", "*** 已禁止 198.51.100.0/24")
        for (const wide of ["0.0.0.0/7", "2001::/31", "127.0.0.0/8", "127.0.0.1", "1.2.3.4/33", "x/8", ""]) {
          yield* asks(op, `/ban ${wide}`, "*** 用法：/ban NAME|IP|CIDR [DURATION] [REASON]")
        }
        yield* asks(op, "/ban nobody", "该用户名不存在")
        yield* isRefused(port, banned, from("2001:db8:7fff::1"))
        const six = yield* connect(port, from("2001:db8:8000::1"))
        yield* six.sees("[[2001:db8:8000::1]:4000][2001:db8:8000::1]:4000:已上线")
        yield* until(op, /已上线$/)
        // By its address: the /64 that it comes from.
        yield* op.send("/ban [2001:db8:8000::1]:4000\n")
        yield* six.sees(banned)
        yield* until(op, "*** 已禁止 [2001:db8:8000::1]:4000")
        yield* isRefused(port, banned, from("2001:db8:8000::2"))
        yield* asks(op, "/unban 203.0.113.99", "*** 没有这条禁令")
        yield* Scope.close(scope, Exit.void)
        if (settings.data === "none") return
        // Another server on the same file.
        const next = yield* start(settings)
        yield* isRefused(next, banned, from("203.0.113.7"))
        yield* isRefused(next, banned, from("2001:db8:8000::3"))
        const boss = yield* connect(next, elsewhere())
        yield* boss.line
        yield* asks(boss, `/op ${secret}`, isOperator)
        // What has expired was swept.
        assert.deepStrictEqual((yield* told(boss, "/bans")).map((line) => line.split(" ")[1]), [
          "Bob",
          "2001:db8:8000::/64",
          "2001:db8::/33",
          "203.0.113.7"
        ])
        yield* asks(boss, "/unban 2001:DB8::/33", "*** 已解禁 2001:db8::/33")
        yield* asks(boss, "/unban [2001:db8:8000::1]:4000", "*** 已解禁 [2001:db8:8000::1]:4000")
        yield* asks(boss, "/unban BOB", "*** 已解禁 Bob")
        yield* asks(boss, "/bans", "*** 没有禁令")
        const back = yield* connect(next, from("203.0.113.7"))
        yield* back.sees("[203.0.113.7:4000]203.0.113.7:4000:已上线")
        yield* back.send(`rename|Bob#${secretOf("Bob")}\n`)
        yield* back.sees("您已经更新用户名:Bob")
      }))

    it.scopedLive(`erase what somebody said, kept ${name}`, () =>
      Effect.gen(function*() {
        const kept = yield* data
        const scope = yield* Scope.make()
        const settings = { rate: 0, data: kept, opSecretFile: yield* secretFile, replay: 10 }
        const port = yield* Scope.extend(start(settings), scope)
        const op = yield* operator(port)
        const bob = yield* come(port, [op], elsewhere())
        const eve = yield* come(port, [op, bob], elsewhere())
        yield* asks(bob, "/nick Bob", "您已经更新用户名:Bob")
        for (const n of [1, 2, 3]) {
          yield* told(bob, `a dirty secret ${n}`)
          yield* told(eve, `a clean word ${n}`)
        }
        yield* told(bob, "/join tea", "a dirty secret 4")
        yield* told(op)
        // What a newcomer to the lobby is shown.
        const shown = Effect.gen(function*() {
          const [, ...lines] = yield* told(yield* connect(port, elsewhere()))
          yield* Effect.forEach([op, eve], (client) => told(client))
          return timeless(lines)
        })
        assert.include((yield* shown).join(), "a dirty secret 3")
        yield* asks(op, "/erase Bobby", "*** 已删除 0 行")
        yield* asks(op, "/erase BOB 1h", "*** 已删除 4 行")
        const clean = [1, 2, 3].map((n) => `*** TIME ${eve.front}a clean word ${n}`)
        assert.deepStrictEqual(timeless(yield* told(op, "/history")), clean)
        assert.deepStrictEqual(timeless(yield* told(bob, "/history")), ["*** 还没有消息"])
        assert.deepStrictEqual(yield* shown, clean)
        if (kept !== "none") {
          for (const file of [kept.file, `${kept.file}-wal`]) {
            assert.notInclude(readFileSync(file, "latin1"), "dirty", file)
          }
          assert.include(readFileSync(kept.file, "latin1"), "a clean word")
        }
        yield* asks(op, `/erase ${eve.address.split(":")[0]}`, "*** 已删除 3 行")
        assert.deepStrictEqual(timeless(yield* told(op, "/history")), ["*** 还没有消息"])
        yield* told(eve, "said later")
        yield* Scope.close(scope, Exit.void)
        if (kept === "none") {
          return
        }
        const next = yield* start(settings)
        const ann = yield* connect(next)
        const [first, ...more] = yield* told(ann)
        assert.deepStrictEqual([first, ...timeless(more)], [`${ann.front}已上线`, `*** TIME ${eve.front}said later`])
      }))
  }

  it.scopedLive("lock newcomers out, but for those in --allow; those who are here stay", () =>
    Effect.gen(function*() {
      const allowed = elsewhere()
      const { localAddress = "" } = allowed
      const port = yield* open({ allow: Networks.read(localAddress) })
      const op = yield* operator(port)
      yield* asks(op, "/lock", "*** 已关闭入口")
      yield* isRefused(port, "*** 暂不接受新用户", elsewhere())
      yield* come(port, [op], allowed)
      yield* asks(op, "/unlock", "*** 已开放入口")
      yield* come(port, [op], elsewhere())
      // Nor is there a way in by a connection that was open before.
      const { plain, web } = yield* plainAndWeb({ opSecretFile: yield* secretFile })
      const other = yield* operator(plain)
      const socket = Net.connect(web)
      socket.write("HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      yield* within("an answer", Effect.async<void>((resume) => void socket.once("data", () => resume(Effect.void))))
      yield* asks(other, "/lock", "*** 已关闭入口")
      const late = yield* browse(web, { socket })
      yield* late.sees("*** 暂不接受新用户")
      yield* late.closed
      yield* readsNothing(other)
      // Never past a ban, which comes before the lock.
      yield* asks(op, "/lock", "*** 已关闭入口")
      yield* op.send(`/ban ${localAddress}\n`)
      yield* until(op, `*** 已禁止 ${localAddress}`)
      yield* isRefused(port, banned, allowed)
    }))

  it.scopedLive("tell everybody something, in every room, and release names", () =>
    Effect.gen(function*() {
      const port = yield* open()
      const op = yield* operator(port)
      const bob = yield* come(port, [op], elsewhere())
      yield* own(bob, "Bob")
      yield* told(bob, "/join tea")
      yield* told(op)
      yield* asks(op, "/announce  a | b ", "*** 公告：a | b ")
      yield* bob.sees("*** 公告：a | b ")
      yield* asks(op, "/announce", "*** 用法：/announce TEXT")
      yield* asks(op, "/release bob", "*** Bob 已释放")
      yield* asks(op, "/release bob", "该用户名不存在")
      yield* asks(bob, "/secret another one", "*** Bob 不归您所有")
      yield* own(bob, "Bob", "another one")
    }))

  it.scopedLive("on the web are met with codes of their own", () =>
    Effect.gen(function*() {
      const { plain, web } = yield* plainAndWeb({
        rate: 0,
        opSecretFile: yield* secretFile,
        webProxy: Networks.read("127.0.0.1")
      })
      const op = yield* connect(plain, elsewhere())
      yield* op.line
      yield* asks(op, `/op ${secret}`, isOperator)
      const headers = { "x-forwarded-for": "203.0.113.7" }
      const bob = yield* browse(web, { headers, json: true })
      yield* until(op, /已上线$/)
      yield* bob.line
      yield* bob.line
      const [address = ""] = (yield* told(op, "/who")).slice(-1).map((line) => /^\[(.*?)\]/.exec(line)?.[1])
      yield* op.send(`/mute ${address}\n/kick ${address} go\n`)
      assert.deepStrictEqual(JSON.parse(yield* bob.line), { kind: "notice", code: "muted", text: "您已被禁言" })
      assert.deepStrictEqual(JSON.parse(yield* bob.line), {
        kind: "notice",
        code: "removed",
        reason: "go",
        text: "您被请出：go"
      })
      assert.strictEqual(yield* bob.closed, 1008)
      const eve = yield* browse(web, { headers })
      yield* eve.line
      yield* op.send("/ban 203.0.113.7\n")
      yield* eve.sees(banned)
      assert.strictEqual(yield* eve.closed, 1008)
      const late = yield* browse(web, { headers, json: true })
      assert.deepStrictEqual(JSON.parse(yield* late.line), { kind: "notice", code: "banned", text: "您已被禁止进入" })
      assert.strictEqual(yield* late.closed, 1008)
      yield* op.send("/lock\n")
      yield* until(op, "*** 已关闭入口")
      const locked = yield* browse(web, { json: true })
      assert.deepStrictEqual(JSON.parse(yield* locked.line), { kind: "notice", code: "locked", text: "暂不接受新用户" })
      assert.strictEqual(yield* locked.closed, 1013)
      yield* op.send("/unlock\n")
      yield* until(op, "*** 已开放入口")
      // From this machine, and not through a proxy for somebody else, it may be an operator here.
      const boss = yield* arriveByWeb(web)
      yield* boss.send(`/op ${secret}`)
      yield* boss.sees(isOperator)
      const abroad = yield* browse(web, { headers: { "x-forwarded-for": "203.0.113.9" } })
      yield* abroad.line
      yield* abroad.send(`/op ${secret}`)
      yield* abroad.sees(unknown("/op"))
    }))

  it.scopedLive("do all of it in JSON, in English", () =>
    Effect.gen(function*() {
      const port = yield* open({ lang: "en" })
      const bob = yield* program(port, elsewhere())
      const op = yield* program(port)
      yield* bob.until(({ kind }) => kind === "online")
      const asks = (command: object, answer: object) =>
        Effect.map(op.answered({ id: 1, ...command }), (lines) =>
          assert.deepStrictEqual<unknown>(lines.at(-1), { kind: "answer", id: 1, ...answer }))
      const refused = (code: string, text: string) => ({ ok: false, code, text })
      const ok = { ok: true }
      const name = bob.client.address
      const unknown = (word: string) =>
        refused("unknown-command", `unknown command ${word}, try /help`)
      yield* asks({ do: "kick", name }, unknown("kick"))
      // Whoever is no operator is not even told what is wrong.
      yield* asks({ do: "kick" }, unknown("kick"))
      yield* asks({ do: "op", secret: "wrong" }, refused("wrong-secret", "wrong secret"))
      yield* asks({ do: "op", secret }, ok)
      yield* asks({ do: "kick" }, refused("malformed", "no JSON command"))
      yield* asks({ do: "mute", name, duration: "soon" }, refused("malformed", "no JSON command"))
      yield* asks({ do: "mute", name: "nobody" }, refused("no-such-user", "no such user"))
      yield* asks({ do: "mute", name, duration: "5m" }, ok)
      assert.deepStrictEqual((yield* bob.until(({ kind }) => kind === "notice")).at(-1), {
        kind: "notice",
        code: "muted",
        text: "you are muted"
      })
      for (const command of [{ do: "say", text: "hi" }, { do: "to", name, text: "" }, { do: "join", room: "x" }]) {
        assert.deepStrictEqual<unknown>((yield* bob.answered({ id: 2, ...command })).at(-1), {
          kind: "answer",
          id: 2,
          ...refused("muted", "you are muted")
        })
      }
      yield* asks({ do: "unmute", name }, ok)
      assert.isTrue("seq" in (yield* bob.answered({ id: 3, do: "say", text: "hi" })).at(-1)!)
      yield* asks({ do: "erase", target: name, duration: "1d" }, { ok: true, lines: 1 })
      yield* asks({ do: "announce", text: " " }, refused("empty", "empty message, send again"))
      yield* asks({ do: "announce", text: "hear" }, ok)
      assert.deepStrictEqual((yield* bob.until(({ kind }) => kind === "notice")).at(-1), {
        kind: "notice",
        code: "announcement",
        text: "announcement: hear"
      })
      yield* asks({ do: "ban", target: "198.51.100.1", reason: "spam" }, ok)
      yield* asks({ do: "ban", target: "10.0.0.0/4" }, refused("usage", "usage: /ban NAME|IP|CIDR [DURATION] [REASON]"))
      yield* asks({ do: "bans" }, {
        ok: true,
        bans: [{ target: "198.51.100.1", until: null, reason: "spam", by: op.client.address }]
      })
      yield* asks({ do: "unban", target: "198.51.100.1" }, ok)
      yield* asks({ do: "unban", target: "198.51.100.1" }, refused("no-such-ban", "no such ban"))
      yield* asks({ do: "lock" }, ok)
      yield* isRefused(port, "*** no newcomers at the moment", elsewhere())
      yield* asks({ do: "unlock" }, ok)
      yield* asks({ do: "release", name }, refused("no-such-user", "no such user"))
      yield* asks({ do: "kick", name, reason: "" }, ok)
      assert.deepStrictEqual((yield* bob.until(({ kind }) => kind === "notice")).at(-1), {
        kind: "notice",
        code: "removed",
        text: "you were removed"
      })
      yield* bob.client.ended
      yield* asks({ do: "deop" }, ok)
      yield* asks({ do: "bans" }, unknown("bans"))
      // The offline line says why.
      const ann = yield* connect(port)
      yield* ann.line
      const eve = yield* Effect.tap(connect(port, elsewhere()), ({ send }) => send("/json\n"))
      const watching = yield* speaking(eve)
      yield* ann.send(`/op ${secret}\n/kick ${op.client.address} x\n/ban ${eve.address.split(":")[0]}\n`)
      assert.include((yield* watching.until(({ kind }) => kind === "offline")).at(-1), { reason: "removed" })
      yield* eve.ended
      yield* until(ann, `*** ${eve.address.split(":")[0]} is banned`)
    }))

  it.scopedLive("are not there where the file holds no secret: the server does not start", () =>
    Effect.gen(function*() {
      const path = `${yield* folder}/operators`
      for (
        const [text, problem] of [
          [undefined, "it cannot be read (NotFound)"],
          ["too short\n", "its first line must have 16 to 128 bytes"],
          ["x".repeat(129), "its first line must have 16 to 128 bytes"]
        ] as const
      ) {
        if (text !== undefined) writeFileSync(path, text)
        const failed = yield* Effect.flip(doors({ opSecretFile: Option.some(path) }))
        assert.strictEqual(failed.message, `--op-secret-file ${path}: ${problem}.`)
      }
      const failed = yield* Effect.flip(doors({ opPlain: true }))
      assert.strictEqual(failed.message, "--op-plain needs --op-secret-file.")
    }))
})
