import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Certificate from "./support/certificate.ts"
import { bundled, isInstalled, monitor, port, start, tlsPort } from "./support/child.ts"
import { arrive } from "./support/client.ts"

const read = (path: string) => Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(path))

/** The command that the unit starts, in words. */
const execStart = (unit: string) => {
  const [, command] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? assert.fail("no ExecStart")
  return (command ?? "").replaceAll("\\\n", " ").split(/\s+/)
}

/** On this machine any port may be taken. */
const anyPort = (word: string) => /^\d+$/.test(word) ? "0" : word

describe("src/ops", { concurrent: true }, () => {
  it.scopedLive.skipIf(!isInstalled("systemd-analyze"))(
    "has a unit of which systemd understands every line",
    () =>
      Effect.gen(function*() {
        const files = yield* FileSystem.FileSystem
        const directory = yield* files.makeTempDirectoryScoped({ prefix: "tellnet-" })
        const file = `${directory}/tellnet.service`
        // systemd looks whether the program is there.
        const unit = (yield* read("src/ops/tellnet.service")).replace("/usr/bin/node", process.execPath)
        yield* files.writeFileString(file, unit)
        const { code, stderr } = yield* (yield* start("systemd-analyze", ["verify", file])).over
        // It tells of units of this machine too. What it does not understand is only a warning, and the code 0.
        assert.deepStrictEqual(stderr.split("\n").filter((line) => line.includes("tellnet.service")), [])
        assert.strictEqual(code, 0)
      }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive.skipIf(!isInstalled("openssl"))(
    "has a unit whose command starts a server with both ports",
    () =>
      Effect.gen(function*() {
        const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "tellnet-" })
        const { cert, key } = yield* Certificate.make()
        const [node, file, ...flags] = execStart(yield* read("src/ops/tellnet.service"))
        assert.deepStrictEqual([node, file], ["/usr/bin/node", "/opt/tellnet/tellnet.mjs"])
        const tellnet = yield* bundled(
          ["--port", "0", ...flags.map(anyPort)].map((word) =>
            word
              .replace("${CREDENTIALS_DIRECTORY}/cert.pem", cert)
              .replace("${CREDENTIALS_DIRECTORY}/key.pem", key)
              .replace("${STATE_DIRECTORY}", directory)
          )
        )
        yield* monitor(tellnet)
        yield* arrive(yield* port(tellnet))
        yield* arrive(yield* tlsPort(tellnet), { tls: true })
      }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("has a container recipe whose command starts a server", () =>
    Effect.gen(function*() {
      const dockerfile = yield* read("src/ops/Dockerfile")
      const [, entrypoint] = /^ENTRYPOINT (.+)$/m.exec(dockerfile) ?? assert.fail("no ENTRYPOINT")
      const [node, file, ...flags] = yield* Schema.decodeUnknown(Schema.parseJson(Schema.Array(Schema.String)))(
        entrypoint
      )
      assert.deepStrictEqual([node, file], ["node", "/tellnet/tellnet.mjs"])
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "tellnet-" })
      const [, volume = ""] = /^VOLUME (.+)$/m.exec(dockerfile) ?? []
      const tellnet = yield* bundled([...flags.map((flag) => flag.replace(volume, directory)), "--port", "0"])
      yield* arrive(yield* port(tellnet))
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
