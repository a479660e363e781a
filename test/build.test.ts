import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get, isInstalled, monitor, port, start } from "./support/child.ts"

describe("npm run build", () => {
  it.scopedLive.skipIf(!isInstalled("nc"))(
    "makes what serves a netcat and keeps what it says, far from any other node_modules",
    () =>
      Effect.gen(function*() {
        const files = yield* FileSystem.FileSystem
        const directory = yield* files.makeTempDirectoryScoped({ prefix: "tellnet-" })
        const file = `${directory}/tellnet.mjs`
        const built = yield* (yield* start("npm", ["run", "build", "--", directory])).over
        assert.strictEqual(built.code, 0, built.stderr)
        const tellnet = yield* start("env", [
          "-C",
          directory,
          process.execPath,
          file,
          "--port",
          "0",
          "--metrics-port",
          "0"
        ])
        const nc = yield* start("nc", ["127.0.0.1", String(yield* port(tellnet))])
        yield* nc.type("hello\n")
        yield* nc.prints(
          /已上线\n\*\*\* 在线 1 人，消息保存 90 天，输入 \/help 查看命令\n\[127\.0\.0\.1:\d+\]127\.0\.0\.1:\d+:hello\n/
        )
        assert.match((yield* get(`${yield* monitor(tellnet)}/metrics`)).text, /tellnet_lines_received_total 1\n/)
        yield* tellnet.signal("SIGTERM")
        yield* nc.prints(/\*\*\* 服务器即将关闭\n/)
        yield* nc.end
        assert.strictEqual((yield* tellnet.over).code, 0)
        assert.isTrue(yield* files.exists(`${directory}/tellnet.db`))
      }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
