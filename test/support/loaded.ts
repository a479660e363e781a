/** Imported before a program, prints at its end whether it has loaded the exporter of metrics. */
import { createRequire } from "node:module"

const { cache, resolve } = createRequire(import.meta.url)
process.on("exit", () => {
  if (resolve("@opentelemetry/exporter-prometheus") in cache) {
    process.stdout.write("loaded @opentelemetry/exporter-prometheus\n")
  }
})
