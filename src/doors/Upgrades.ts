/**
 * HTTP on sockets that were accepted elsewhere: requests for the page are answered, and the one for the WebSocket, if there
 * is one that may come in, ends that.
 */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Net from "node:net"
import type { WebReason } from "../domain/Reasons.ts"
import { ServerConfig } from "../ServerConfig.ts"
import { NotOpened } from "./Door.ts"
import * as Page from "./Page.ts"
import { isKnownHost, isOwnOrigin } from "./WebHeaders.ts"

/** A request for the WebSocket, as Node gives it. */
export interface Upgrade {
  readonly request: Http.IncomingMessage
  readonly socket: Net.Socket
  readonly head: Buffer
}

// Milliseconds: for all headers of a request, for the next request on the same connection, and for a browser to take some
// more of what it asked for.
const patience = 10_000
const keepAlive = 5000
const stall = 30_000

// Everything that a browser says of itself, and the cookies of whatever else has this host, fit well into it.
const maxHeaderSize = 8192

// The page has four files.
const maxRequestsPerSocket = 64

/** A connection that may ask for a WebSocket still. */
interface Visitor {
  readonly settle: (result: Effect.Effect<Upgrade | undefined, NotOpened>) => void
  /** Answers that it has not got yet. */
  unanswered: number
  /** Why it is sent away. */
  reason: WebReason | undefined
}

/**
 * Gives what serves HTTP on a socket: the upgrade that it asks for, or `undefined` if it ended without. What fails or is
 * interrupted is not closed.
 */
export const make = (page: Page.Page, scheme: "http" | "https") =>
  Effect.gen(function*() {
    const { webHost, webOrigin } = yield* ServerConfig
    const visitors = new Map<object, Visitor>()

    /** What is wrong with where a request comes from. */
    const problemOf = (request: Http.IncomingMessage): "web-host" | "web-origin" | undefined => {
      if (!isKnownHost(request.headersDistinct["host"], webHost)) return "web-host"
      if (!isChat(request)) return undefined
      const { host = "", origin } = request.headers
      return isOwnOrigin(origin, { scheme, host }, webOrigin) ? undefined : "web-origin"
    }

    const server = Http.createServer({
      headersTimeout: patience,
      requestTimeout: patience,
      keepAliveTimeout: keepAlive,
      connectionsCheckingInterval: 1000,
      maxHeaderSize
    })
    server.timeout = stall
    server.maxRequestsPerSocket = maxRequestsPerSocket

    server.on("request", (request, response) => {
      const visitor = visitors.get(request.socket)
      if (visitor === undefined) return void request.socket.destroy()
      visitor.unanswered++
      response.on("close", () => visitor.unanswered--)
      const problem = problemOf(request)
      if (problem !== undefined) {
        visitor.reason = problem
        const [status, words] = answers[problem]
        return Page.say(response, status, words, { connection: "close" })
      }
      if (isChat(request)) return Page.say(response, 426, "a WebSocket is here\n", { upgrade: "websocket" })
      Page.answer(page, request, response)
    })

    server.on("upgrade", (request, socket, head) => {
      // The close that follows is all that anybody needs to know.
      socket.on("error", () => {})
      const visitor = visitors.get(socket)
      if (visitor === undefined || !(socket instanceof Net.Socket)) return void socket.destroy()
      const refuse = (reason: WebReason | undefined, status: number, words: string) => {
        visitor.reason = reason
        socket.write(plainAnswer(status, words))
        socket.destroySoon()
      }
      // What is still to be written would come in the middle of its frames.
      if (visitor.unanswered > 0) {
        visitor.reason = "web-malformed"
        return void socket.destroy()
      }
      const problem = problemOf(request)
      if (problem !== undefined) return refuse(problem, ...answers[problem])
      if (!isChat(request)) return refuse(undefined, 404, "not found\n")
      visitor.settle(Effect.succeed({ request, socket, head }))
    })

    // After its last request a connection gets no answer, but an end.
    server.on("dropRequest", (_, socket) => socket.destroy())

    server.on("clientError", (error, socket) => {
      const visitor = visitors.get(socket)
      const isSilent = socket instanceof Net.Socket && socket.bytesRead === 0
      const { reason, status } = mistakeOf(error)
      // Browsers connect ahead, and may never need it.
      if (visitor !== undefined && !isSilent) visitor.reason ??= reason
      if (socket.writable && !isSilent && visitor?.unanswered === 0) socket.write(plainAnswer(status, ""))
      socket.destroy()
    })

    // It listens to nothing: it is handed connections. But Node looks after its time limits only once it "listens".
    server.emit("listening")
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))

    return (socket: Net.Socket) =>
      Effect.async<Upgrade | undefined, NotOpened>((resume) => {
        if (socket.destroyed) return resume(Effect.succeed(undefined))
        const forget = () => {
          visitors.delete(socket)
          socket.off("close", closed)
        }
        const settle: Visitor["settle"] = (result) => {
          forget()
          resume(result)
        }
        const visitor: Visitor = { settle, unanswered: 0, reason: undefined }
        const closed = () =>
          settle(visitor.reason === undefined ? Effect.succeed(undefined) : new NotOpened({ reason: visitor.reason }))
        visitors.set(socket, visitor)
        socket.on("close", closed)
        server.emit("connection", socket)
        socket.resume()
        return Effect.sync(forget)
      })
  })

const isChat = ({ url }: Http.IncomingMessage): boolean => url !== undefined && /^\/chat(?:\?|$)/.test(url)

const answers: Record<"web-host" | "web-origin", readonly [status: number, words: string]> = {
  "web-host": [421, "this server is not known by that name: see --web-host\n"],
  "web-origin": [403, "a page from elsewhere may not talk here: see --web-origin\n"]
}

/** An answer where Node has no response for it. */
const plainAnswer = (status: number, words: string): string =>
  `HTTP/1.1 ${status} ${Http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
  + `Content-Length: ${Buffer.byteLength(words)}\r\n\r\n${words}`

/** What came instead of a request. */
const mistakeOf = (error: Error): { readonly reason: WebReason | undefined; readonly status: number } => {
  switch ("code" in error ? error.code : undefined) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { reason: "web-timeout", status: 408 }
    case "HPE_HEADER_OVERFLOW":
      return { reason: "web-malformed", status: 431 }
    case "ECONNRESET":
    case "EPIPE":
      return { reason: undefined, status: 400 }
    default:
      return { reason: "web-malformed", status: 400 }
  }
}
