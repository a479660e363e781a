/** How the page is served, to clients that ask for it in every way. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import * as Page from "../../src/doors/Page.ts"
import { ask, plainAndWeb } from "../support/web.ts"

const whole = (name: string) => `this is ${name} `.repeat(50)

describe("The page", () => {
  it.scopedLive("is served with its types, and with headers that let it load from here only", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb()
      const types = [
        ["/", "index.html", "text/html; charset=utf-8"],
        ["/?lang=en", "index.html", "text/html; charset=utf-8"],
        ["/page.js", "page.js", "text/javascript; charset=utf-8"],
        ["/page.css", "page.css", "text/css; charset=utf-8"],
        ["/icon.svg", "icon.svg", "image/svg+xml"]
      ] as const
      for (const [path, name, type] of types) {
        const { body, headers, status } = yield* ask(web, path)
        assert.strictEqual(status, 200)
        assert.strictEqual(body.toString(), whole(name))
        assert.strictEqual(headers["content-type"], type)
        assert.strictEqual(headers["content-length"], String(body.length))
        assert.strictEqual(headers["cache-control"], "no-cache")
        assert.strictEqual(headers.vary, "accept-encoding")
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.strictEqual(headers["referrer-policy"], "no-referrer")
        assert.strictEqual(headers["cross-origin-opener-policy"], "same-origin")
        assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
        assert.strictEqual(
          headers["content-security-policy"],
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )
      }
    }))

  it.scopedLive("is compressed as the browser likes, each with an ETag of its own", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb()
      const get = (path: string, accepted: string) => ask(web, path, { headers: { "accept-encoding": accepted } })
      const tags = new Set<unknown>()
      for (
        const [accepted, encoding] of [
          ["gzip, deflate, br, zstd", "br"],
          ["GZIP;q=0.5, br;q=0", "gzip"],
          ["br; q=0.000, gzip; q=0.0", undefined],
          ["identity", undefined],
          ["*", undefined],
          ["brotli", undefined]
        ] as const
      ) {
        const { body, headers } = yield* get("/page.js", accepted)
        assert.strictEqual(headers["content-encoding"], encoding, accepted)
        const plain = encoding === "br" ? brotliDecompressSync(body) : encoding === "gzip" ? gunzipSync(body) : body
        assert.strictEqual(plain.toString(), whole("page.js"))
        tags.add(headers.etag)
      }
      assert.strictEqual(tags.size, 3)
      assert.strictEqual((yield* get("/icon.svg", "br, gzip")).headers["content-encoding"], undefined)
    }))

  it.scopedLive("is not sent again to whoever has it, and not at all to whoever asks for the head", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb()
      const { headers: { etag = "" } } = yield* ask(web, "/")
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const { body, headers, status } = yield* ask(web, "/", { headers: { "if-none-match": known } })
        assert.deepStrictEqual([status, body.length, headers.etag], [304, 0, etag], known)
      }
      assert.strictEqual((yield* ask(web, "/", { headers: { "if-none-match": "\"x\"" } })).status, 200)
      const head = yield* ask(web, "/", { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.body.length, head.headers.etag], [200, 0, etag])
    }))

  it.scopedLive("is to be read only, and all that there is", () =>
    Effect.gen(function*() {
      const { web } = yield* plainAndWeb()
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        const { headers, status } = yield* ask(web, "/", { method })
        assert.deepStrictEqual([status, headers.allow], [405, "GET, HEAD"], method)
      }
      for (const path of ["/index.html", "/page.js.br", "/../package.json", "/%2e%2e/x", "//", "/chat/", "http://x/"]) {
        assert.strictEqual((yield* ask(web, path)).status, 404, path)
      }
      assert.strictEqual((yield* ask(web, "/chat")).status, 426)
    }))

  it.effect("that is not there is named, and how it is made", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(Page.read)
      assert.strictEqual(message, "--web-port needs the page in /nowhere, which `npm run build` makes.")
    }).pipe(Effect.provideService(Page.PageFolder, "/nowhere"), Effect.provide(NodeFileSystem.layer)))
})
