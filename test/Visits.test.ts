import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Networks from "../src/domain/Networks.ts"
import { arrive, type Client, connect, type Options } from "./support/client.ts"
import { quit } from "./support/people.ts"
import { v1 } from "./support/proxy.ts"
import { start } from "./support/server.ts"
import { browse, plainAndWeb } from "./support/web.ts"

const full = "*** 同一地址连接过多"
const tooFast = "*** 同一地址连接过快，请稍后再试"

/** Comes, and gives what it is told before it is closed. */
const knock = (port: number, options: Options) =>
  Effect.gen(function*() {
    const client = yield* connect(port, options)
    const notice = yield* client.line
    yield* client.ended
    yield* client.end
    return notice
  })

describe("Whoever comes too often", () => {
  it.scopedLive("is told so after the caps and closed, counts by its network, and was never online", () =>
    Effect.gen(function*() {
      const port = yield* start({
        visitsPerIp: 1,
        visitsBurst: 3,
        maxConnectionsPerIp: 2,
        allow: Networks.read("127.0.7.0/24"),
        proxyProtocol: Networks.read("127.0.0.9")
      })
      const from = (localAddress: string): Options => ({ localAddress })
      const through = (ip: string): Options => ({ localAddress: "127.0.0.9", header: v1(ip, 4000) })
      const ann = yield* arrive(port, from("127.0.7.1"))
      const heard: Array<string> = []
      const visit = (options: Options, address?: string) =>
        Effect.gen(function*() {
          const client = yield* connect(port, options)
          const front = address === undefined ? client.front : `[${address}]${address}:`
          yield* client.sees(`${front}已上线`)
          heard.push(`${front}已上线`)
          return { client, front }
        })
      const leave = ({ client, front }: { readonly client: Client; readonly front: string }) => {
        heard.push(`${front}下线`)
        return Effect.zipRight(quit(client), client.end)
      }

      const bob = yield* visit(from("127.0.0.5"))
      const eve = yield* visit(from("127.0.0.5"))
      // These are refused by the cap, and the third of them has come too often as well.
      for (let n = 0; n < 3; n++) assert.strictEqual(yield* knock(port, from("127.0.0.5")), full)
      yield* leave(bob)
      yield* leave(eve)
      // Both are seen to be gone before they count no more.
      const again = Effect.delay(knock(port, from("127.0.0.5")), "20 millis")
      const last = yield* Effect.repeat(again, { until: (notice) => notice !== full })
      assert.strictEqual(last, tooFast)

      for (let n = 0; n < 5; n++) yield* leave(yield* visit(from("127.0.7.2")))

      for (const ip of ["2001:db8::1", "2001:db8::2", "2001:db8::3"]) {
        yield* leave(yield* visit(through(ip), `[${ip}]:4000`))
      }
      assert.strictEqual(yield* knock(port, through("2001:db8::4")), tooFast)
      yield* leave(yield* visit(through("2001:db8:0:1::1"), "[2001:db8:0:1::1]:4000"))

      yield* ann.send("that was all\n")
      yield* ann.sees(...heard, `${ann.front}that was all`)
    }))

  it.scopedLive("reads it as a notice in JSON, and may come again later, as a WebSocket says", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb({ visitsPerIp: 1, visitsBurst: 1 })
      yield* browse(web, { json: true })
      const late = yield* browse(web, { json: true })
      assert.deepStrictEqual(JSON.parse(yield* late.line), { kind: "notice", code: "too-fast", text: tooFast.slice(4) })
      assert.strictEqual(yield* late.closed, 1013)
    }))
})
