import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/bundle.ts",
    // Two at a time also where there are two cores: most of them wait.
    maxWorkers: 2,
    minWorkers: 2,
    // Every wait inside a test has its own, shorter limit; these only end what hangs elsewhere.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxConcurrency: 4
  }
})
