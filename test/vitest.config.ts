import { defineConfig } from "vitest/config"

// What is the same on one server and on several nodes of one chat.
const laws = ["Rooms", "Server", "Json", "Owned", "Missed", "Ignore"].map((name) => `test/${name}.test.ts`)

export default defineConfig({
  test: {
    globalSetup: "test/support/bundle.ts",
    // Three at a time also where there are two cores: most of them wait.
    maxWorkers: 3,
    minWorkers: 3,
    // Every wait inside a test has its own, shorter limit; these only end what hangs elsewhere.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxConcurrency: 4,
    projects: [
      { extends: true, test: { name: "alone", include: ["test/**/*.test.ts"] } },
      {
        extends: true,
        test: { name: "nodes", include: laws, env: { TEST_NODES: "3" }, setupFiles: "test/support/nodes.setup.ts" }
      }
    ]
  }
})
