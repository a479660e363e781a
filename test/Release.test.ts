/** What `npm pack` makes, installed as anybody would, on each Node that it is for. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, resolve } from "node:path"
import manifest from "../package.json" with { type: "json" }
import { get, port, start, webPort } from "./support/child.ts"
import { arrive } from "./support/client.ts"

// What it prints is shown only if it fails.
const npm = (...args: ReadonlyArray<string>) => execFileSync("npm", args, { encoding: "utf8", stdio: "pipe" })

const runtime = (major: number) => resolve(`test/runtimes/node_modules/node${major}-${process.arch}/bin/node`)

const nodes = [
  { name: "the Node of the tests", version: process.versions.node, node: process.execPath },
  { name: "Node 22", version: "22.", node: runtime(22) },
  { name: "Node 24", version: "24.", node: runtime(24) }
]

/** In CI an absent Node is a failure: `npm ci --prefix test/runtimes`. */
const isMissing = (node: string) => !existsSync(node) && process.env["CI"] === undefined

let home = ""
let archive = ""

beforeAll(() => {
  home = mkdtempSync(`${tmpdir()}/tellnet-`)
  archive = `${home}/${manifest.name}-${manifest.version}.tgz`
  npm("pack", "--pack-destination", home)
  // The binding is there already, so npm needs no registry; it would, if the package needed anything else.
  cpSync("dist/node_modules", `${home}/node_modules`, { recursive: true })
  npm("install", "--offline", "--prefix", home, archive)
})
afterAll(() => rmSync(home, { recursive: true }))

describe("the package", { concurrent: true }, () => {
  it("has what the build makes, and no sources, no tests and no packages of others", () => {
    const names = execFileSync("tar", ["-tzf", archive], { encoding: "utf8" })
    const page = ["icon.svg", "index.html", "page.css", "page.js"].flatMap((name) =>
      ["", ".br", ".gz"].map((form) => `dist/page/${name}${form}`)
    )
    const scripts = ["SqliteCopy", "SqliteWriter", "tellnet", "tellnet-client"].map((name) => `dist/${name}.mjs`)
    assert.sameMembers(
      names.trim().split("\n"),
      ["README.md", "package.json", ...scripts, ...page].map((name) => `package/${name}`)
    )
    assert.deepStrictEqual(Object.keys(manifest.dependencies), ["libsql"])
  })

  for (const { name, node, version } of nodes) {
    it.scopedLive.skipIf(isMissing(node))(
      `serves and is talked to, is backed up and exported, on ${name}`,
      () =>
        Effect.gen(function*() {
          const folder = mkdtempSync(`${home}/run-`)
          const run = (program: string, ...args: ReadonlyArray<string>) =>
            start("env", ["-C", folder, `${home}/node_modules/.bin/${program}`, ...args], {
              PATH: `${dirname(node)}:${process.env["PATH"]}`
            })
          const done = (...args: ReadonlyArray<string>) =>
            Effect.gen(function*() {
              const { code, stderr, stdout } = yield* (yield* run("tellnet", ...args)).over
              assert.deepStrictEqual([code, stderr], [0, ""])
              return stdout
            })

          const words = yield* done("--version")
          assert.match(
            words,
            /^tellnet \S+(?: \([0-9a-f]{7}(?:-dirty)?\))? node \S+ effect \S+ libsql \S+ sqlite \d\S+\n$/
          )
          assert.include(words, ` node ${version}`)
          assert.include(words, `tellnet ${manifest.version} `)
          assert.include(words, ` effect ${manifest.devDependencies.effect} libsql ${manifest.dependencies.libsql} `)

          const server = yield* run("tellnet", "--port", "0", "--web-port", "0", "--welcome", "off")
          const listening = yield* port(server)
          const ann = yield* arrive(listening)
          yield* ann.send("hello\n")
          yield* ann.sees(`${ann.front}hello`)

          const client = yield* run("tellnet-client", `127.0.0.1:${listening}`, "--name", "Bot")
          yield* client.type("from a pipe\n")
          yield* client.end
          assert.deepStrictEqual(yield* client.over, { code: 0, stdout: "", stderr: "" })
          yield* Effect.repeat(ann.line, { until: (line) => line.endsWith("]Bot:from a pipe") })

          const web = `http://127.0.0.1:${yield* webPort(server)}`
          for (const [path, file] of [["/", "index.html"], ["/page.js", "page.js"]] as const) {
            const text = readFileSync(`${home}/node_modules/${manifest.name}/dist/page/${file}`, "utf8")
            assert.deepStrictEqual(yield* get(`${web}${path}`), { status: 200, text })
          }

          const texts = (stdout: string): ReadonlyArray<string> =>
            stdout.trim().split("\n").map((line) => JSON.parse(line).text)
          assert.strictEqual(yield* done("backup", "copy.db"), "copy.db has all of it, 2 lines\n")
          assert.deepStrictEqual(texts(yield* done("export", "lobby")), ["hello", "from a pipe"])
          yield* server.signal("SIGTERM")
          yield* Effect.repeat(ann.line, { until: (line) => line === "*** 服务器即将关闭" })
          yield* ann.end
          assert.strictEqual((yield* server.over).code, 0)
          assert.deepStrictEqual(texts(yield* done("export", "lobby", "--data", "copy.db")), ["hello", "from a pipe"])
        })
    )
  }
})
