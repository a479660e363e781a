/**
 * Preloaded into a server process (`node --expose-gc --import tsx --import ./test/support/gauge.ts src/main.ts`): at each
 * SIGUSR2 it collects garbage, and prints what is left.
 */
import { readdirSync } from "node:fs"

export interface Reading {
  /** What JavaScript holds, buffers included, in bytes. */
  readonly memory: number
  readonly descriptors: number
  /** How many of each kind of resource keep the process alive. */
  readonly resources: { readonly [kind: string]: number }
}

const read = (): Reading => {
  globalThis.gc?.()
  // `arrayBuffers` is a part of `external`.
  const { external, heapUsed } = process.memoryUsage()
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  return { memory: heapUsed + external, descriptors: readdirSync("/proc/self/fd").length, resources }
}

let readings = 0

process.on("SIGUSR2", () => {
  globalThis.gc?.()
  // What the first collection finds is closed in the next turn of the event loop, and collected by the second.
  setImmediate(() => process.stdout.write(`gauge ${++readings} ${JSON.stringify(read())}\n`))
})
