/** Addresses that are hidden: what others see of them, everywhere, and what still counts by the real ones. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "node:fs"
import { bundled, port } from "./support/child.ts"
import { type Client, connect, type Options } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import { describeNats, natsServer } from "./support/natsServer.ts"
import { asks, own, quit, timeless, told } from "./support/people.ts"
import { speaking } from "./support/program.ts"
import { doors } from "./support/server.ts"

const logging = ["--log-level", "debug", "--log-format", "logfmt"]

const from = (localAddress: string): Options => ({ localAddress })

/** Comes, and gives by what it is known to others. */
const come = (port: number, options: Options, others: ReadonlyArray<Client> = []) =>
  Effect.gen(function*() {
    const client = yield* connect(port, options)
    const line = yield* client.line
    const [, address = "", name = ""] = /^\[(~[a-z2-7]{8})\](~[a-z2-7]{8}(?:#\d+)?):已上线$/.exec(line) ??
      assert.fail(line)
    for (const other of others) yield* other.sees(line)
    return { client, address, name }
  })

describe("With addresses hidden", () => {
  it.scopedLive("everybody is ~ and 8 characters, one for a network, wherever it is told of", () =>
    Effect.gen(function*() {
      const data = `${yield* folder}/tellnet.db`
      const serve = bundled([
        "--port",
        "0",
        "--addresses",
        "hidden",
        "--data",
        data,
        "--max-connections-per-ip",
        "2",
        ...logging
      ])
      const tellnet = yield* serve
      const at = yield* port(tellnet)
      const ann = yield* come(at, from("127.0.0.5"))
      const bob = yield* come(at, from("127.0.0.6"), [ann.client])
      const eve = yield* come(at, from("127.0.0.5"), [ann.client, bob.client])
      assert.strictEqual(ann.name, ann.address)
      assert.strictEqual(eve.address, ann.address)
      assert.strictEqual(eve.name, `${ann.address}#2`)
      assert.notStrictEqual(bob.address, ann.address)
      // Whoever runs the server reads the real ones.
      for (const { address } of [ann.client, bob.client]) {
        yield* tellnet.prints(new RegExp(`message=arrived .*peer=${address} `))
      }

      // Limits are those of the real addresses.
      const third = yield* connect(at, from("127.0.0.5"))
      yield* third.sees("*** 同一地址连接过多")

      const [whois = ""] = yield* told(ann.client, `/whois ${eve.name}`)
      assert.match(whois, new RegExp(`^\\*\\*\\* \\[${ann.address}\\]${eve.name} 在 #lobby，`))
      yield* asks(bob.client, `to|${eve.name}|psst`)
      yield* eve.client.sees(`${bob.name}对您说:psst`)

      // Nobody can choose what looks like one.
      for (const name of ["~abcdefgh", "～abcdefgh", ann.address]) {
        yield* asks(eve.client, `rename|${name}`, "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。")
      }
      yield* asks(ann.client, "rename|Ann", "您已经更新用户名:Ann")
      assert.match(
        (yield* told(bob.client, "/whois Ann"))[0] ?? "",
        new RegExp(`^\\*\\*\\* \\[${ann.address}\\]Ann 在 `)
      )
      yield* own(eve.client, "Eve")
      yield* asks(
        bob.client,
        "who",
        `[${ann.address}]Ann:在线...`,
        `[${bob.address}]${bob.name}:在线...`,
        `[${ann.address}]Eve:在线...`
      )
      yield* asks(ann.client, "hello", `[${ann.address}]Ann:hello`)
      const old = yield* told(bob.client, "/history 1")
      assert.deepStrictEqual(timeless(old.slice(-1)), [`*** TIME [${ann.address}]Ann:hello`])

      // Also in JSON, and in what is kept.
      yield* bob.client.send("/json\n")
      const bot = yield* speaking(bob.client)
      assert.deepStrictEqual(bot.hello.you, { addr: bob.address, name: bob.name })
      yield* quit(eve.client)
      yield* bob.client.send(`${JSON.stringify({ do: "to", name: "Eve", text: "for later", id: 1 })}\n`)
      const lines = yield* bot.until((line) => line.kind === "answer" && line.id === 1)
      assert.isTrue(lines.some((line) => line.kind === "offline" && line.who.addr === ann.address))
      assert.deepInclude(lines.at(-1), { ok: true, kept: true })
      for (const file of [data, `${data}-wal`]) {
        const bytes = FileSystem.existsSync(file) ? FileSystem.readFileSync(file, "latin1") : ""
        assert.notInclude(bytes, "127.0.0.")
      }

      yield* tellnet.signal("SIGTERM")
      yield* tellnet.over
      const again = yield* serve
      const back = yield* come(yield* port(again), from("127.0.0.6"))
      assert.strictEqual(back.address, bob.address)
      const handed = yield* told(back.client, "rename|Eve#secret of Eve")
      assert.deepStrictEqual(timeless(handed), ["您已经更新用户名:Eve", `*** TIME ${bob.name}对您说:for later`])
    }))
})

describeNats("Two nodes with addresses hidden", () => {
  it.scopedLive("show one address in the same way", () =>
    Effect.gen(function*() {
      const { url } = yield* natsServer()
      const start = Effect.map(doors({ addresses: "hidden", nats: [url] }), ([port = 0]) => port)
      const [one, two] = yield* Effect.all([start, start], { concurrency: 2 })
      const ann = yield* come(one, from("127.0.0.5"))
      const bob = yield* come(two, from("127.0.0.5"), [ann.client])
      assert.strictEqual(bob.address, ann.address)
      assert.strictEqual(bob.name, `${ann.address}#2`)
    }))
})
