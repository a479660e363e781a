import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import * as CommandLine from "../src/CommandLine.ts"
import * as Flags from "../src/Flags.ts"
import type { Settings } from "../src/ServerConfig.ts"

const settings = (args: ReadonlyArray<string>, env: Record<string, string> = {}): Settings => {
  const parsed = CommandLine.parse(args, env)
  if (!("settings" in parsed)) throw new Error(JSON.stringify(parsed))
  return parsed.settings
}

const refusal = (args: ReadonlyArray<string>, env: Record<string, string> = {}): string => {
  const parsed = CommandLine.parse(args, env)
  if (!("words" in parsed)) throw new Error("nothing was refused")
  assert.strictEqual(parsed.code, 1)
  return parsed.words
}

const help = () => {
  const parsed = CommandLine.parse(["--help"], {})
  if (!("words" in parsed)) throw new Error("no help")
  assert.strictEqual(parsed.code, 0)
  return parsed.words
}

describe("Flags", () => {
  it("takes a flag before the environment, and that before the default; an empty variable is none", () => {
    assert.strictEqual(settings([]).port, 8888)
    assert.strictEqual(settings([], { TELLNET_PORT: "" }).port, 8888)
    assert.strictEqual(settings([], { TELLNET_PORT: "1" }).port, 1)
    assert.strictEqual(settings(["--port", "2"], { TELLNET_PORT: "1" }).port, 2)
    assert.strictEqual(settings(["--port=2"], {}).port, 2)
    assert.isTrue(settings(["--no-plain"]).noPlain)
    assert.isTrue(settings([], { TELLNET_NO_PLAIN: "true" }).noPlain)
    assert.isFalse(settings([], { TELLNET_NO_PLAIN: "false" }).noPlain)
    assert.strictEqual(Option.getOrUndefined(settings(["--tls-port", "0"]).tlsPort), 0)
    assert.isTrue(Option.isNone(settings(["--tls-port", "off"]).tlsPort))
  })

  for (
    const [text, time] of [
      ["500ms", Duration.millis(500)],
      ["90s", Duration.seconds(90)],
      ["1.5h", Duration.minutes(90)],
      ["5 m", Duration.minutes(5)],
      ["2h", Duration.hours(2)],
      ["7d", Duration.days(7)],
      ["90 seconds", Duration.seconds(90)],
      ["5 minutes", Duration.minutes(5)],
      ["0", Duration.zero]
    ] as const
  ) {
    it(`reads ${text} as a time`, () => {
      assert.isTrue(Duration.equals(settings(["--idle-timeout", text]).idleTimeout, time))
    })
  }

  for (
    const [args, env, message] of [
      [["--port", "99999"], {}, "--port (TELLNET_PORT) must be a whole number from 0 to 65535, not \"99999\"."],
      [["--port", "1e3"], {}, "--port (TELLNET_PORT) must be a whole number from 0 to 65535, not \"1e3\"."],
      [[], { TELLNET_LANG: "fr" }, "--lang (TELLNET_LANG) must be zh or en, not \"fr\"."],
      [
        ["--keep-alive", "10ms"],
        {},
        "--keep-alive (TELLNET_KEEP_ALIVE) must be a time such as 90s, 5m or \"2 hours\", from 1s to 24d, not \"10ms\"."
      ],
      [["--idle-timeout", "25d"], {}, /^--idle-timeout .* not "25d"\.$/],
      [["--idle-timeout", "-5s"], {}, /not "-5s"\.$/],
      [["--welcome", "yes"], {}, /^--welcome .* must be on, off or a text/],
      [["--data", "off"], {}, /^--data .* must be none or the path of a file/],
      [
        ["en"],
        { npm_lifecycle_event: "start" },
        /\nWith npm, flags stand behind two dashes: npm start -- --flag value$/
      ],
      [["--welcome", "\u0007"], {}, /^--welcome .* must be on, off or a text/],
      [["--log-level", "loud"], {}, /^--log-level \(TELLNET_LOG_LEVEL\) must be all, trace, debug, .*, not "loud"\.$/],
      [
        ["--proxy-protocol", "localhost"],
        {},
        "--proxy-protocol (TELLNET_PROXY_PROTOCOL) must be addresses or networks such as "
        + "127.0.0.1,10.0.0.0/8,fd00::/8, or off, not \"localhost\"."
      ],
      [["--no-plain"], { TELLNET_PORT: "x" }, /^--port/],
      [
        ["--web-host", "http://chat"],
        {},
        "--web-host (TELLNET_WEB_HOST) must be none, or names such as chat.example.org,chat, not \"http://chat\"."
      ],
      [["--web-host", "a,"], {}, /not "a,"\.$/],
      [
        ["--web-origin", "chat.example.org"],
        {},
        /^--web-origin .* addresses such as https:\/\/chat\.example\.org, not/
      ],
      [["--web-origin", "https://chat.example.org/path"], {}, /^--web-origin/],
      [["--web-origin", "null"], {}, /^--web-origin/],
      [["--port"], {}, "error: option '--port <N>' argument missing"],
      [["--prot", "1"], {}, "error: unknown option '--prot'\n(Did you mean --port?)"],
      [["8888"], {}, /^error: too many arguments/],
      [[], { TELLNET_MAXLINE: "1" }, "TELLNET_MAXLINE is no setting: did you mean TELLNET_MAX_LINE?"],
      [[], { TELLNET_XYZZY: "" }, "TELLNET_XYZZY is no setting: see --help"]
    ] as const
  ) {
    it(`refuses ${[...args, ...Object.entries(env).flat()].map((word) => JSON.stringify(word)).join(" ")}`, () => {
      const said = refusal(args, env).trim()
      if (typeof message === "string") assert.strictEqual(said, message)
      else assert.match(said, message)
    })
  }

  it("takes all log levels that there are, in any case, anywhere", () => {
    for (const level of ["all", "trace", "debug", "info", "warning", "error", "fatal", "none", "Info", "DEBUG"]) {
      assert.strictEqual(
        settings(["--port", "1", "--log-level", level]).logLevel._tag.toLowerCase(),
        level.toLowerCase()
      )
    }
  })

  it("takes names and origins as browsers send them", () => {
    const { webHost, webOrigin } = settings([
      "--web-host",
      "Chat.Example.org, chat",
      "--web-origin",
      "https://Chat.Example.org:443,http://127.0.0.1:8080/"
    ])
    assert.deepStrictEqual(webHost, ["chat.example.org", "chat"])
    assert.deepStrictEqual(webOrigin, ["https://chat.example.org", "http://127.0.0.1:8080"])
    assert.deepStrictEqual([settings([]).webHost, settings([]).webOrigin], [[], []])
  })

  it("takes a welcome of one's own", () => {
    assert.deepStrictEqual(settings(["--welcome", "欢迎 to us"]).welcome, { text: "欢迎 to us" })
    assert.strictEqual(settings(["--welcome", "off"]).welcome, "off")
  })

  it("helps in one line for each flag, of at most 100 columns, without colours, wherever --help stands", () => {
    const lines = help().split("\n")
    for (const line of lines) assert.isAtMost(line.length, 100, line)
    // oxlint-disable-next-line no-control-regex -- colours begin with a control character
    assert.notMatch(help(), /\u001b/)
    for (const { fallback, name } of Flags.rows) {
      const own = lines.filter((line) => line.startsWith(`  --${name} `))
      assert.strictEqual(own.length, 1, name)
      assert.include(own[0], `(${fallback})`)
    }
    assert.include(help(), "TELLNET_MAX_LINE")
    const parsed = CommandLine.parse(["--port", "1", "--help"], {})
    assert.deepStrictEqual(parsed, { words: help(), code: 0 })
  })

  it("is what the table for operators says, line by line", () => {
    const readme = readFileSync("src/ops/README.md", "utf8")
    const table = [...readme.matchAll(/^\| `--([a-z-]+)` \| `([^`]*)` \| (.*) \|$/gm)].map((
      [, name, fallback, what]
    ) => ({
      name,
      fallback,
      what
    }))
    assert.deepStrictEqual(table, Flags.rows.map(({ fallback, name, what }) => ({ name, fallback, what })))
  })
})
