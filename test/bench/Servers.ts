/** The servers that are compared, and how each of them is started. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ChildFailed, findProgram, pinned, startUntil } from "./ChildProcess.ts"
import type { ServerName } from "./Job.ts"

/** All Node servers run the same way, so that what `tsx` costs is in each of them. */
const node = [process.execPath, "--import", "tsx"]

/** Limits that would bend the figures are off; everything else is as it comes. */
export const tellnetArguments = [
  "src/main.ts",
  "--port",
  "0",
  "--idle-timeout",
  "0",
  "--rate",
  "0",
  "--max-connections",
  "20000",
  "--max-connections-per-ip",
  "20000"
]

/** How each is started and what it is, for the report. */
export const description: Record<ServerName, { readonly command: string; readonly about: string }> = {
  tellnet: { command: `node --import tsx ${tellnetArguments.join(" ")}`, about: "this server" },
  batched: {
    command: "node --import tsx test/bench/servers/batched.ts",
    about: "plain Node, batched by hand: one buffer a turn of the event loop, one write per user"
  },
  plain: {
    command: "node --import tsx test/bench/servers/plain.ts",
    about: "plain Node, every line written to every socket at once"
  },
  nats: { command: "nats-server -a 127.0.0.1 -p -1", about: "its own text protocol, no presence" }
}

const commandOf = (name: ServerName) => {
  switch (name) {
    case "tellnet":
      return Effect.succeed([...node, ...tellnetArguments])
    case "plain":
    case "batched":
      return Effect.succeed([...node, `test/bench/servers/${name}.ts`])
    case "nats":
      return Effect.flatMap(
        findProgram("nats-server"),
        Option.match({
          onNone: () => new ChildFailed({ program: "nats-server", reason: "not installed, skipped" }),
          onSome: (program) => Effect.succeed([program, "-a", "127.0.0.1", "-p", "-1"])
        })
      )
  }
}

/** `listening on HOST:PORT` of the Node servers, `Listening for client connections on HOST:PORT` of NATS. */
const listening = /listening (?:for client connections )?on \S*:(\d+)/i

/** Starts a server on its core, without the process that the `tsx` command would put before it; it ends with the scope. */
export const startServer = (name: ServerName, core: number) =>
  Effect.gen(function*() {
    const [program = "", ...args] = yield* pinned(core, yield* commandOf(name))
    const { match, pid } = yield* startUntil(program, args, listening)
    return { pid, port: Number(match[1]) }
  })

/** Starts tellnet as `npm start` does, for the time that takes; on all cores, as its users start it. */
export const startLikeUsers = Effect.map(
  startUntil("node_modules/.bin/tsx", tellnetArguments, listening),
  ({ match }) => Number(match[1])
)
