import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { bundled, isInstalled, port, quiet, server, source, start } from "./support/child.ts"
import { arrive, type Client, connect } from "./support/client.ts"

// Each as its users start it so that it ends with the server, and not before its input is answered.
const netcats = [
  { name: "netcat-openbsd", program: "nc.openbsd", args: (port: string) => ["-N", "127.0.0.1", port] },
  { name: "netcat-traditional", program: "nc.traditional", args: (port: string) => ["-q", "5", "127.0.0.1", port] },
  { name: "ncat", program: "ncat", args: (port: string) => ["127.0.0.1", port] },
  { name: "socat", program: "socat", args: (port: string) => ["-t", "5", "-", `TCP:127.0.0.1:${port}`] }
]

/** Says more than the kernel buffers for somebody who does not read, a part at a time so that the speaker keeps up. */
const fill = (speaker: Client) =>
  Effect.repeatN(
    Effect.zipRight(
      speaker.send(`${"x".repeat(4000)}\n`.repeat(100)),
      Effect.repeatN(speaker.line, 99)
    ),
    29
  )

describe("main", { concurrent: true }, () => {
  for (const { args, name, program } of netcats) {
    it.scopedLive.skipIf(!isInstalled(program))(`serves piped lines from ${name}`, () =>
      Effect.gen(function*() {
        const tellnet = yield* source(["--port", "0"])
        const listening = yield* port(tellnet)
        const bob = yield* arrive(listening)
        const nc = yield* start(program, args(String(listening)))
        yield* nc.type("hello\nwho\nbye")
        yield* nc.end
        const { stdout } = yield* nc.over
        const front = stdout.slice(0, stdout.indexOf("已上线"))
        assert.strictEqual(
          stdout,
          `${front}已上线\n${front}hello\n${bob.front}在线...\n${front}在线...\n${front}bye\n`
        )
        yield* bob.sees(`${front}已上线`, `${front}hello`, `${front}bye`, `${front}下线`)
      }))

    it.scopedLive.skipIf(!isInstalled(program))(
      `lets two people talk who type at ${name}`,
      () =>
        Effect.gen(function*() {
          const tellnet = yield* source(["--port", "0"])
          const listening = String(yield* port(tellnet))
          const ann = yield* start(program, args(listening))
          yield* ann.prints(/已上线\n/)
          const bob = yield* start(program, args(listening))
          yield* bob.prints(/已上线\n/)
          yield* ann.type("rename|张三\n")
          yield* ann.prints(/\n您已经更新用户名:张三\n/)
          yield* bob.type("to|张三|你好\n")
          yield* ann.prints(/\n127\.0\.0\.1:\d+对您说:你好\n/)
          yield* ann.type("大家好\n")
          yield* bob.prints(/\n\[127\.0\.0\.1:\d+\]张三:大家好\n/)
          yield* ann.type("/quit\n")
          yield* bob.prints(/\n\[127\.0\.0\.1:\d+\]张三:下线\n/)
          yield* ann.end
          yield* ann.over
        })
    )
  }

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.scopedLive(`tells everyone and ends with 0 on ${signal}`, () =>
      Effect.gen(function*() {
        const tellnet = yield* source(["--port", "0"])
        const listening = yield* port(tellnet)
        const ann = yield* arrive(listening)
        yield* tellnet.signal(signal)
        yield* ann.sees("*** 服务器即将关闭")
        yield* ann.ended
        yield* ann.end
        assert.strictEqual((yield* tellnet.over).code, 0)
      }))
  }

  // `tsx` kills whatever does not say within 30 ms that it has the signal, which a busy machine may not let it say.
  it.scopedLive("passes a signal through `tsx`, as `npm start` runs it", () =>
    Effect.gen(function*() {
      const tellnet = yield* start("node_modules/.bin/tsx", ["src/main.ts", "--port", "0"], quiet)
      const ann = yield* arrive(yield* port(tellnet))
      yield* tellnet.signal("SIGTERM")
      yield* ann.sees("*** 服务器即将关闭")
      yield* ann.end
      assert.strictEqual((yield* tellnet.over).code, 0)
    }), { retry: 3 })

  it.scopedLive("gives the port back before it is gone, and waits for who does not read no longer than the grace", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--shutdown-grace", "1 second", "--rate", "0")
      const listening = yield* port(tellnet)
      const deaf = yield* connect(listening, { paused: true })
      const ann = yield* arrive(listening)
      yield* fill(ann)
      yield* tellnet.signal("SIGTERM")
      yield* ann.sees("*** 服务器即将关闭")
      const refused = yield* Effect.async<boolean>((resume) => {
        Net.connect(listening, "127.0.0.1").on("connect", () => resume(Effect.succeed(false)))
          .on("error", () => resume(Effect.succeed(true)))
      })
      assert.isTrue(refused)
      assert.strictEqual((yield* tellnet.over).code, 0)
      assert.isFalse(deaf.socket.readableEnded)
    }))

  it.scopedLive("ends at once on a second signal", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--shutdown-grace", "1 hour", "--rate", "0", "--stall-timeout", "1 hour")
      const listening = yield* port(tellnet)
      yield* connect(listening, { paused: true })
      const ann = yield* arrive(listening)
      yield* fill(ann)
      yield* tellnet.signal("SIGTERM")
      yield* ann.sees("*** 服务器即将关闭")
      // Too soon for another wish: npm and tsx pass on what the terminal has sent already.
      yield* tellnet.signal("SIGTERM")
      yield* Effect.sleep("1 second")
      assert.isNull(tellnet.process.signalCode)
      yield* tellnet.signal("SIGTERM")
      assert.strictEqual((yield* tellnet.over).code, "SIGTERM")
    }))

  for (
    const [format, lines] of [
      ["pretty", [/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] INFO .*: listening on 127/, /DEBUG .*: left/]],
      ["logfmt", [
        /^timestamp=\S+ level=INFO .*message="listening on 127/,
        /level=DEBUG .*message=left (?=.*peer=\S+)(?=.*door=plain).*reason=quit/
      ]],
      ["json", [
        /^\{.*"listening on 127[^{]*\}$/,
        /^\{.*"message":"left",(?=.*"peer":"[^"]+")(?=.*"door":"plain").*"reason":"quit"/
      ]]
    ] as const
  ) {
    it.scopedLive(`logs as ${format} when told so, a line for each connection at debug, and never what is said`, () =>
      Effect.gen(function*() {
        const tellnet = yield* server("--log-format", format, "--log-level", "debug")
        const ann = yield* arrive(yield* port(tellnet))
        yield* ann.send("secret\n/quit\n")
        yield* ann.ended
        yield* ann.end
        yield* tellnet.signal("SIGTERM")
        const logged = (yield* tellnet.over).stdout.trim().split("\n")
        for (const line of lines) assert.isDefined(logged.find((entry) => line.test(entry)), `${line}`)
        if (format === "json") { for (const entry of logged) assert.containsAllKeys(JSON.parse(entry), ["message"]) }
        // It arrived, and it left.
        assert.strictEqual(logged.filter((entry) => entry.includes(ann.address)).length, 2)
        assert.notInclude(logged.join("\n"), "secret")
      }))
  }

  const refuses = (
    title: string,
    flags: ReadonlyArray<string>,
    says: string | RegExp,
    env: Record<string, string> = {}
  ) =>
    it.scopedLive(`ends with 1 and one sentence for ${title}`, () =>
      Effect.gen(function*() {
        const tellnet = yield* bundled(flags, env)
        const { code, stderr, stdout } = yield* tellnet.over
        if (typeof says === "string") assert.strictEqual(stderr.trim(), says)
        else assert.match(stderr.trim(), says)
        assert.strictEqual(stdout, "")
        assert.strictEqual(code, 1)
      }))

  refuses("a flag that is none", ["--prot", "1"], "error: unknown option '--prot'\n(Did you mean --port?)")
  refuses("a value from the environment", [], "--lang (TELLNET_LANG) must be zh or en, not \"fr\".", {
    TELLNET_LANG: "fr"
  })
  refuses(
    "an address of somebody else",
    ["--host", "192.0.2.1", "--port", "0"],
    "Cannot listen on 192.0.2.1 port 0: this machine has no such address, choose another --host."
  )

  it.scopedLive("ends with 1 and one sentence for a port in use", () =>
    Effect.gen(function*() {
      const first = yield* server()
      const used = yield* port(first)
      const second = yield* bundled(["--port", String(used)])
      const { code, stderr } = yield* second.over
      assert.strictEqual(
        stderr,
        `Cannot listen on 127.0.0.1 port ${used}: the port is in use, choose another --port.\n`
      )
      assert.strictEqual(code, 1)
    }))

  it.scopedLive("reads settings from the environment, and a flag before it", () =>
    Effect.gen(function*() {
      const english = yield* bundled([], {
        TELLNET_PORT: "0",
        TELLNET_LANG: "en",
        TELLNET_WELCOME: "on"
      })
      const ann = yield* connect(yield* port(english))
      yield* ann.sees(`${ann.front}online`, "*** 1 online, /help lists the commands")
      const chinese = yield* bundled(["--port", "0", "--lang", "zh"], { TELLNET_LANG: "en", TELLNET_WELCOME: "on" })
      const bob = yield* arrive(yield* port(chinese))
      yield* bob.sees("*** 在线 1 人，输入 /help 查看命令")
    }))

  it.scopedLive("logs a line for each connection at `debug`, wherever the flag stands, and no word of what is said", () =>
    Effect.gen(function*() {
      const tellnet = yield* server("--log-level", "debug")
      const ann = yield* arrive(yield* port(tellnet))
      yield* ann.send("a secret\n/quit\n")
      const [log] = yield* tellnet.prints(/^[^]*left[^]*quit/)
      assert.include(log, ann.address)
      assert.notInclude(log, "secret")
    }))

  it.scopedLive("knows its version and its flags", () =>
    Effect.gen(function*() {
      const run = (...flags: ReadonlyArray<string>) => Effect.flatMap(bundled(flags), ({ over }) => over)
      const version = yield* run("--version")
      assert.strictEqual(version.code, 0)
      assert.match(
        version.stdout,
        /^tellnet 0\.2\.0(?: \([0-9a-f]{7,}(?:-dirty)?\))? node \S+ effect \S+ libsql \S+ sqlite \d\S+\n$/
      )
      const help = yield* run("--help")
      assert.include(help.stdout, "--idle-timeout")
      assert.strictEqual(help.code, 0)
    }))
})
