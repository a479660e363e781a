/** The servers that are compared, and how each of them is started. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ChildFailed, findProgram, pinned, root, startUntil } from "./ChildProcess.ts"
import type { Load, ServerName } from "./Job.ts"

/** All Node servers run the same way, so that what `tsx` costs is in each of them. */
const node = [process.execPath, "--import", "tsx"]

const tellnet = ["src/main.ts", "--port", "0", "--idle-timeout", "0", "--max-connections", "20000"]

/** Limits that would bend the figures are off; everything else is as it comes. */
export const tellnetArguments = [...tellnet, "--rate", "0", "--max-connections-per-ip", "20000"]

/** The same for settings that another commit may not know as flags. */
export const tellnetEnvironment: Record<string, string> = {
  TELLNET_RATE_PER_IP: "0",
  TELLNET_VISITS_PER_IP: "0",
  TELLNET_WELCOME: "off",
  TELLNET_DATA: "none"
}

/** How each is started and what it is, for the report. */
export const description: Record<ServerName, { readonly command: string; readonly about: string }> = {
  tellnet: {
    command: `node --import tsx ${tellnetArguments.join(" ")}`,
    about: "this server, which keeps the last lines in memory (`--data none`)"
  },
  web: { command: "the same with `--web-port 0`", about: "this server, to which all come by WebSocket" },
  file: { command: "the same with `--data FILE`", about: "this server, which keeps all in a file" },
  nodes1: { command: "the same with `--nats URL` of a nats-server", about: "this server, as one node" },
  nodes2: { command: "twice the same with `--nats URL`", about: "two nodes of this server" },
  nodes3: { command: "three times the same with `--nats URL`", about: "three nodes of this server" },
  baseline: { command: "the same in the checkout of `--baseline`", about: "another commit of this server" },
  batched: {
    command: "node --import tsx test/bench/servers/batched.ts",
    about: "plain Node, batched by hand: one buffer a turn of the event loop, one write per user"
  },
  plain: {
    command: "node --import tsx test/bench/servers/plain.ts",
    about: "plain Node, every line written to every socket at once"
  },
  nats: { command: "GOMAXPROCS=1 nats-server -a 127.0.0.1 -p -1", about: "its own text protocol, no presence" }
}

/** What is attacked has the limits that it comes with. */
const limitsOf = (load: Load) =>
  load.kind === "Hostile" || load.kind === "Visits"
    ? { args: tellnet, env: { TELLNET_WELCOME: "off", TELLNET_DATA: "none" } }
    : { args: tellnetArguments, env: tellnetEnvironment }

const startOf = (name: ServerName, load: Load, baseline: string | undefined) => {
  const { args, env } = limitsOf(load)
  switch (name) {
    case "tellnet":
      return Effect.succeed({ command: [...node, ...args], cwd: root, env })
    case "web":
      return Effect.succeed({ command: [...node, ...args, "--web-port", "0"], cwd: root, env })
    case "file":
      return Effect.map(folder, (folder) => ({
        command: [...node, ...args],
        cwd: root,
        env: { ...env, TELLNET_DATA: join(folder, "tellnet.db") }
      }))
    case "nodes1":
    case "nodes2":
    case "nodes3":
      return Effect.succeed({ command: [...node, ...args], cwd: root, env })
    case "baseline":
      return baseline === undefined
        ? Effect.fail(new ChildFailed({ program: name, reason: "no --baseline, skipped" }))
        : Effect.succeed({ command: [...node, ...args], cwd: baseline, env: knownTo(baseline, env) })
    case "plain":
    case "batched":
      return Effect.succeed({ command: [...node, `test/bench/servers/${name}.ts`], cwd: root, env: {} })
    case "nats":
      return natsServer
  }
}

const natsServer = Effect.flatMap(
  findProgram("nats-server"),
  Option.match({
    onNone: () => new ChildFailed({ program: "nats-server", reason: "not installed, skipped" }),
    // It has one core, so one thread is its best.
    onSome: (program) =>
      Effect.succeed({ command: [program, "-a", "127.0.0.1", "-p", "-1"], cwd: root, env: { GOMAXPROCS: "1" } })
  })
)

// What a setting came with: a commit from before that refuses its variable.
const cameWith: Record<string, string> = { TELLNET_DATA: "src/log", TELLNET_VISITS_PER_IP: "src/doors/Visits.ts" }

const knownTo = (baseline: string, env: Record<string, string>) =>
  Record.filter(env, (_, name) => existsSync(join(baseline, cameWith[name] ?? "src")))

/** A folder that is gone at the end of the scope. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tellnet-bench-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** `listening on HOST:PORT` of the Node servers, `Listening for client connections on HOST:PORT` of NATS. */
const listening = /listening (?:for client connections )?on \S*:(\d+)/i
const listeningForBrowsers = /listening on \S*:(\d+) for browsers/

interface Start {
  readonly command: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Record<string, string>
}

const start = ({ command, cwd, env }: Start, core: number | undefined, printed = listening) =>
  Effect.gen(function*() {
    const [program = "", ...args] = yield* pinned(core, command)
    const { match, pid } = yield* startUntil(program, args, printed, { cwd, env })
    return { pid, port: Number(match[1]) }
  })

const nodesOf: Partial<Record<ServerName, number>> = { nodes1: 1, nodes2: 2, nodes3: 3 }

/** Starts a server on its core, if it has one, without the process that the `tsx` command would put before it; it ends with the scope. */
export const startServer = (name: ServerName, load: Load, core: number | undefined, baseline: string | undefined) =>
  Effect.gen(function*() {
    const own = yield* startOf(name, load, baseline)
    const count = nodesOf[name]
    if (count === undefined) {
      const { pid, port } = yield* start(own, core, name === "web" ? listeningForBrowsers : listening)
      return { pids: [pid], ports: [port], store: 0 }
    }
    const nats = yield* natsServer
    const store = yield* start({ ...nats, command: [...nats.command, "-js", "-sd", yield* folder] }, core)
    const command = [...own.command, "--nats", `nats://127.0.0.1:${store.port}`]
    const nodes = yield* Effect.replicateEffect(start({ ...own, command }, core), count)
    return { pids: nodes.map(({ pid }) => pid), ports: nodes.map(({ port }) => port), store: store.pid }
  })

/** Starts tellnet as `npm start` does, for the time that takes; on all cores, as its users start it. */
export const startLikeUsers = Effect.map(
  startUntil("node_modules/.bin/tsx", tellnetArguments, listening, { cwd: root, env: tellnetEnvironment }),
  ({ match }) => Number(match[1])
)
