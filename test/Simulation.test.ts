/** The laws of several nodes, over many seeds in simulated time; and that each of some faults, put into a copy of the code, is found. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"

const seeds = Number(process.env["SIMULATE"] ?? 1000)

/** Runs the simulation that is in a folder, and gives its code and what it says. */
const run = (folder: string, count: number, life = "short") =>
  new Promise<{ readonly code: number | null; readonly words: string }>((resolve) => {
    const child = spawn(process.execPath, [
      // What a seed leaves behind is gone with it.
      "--max-semi-space-size=64",
      "--import",
      "tsx",
      `${folder}/test/simulation/main.ts`,
      "1",
      `${count}`,
      life
    ])
    let words = ""
    child.stdout.on("data", (text) => words += text)
    child.stderr.on("data", (text) => words += text)
    child.on("close", (code) => resolve({ code, words }))
  })

const faults: Record<string, { readonly file: string; readonly right: string; readonly wrong: string }> = {
  "records of the dead count": {
    file: "domain/Nodes.ts",
    right: "!nodes.gone.includes(node)",
    wrong: "true"
  },
  "what is sent again is another record": {
    file: "log/Member.ts",
    right: "const number = first.number ?? 0",
    wrong: "const number = first.number = ++state.count"
  },
  "what is acknowledged is forgotten": {
    file: "log/Member.ts",
    right: "first.takenAt = state.now()",
    wrong: "if (state.outbox[0] === first) { state.outbox.shift(); finish(first.applied); sendFirst(state) }"
  },
  "whoever comes back says nothing of what was on its way": {
    file: "log/Member.ts",
    right: "...outbox.map(({ applied, events, isAwaited }) => Object.assign(outgoing(events), { applied, isAwaited }))",
    wrong: "...outbox.flatMap(({ applied }) => { finish(applied); return [] })"
  },
  "whoever comes back leaves its users behind": {
    file: "log/Member.ts",
    right: "[...first, ...World.returnOf(before, node)]",
    wrong: "[...first]"
  }
}

describe("Several nodes in simulated time", () => {
  it(`keep the laws over ${seeds} seeds`, async () => {
    const { code, words } = await run(".", seeds)
    assert.strictEqual(code, 0, words)
    assert.match(words, /no law was broken/)
  }, 600_000)

  it("keep them over three hours, in which old presence is forgotten", async () => {
    const { code, words } = await run(".", 3, "long")
    assert.strictEqual(code, 0, words)
    assert.match(words, / [1-9]\d* purged; no law was broken/)
  }, 600_000)

  for (const [name, { file, right, wrong }] of Object.entries(faults)) {
    it(`are caught where ${name}`, async () => {
      const folder = `node_modules/.cache/tellnet-fault-${process.pid}-${name.replaceAll(/\W/g, "-")}`
      mkdirSync(folder, { recursive: true })
      for (const part of ["src", "test/simulation", "package.json"]) {
        cpSync(part, `${folder}/${part}`, { recursive: true })
      }
      const source = readFileSync(`${folder}/src/${file}`, "utf8")
      assert.include(source, right)
      writeFileSync(`${folder}/src/${file}`, source.replace(right, wrong))
      const { code, words } = await run(folder, seeds)
      rmSync(folder, { recursive: true })
      assert.strictEqual(code, 1, words)
      assert.match(words, /^seed \d+: /)
    }, 600_000)
  }
})
