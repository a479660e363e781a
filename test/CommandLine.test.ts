/** The commands beside the server: what is asked for, and what is said to whoever asks for something else. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parse } from "../src/CommandLine.ts"
import { chooseRoom } from "../src/domain/Room.ts"
import { bundled } from "./support/child.ts"

const now = Date.UTC(2026, 10, 25, 12)
const parsed = (...args: ReadonlyArray<string>) => parse(args, {}, now)

describe("backup and export", () => {
  it("are asked for with a file, a room and times, wherever the flags stand", () => {
    assert.deepStrictEqual(parsed("backup", "copy.db"), { task: { do: "backup", data: "tellnet.db", to: "copy.db" } })
    for (const args of [["--data", "a.db", "backup", "copy.db"], ["backup", "--data", "a.db", "copy.db"]]) {
      assert.deepStrictEqual(parsed(...args), { task: { do: "backup", data: "a.db", to: "copy.db" } })
    }
    assert.deepStrictEqual(
      parse(["backup", "copy.db"], { TELLNET_DATA: "b.db" }),
      { task: { do: "backup", data: "b.db", to: "copy.db" } }
    )
    const room = Option.getOrThrow(chooseRoom("Dev"))
    const asked = parsed("export", "#Dev", "--since", "1d", "--until", "2026-11-25T09:30Z")
    assert.deepStrictEqual(asked, {
      task: { do: "export", data: "tellnet.db", room, since: now - 86_400_000, until: Date.UTC(2026, 10, 25, 9, 30) }
    })
  })

  for (
    const [time, at] of [
      ["2026-11-25", new Date(2026, 10, 25)],
      ["2026-11-25T09:30", new Date(2026, 10, 25, 9, 30)],
      ["2026-11-25 09:30:15", new Date(2026, 10, 25, 9, 30, 15)],
      ["2026-11-25T09:30:15.5Z", new Date(Date.UTC(2026, 10, 25, 9, 30, 15, 500))],
      ["2026-11-25T09:30+08:00", new Date(Date.UTC(2026, 10, 25, 1, 30))],
      ["2028-02-29", new Date(2028, 1, 29)]
    ] as const
  ) {
    it(`read ${time} as a time, of this machine where it has no zone`, () => {
      const asked = parsed("export", "lobby", "--since", time)
      assert.strictEqual("task" in asked && asked.task.do === "export" && asked.task.since, at.getTime())
    })
  }

  for (
    const [args, words] of [
      [["backup"], /missing required argument 'FILE'/],
      [["backup", "a.db", "b.db"], /too many arguments/],
      [["backup", "a.db", "--since", "7d"], /unknown option '--since'/],
      [["backup", "a.db", "--data", "none"], /^With --data none there is no file\.\n$/],
      [
        ["backup", "a.db", "--nats", "nats://127.0.0.1:4222"],
        /^This is for the file of one server\. .*`nats stream backup`\.\n$/
      ],
      [["export"], /missing required argument 'ROOM'/],
      [["export", "a b"], /^"a b" is no room\.\n$/],
      [["export", "lobby", "--port", "x"], /--port/],
      [["export", "lobby", "--until", "2026-11-25T25:00"], /^--until must be a time .*, not "2026-11-25T25:00"\.\n$/],
      ...["2026-02-31", "2026-02-29", "2026-13-01", "25.11.2026", "now", ""].map((time) =>
        [["export", "lobby", "--since", time], new RegExp(`^--since must be a time .*, not "${time}"\\.\n$`)] as const
      )
    ] as const
  ) {
    it(`are refused with 2: ${args.join(" ")}`, () => {
      const refused = parsed(...args)
      assert.isTrue("words" in refused && refused.code === 2, JSON.stringify(refused))
      assert.match("words" in refused ? refused.words : "", words)
    })
  }

  it("are told of in their own help", () => {
    for (const [task, words] of [["backup", "copy the data"], ["export", "--since <TIME>"]] as const) {
      const help = parsed(task, "--help")
      assert.isTrue("words" in help && help.code === 0)
      assert.include("words" in help ? help.words : "", words)
      assert.include("words" in help ? help.words : "", "--data FILE says of which file")
    }
  })

  it.scopedLive("say what was not understood on standard error, and print nothing", () =>
    Effect.gen(function*() {
      const refused = yield* (yield* bundled(["export", "lobby", "--since", "2026-02-31"], { TELLNET_DATA: "" })).over
      assert.deepStrictEqual([refused.code, refused.stdout], [2, ""])
      assert.match(refused.stderr, /^--since must be a time such as .*, not "2026-02-31"\.\n$/)
    }))
})
