/**
 * Preloaded into a server process (`node --import tsx --import ./test/support/saboteur.ts src/main.ts`): at SIGUSR2 it
 * breaks the part of the server that `SABOTAGE` names.
 */
import * as Net from "node:net"
import { Batch } from "../../src/chat/Batch.ts"
import { RecentRate } from "../../src/ops/RecentRate.ts"

const breakDown = (): never => {
  throw new Error("sabotage")
}

const listening: Array<Net.Server> = []
Net.Server.prototype.listen = new Proxy(Net.Server.prototype.listen, {
  apply: (listen, server: Net.Server, args) => {
    listening.push(server)
    return Reflect.apply(listen, server, args)
  }
})

const ways: Record<string, () => void> = {
  broadcaster: () => {
    Batch.prototype.flush = breakDown
  },
  sweeper: () => {
    RecentRate.prototype.sample = breakDown
  },
  // The monitor listens before the door does.
  doors: () => listening.at(-1)?.emit("error", new Error("sabotage"))
}

process.on("SIGUSR2", () => ways[process.env["SABOTAGE"] ?? ""]?.())
