/**
 * The page, and how it is served: some files, read into memory once, each perhaps compressed already (`page.js.br` beside
 * `page.js`). Knows no WebSocket, and nothing of what is on the page.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Crypto from "node:crypto"
import type * as Http from "node:http"
import { fileURLToPath } from "node:url"

const isBundle = !import.meta.url.endsWith(".ts")

/** Where the page is; `undefined`: it is made of its sources. */
export class PageFolder extends Context.Reference<PageFolder>()("tellnet/PageFolder", {
  defaultValue: () => isBundle ? fileURLToPath(new URL("page", import.meta.url)) : undefined
}) {}

/** There is no page to serve. */
export class NoPage extends Data.TaggedError("NoPage")<{ readonly message: string }> {}

interface Variant {
  readonly bytes: Uint8Array
  readonly etag: string
}

interface Compressed extends Variant {
  /** What `Accept-Encoding` calls it. */
  readonly name: "br" | "gzip"
}

interface File {
  readonly type: string
  readonly plain: Variant
  /** The smallest first. */
  readonly compressed: ReadonlyArray<Compressed>
}

export type Page = ReadonlyMap<string, File>

/** What the page is made of, and where it is asked for. */
const files: ReadonlyArray<{ readonly path: string; readonly file: string; readonly type: string }> = [
  { path: "/", file: "index.html", type: "text/html; charset=utf-8" },
  { path: "/page.js", file: "page.js", type: "text/javascript; charset=utf-8" },
  { path: "/page.css", file: "page.css", type: "text/css; charset=utf-8" },
  { path: "/icon.svg", file: "icon.svg", type: "image/svg+xml" }
]

const encodings = [{ name: "br", ending: "br" }, { name: "gzip", ending: "gz" }] as const

/** Reads all of it. */
export const read = Effect.gen(function*() {
  const folder = yield* PageFolder
  const bytesOf = folder === undefined ? yield* made : yield* foundIn(folder)
  const page = new Map<string, File>()
  for (const { file, path, type } of files) {
    const plain = yield* bytesOf(file)
    const compressed: Array<Compressed> = []
    for (const { ending, name } of encodings) {
      const bytes = yield* Effect.option(bytesOf(`${file}.${ending}`))
      if (Option.isSome(bytes)) compressed.push({ ...variantOf(bytes.value), name })
    }
    page.set(path, { type, plain: variantOf(plain), compressed })
  }
  const served: Page = page
  return served
})

const foundIn = (folder: string) =>
  Effect.map(
    FileSystem.FileSystem,
    ({ readFile }) => (file: string) =>
      Effect.mapError(readFile(`${folder}/${file}`), () =>
        new NoPage({ message: `--web-port needs the page in ${folder}, which \`npm run build\` makes.` }))
  )

/** What `npm run build` would put into a folder. */
const made = Effect.gen(function*() {
  // A bundle has no need of what makes it.
  const maker = new URL("../../.ci/page.mjs", import.meta.url).href
  const files = yield* Effect.tryPromise({
    try: async (): Promise<ReadonlyMap<string, Uint8Array>> => (await import(maker)).makePage(),
    catch: (error) => new NoPage({ message: `The page cannot be made: ${error}` })
  })
  return (file: string) =>
    Effect.mapError(
      Effect.fromNullable(files.get(file)),
      () => new NoPage({ message: `The page has no ${file}.` })
    )
})

const variantOf = (bytes: Uint8Array): Variant => ({
  bytes,
  etag: `"${Crypto.createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
})

/** Nothing of anybody else is loaded or run, nobody frames the page, and it tells nobody where its user came from. */
const security = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    + "require-trusted-types-for 'script'; trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
}

/** Answers a request for a part of the page, or says that there is none. */
export const answer = (page: Page, request: Http.IncomingMessage, response: Http.ServerResponse): void => {
  const file = page.get((request.url ?? "").replace(/\?.*/s, ""))
  if (file === undefined) return say(response, 404, "not found\n")
  if (request.method !== "GET" && request.method !== "HEAD") {
    return say(response, 405, "only to be read\n", { allow: "GET, HEAD", connection: "close" })
  }
  const accepted = String(request.headers["accept-encoding"] ?? "")
  const compressed = file.compressed.find(({ name }) => accepts(accepted, name))
  const { bytes, etag } = compressed ?? file.plain
  const headers = {
    ...security,
    "cache-control": "no-cache",
    vary: "accept-encoding",
    etag
  }
  if (isKnown(request.headers["if-none-match"], etag)) {
    response.writeHead(304, headers).end()
    return
  }
  response.writeHead(200, {
    ...headers,
    "content-type": file.type,
    "content-length": bytes.length,
    ...compressed && { "content-encoding": compressed.name }
  })
  response.end(request.method === "HEAD" ? undefined : bytes)
}

/** Answers with a few words. */
export const say = (
  response: Http.ServerResponse,
  status: number,
  words: string,
  headers: Http.OutgoingHttpHeaders = {}
): void => {
  response.writeHead(status, {
    ...security,
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(words),
    ...headers
  })
  response.end(words)
}

/** Whether an `Accept-Encoding` (RFC 9110, section 12.5.3) takes this one; `*` is not believed to mean it. */
const accepts = (accepted: string, encoding: string): boolean =>
  accepted.toLowerCase().split(",").some((part) => {
    const [name, ...parameters] = part.split(";").map((word) => word.trim())
    return name === encoding && !parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter))
  })

/** Whether an `If-None-Match` (RFC 9110, section 13.1.2) names what is there. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(",").some((tag) => /^\s*(?:W\/)?(.*?)\s*$/.exec(tag)?.[1] === etag || tag.trim() === "*")
