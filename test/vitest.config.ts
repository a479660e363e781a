import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/*.test.ts"],
    // Every wait inside a test has its own, shorter limit; these only end what hangs elsewhere.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxConcurrency: 4
  }
})
