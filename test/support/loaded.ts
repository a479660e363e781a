/** Imported before a program, prints at its end whether it has loaded the library for metrics. */
import { createRequire } from "node:module"

const { cache, resolve } = createRequire(import.meta.url)
process.on("exit", () => {
  if (resolve("prom-client") in cache) {
    process.stdout.write("loaded prom-client\n")
  }
})
