/** The shared stream on NATS JetStream: a stream with two subjects, a bucket of signs of life, and a subject for each node. */
import {
  DeliverPolicy,
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
  StorageType,
  type StreamConfig,
  type StreamInfo
} from "@nats-io/jetstream"
import { Bucket, Kvm } from "@nats-io/kv"
import {
  AuthorizationError,
  connect,
  nanos,
  type NatsConnection,
  NoRespondersError,
  PermissionViolationError,
  RequestError
} from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { NodeId } from "../domain/Event.ts"
import { nextTurn } from "../domain/nextTurn.ts"
import { CannotOpen } from "./MessageLog.ts"
import type { Access } from "./NatsAccess.ts"
import * as Codec from "./RecordCodec.ts"
import { type Identity, type Message, NoSuchNode, OutOfReach, type SharedStream } from "./SharedStream.ts"

export interface Options {
  readonly servers: ReadonlyArray<string>
  /** What the names of all subjects, streams and buckets begin with. */
  readonly prefix: string
  readonly replicas: number
  /** What of TLS and of logging in is asked for. */
  readonly access: Access
  readonly keepLines: number
  readonly keepDays: number
  readonly keepBytes: number
}

/** One request waits for so many ms. */
const timeout = 2000
/** So long, in ms, the stream knows which IDs it had. */
const duplicateWindow = 120_000
/** A payload must have room for so many bytes: twice what a record is meant to have. */
export const leastPayload = 2 * Codec.recordBytes
// So many messages come at once, at most.
const atOnce = 500
// So many questions of others are answered at once.
const answersAtOnce = 16
// A node that begins waits so long for NATS.
const patience = "10 seconds"

export interface Link {
  readonly shared: SharedStream
  readonly js: JetStreamClient
  /** Gives the stream of a bucket as many copies as the flags say. */
  readonly bringInLine: (stream: string) => Effect.Effect<void, OutOfReach>
  /** Ends when the connection is closed for good, and says why. */
  readonly closed: Effect.Effect<string>
}

const call = <A>(run: () => Promise<A>): Effect.Effect<A, OutOfReach> =>
  Effect.tryPromise({ try: run, catch: outOfReach })

const outOfReach = (error: unknown) => new OutOfReach({ why: whyOf(error), isFinal: isFinal(error) })

/**
 * Runs this for each that comes, one after another; ends with the last. To return an iterator of NATS waits for its next value, so
 * whoever opened it stops it.
 */
const forEach = <A>(
  iterable: AsyncIterable<A>,
  run: (a: A) => Effect.Effect<boolean | void, OutOfReach>
): Effect.Effect<void, OutOfReach> =>
  Effect.suspend(() => {
    const iterator = iterable[Symbol.asyncIterator]()
    let goesOn = true
    return Effect.whileLoop({
      while: () => goesOn,
      body: () =>
        Effect.flatMap(call(() => iterator.next()), (next) =>
          next.done === true ? Effect.succeed(false) : run(next.value)),
      step: (more) => {
        goesOn = more !== false
      }
    })
  })

/** Nothing that passes by: a login, a right or a certificate is wrong. */
const isFinal = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  if (error instanceof AuthorizationError || error instanceof PermissionViolationError) return true
  return isOfCertificate(error) || isFinal(error.cause)
}

const isOfCertificate = (error: Error) => "code" in error && /CERT|ISSUER|SIGNATURE/.test(String(error.code))

const whyOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return isOfCertificate(error) ? `${error.message} (see --nats-ca)` : error.message
}

/** Connects, and makes what is not there yet; or says after 10 s why that cannot be. */
export const make = (options: Options): Effect.Effect<Link, CannotOpen, Scope.Scope> =>
  Effect.gen(function*() {
    const { prefix, replicas, servers } = options
    yield* Effect.log(`connecting to NATS at ${servers.join(",")}`)
    const connection = yield* Effect.mapError(
      untilPatience(open(options)),
      ({ why }) => new CannotOpen({ message: `NATS at ${servers.join(",")} cannot be reached: ${why}` })
    )
    const most = connection.info?.max_payload ?? 0
    if (most < leastPayload) {
      const message = `the max_payload of NATS is ${most} bytes, and tellnet needs ${leastPayload}`
      return yield* new CannotOpen({ message })
    }
    const js = jetstream(connection, { timeout })
    const prepared = Effect.gen(function*() {
      const jsm = yield* call(() => jetstreamManager(connection, { timeout }))
      yield* streamOf(jsm, options)
      yield* bringInLine(jsm, configOf(options))
      const config = { history: 1, storage: StorageType.File, replicas, allow_direct: false }
      const nodes = yield* call(() => new Kvm(js).create(`${prefix}_nodes`, config))
      if (!(nodes instanceof Bucket)) return yield* Effect.dieMessage("a bucket of another kind")
      yield* bringInLine(jsm, { name: nodes.stream, num_replicas: replicas })
      return { jsm, nodes }
    })
    const { jsm, nodes } = yield* Effect.mapError(
      untilPatience(prepared),
      ({ why }) => new CannotOpen({ message: `JetStream at ${servers.join(",")} cannot be used: ${why}` })
    )
    const breaks = yield* breaksOf(connection)
    return {
      js,
      bringInLine: (name) => bringInLine(jsm, { name, num_replicas: replicas }),
      shared: sharedStream({ connection, js, jsm, nodes, breaks, options }),
      closed: Effect.map(Effect.promise(() => connection.closed()), (error) => error ? whyOf(error) : "it was closed")
    }
  })

/** Tries again and again for as long as a node that begins may wait, if that may help; then says what was wrong last. */
const untilPatience = <A, R>(self: Effect.Effect<A, OutOfReach, R>): Effect.Effect<A, OutOfReach, R> =>
  Effect.suspend(() => {
    let last = new OutOfReach({ why: "it does not answer" })
    return self.pipe(
      Effect.tapError((error) => Effect.sync(() => last = error)),
      Effect.retry({ schedule: Schedule.spaced("300 millis"), while: ({ isFinal }) => isFinal !== true }),
      Effect.timeoutFail({ duration: patience, onTimeout: () => last })
    )
  })

const open = ({ access, prefix, servers }: Options) =>
  Effect.acquireRelease(
    call(() =>
      connect({
        servers: [...servers],
        name: `tellnet ${prefix}`,
        inboxPrefix: `${prefix}.inbox`,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 200,
        reconnectJitter: 100,
        pingInterval: 1000,
        maxPingOut: 2,
        timeout,
        ignoreClusterUpdates: true,
        noAsyncTraces: true,
        ...access
      })
    ),
    (connection) => Effect.ignore(Effect.timeout(call(() => connection.close()), "1 second"))
  )

/** Told whenever the connection was lost. */
const breaksOf = (connection: NatsConnection) =>
  Effect.gen(function*() {
    const breaks = yield* PubSub.sliding<string>(16)
    const told = forEach(
      connection.status(),
      ({ type }) => type === "disconnect" || type === "staleConnection" ? breaks.publish(type) : Effect.void
    )
    yield* Effect.forkScoped(Effect.ignore(told))
    return breaks
  })

interface Parts {
  readonly connection: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  readonly nodes: Bucket
  readonly breaks: PubSub.PubSub<string>
  readonly options: Options
}

const streamName = ({ prefix }: Options) => `${prefix}_log`

/** What the stream is like, as the flags say. */
const configOf = (options: Options) =>
  ({
    name: streamName(options),
    subjects: [`${options.prefix}.log.said`, `${options.prefix}.log.presence`],
    storage: StorageType.File,
    num_replicas: options.replicas,
    max_msgs: options.keepLines,
    max_age: nanos(options.keepDays * 86_400_000),
    max_bytes: options.keepBytes,
    max_msg_size: leastPayload,
    duplicate_window: nanos(duplicateWindow),
    allow_direct: false
  }) satisfies Partial<StreamConfig>

const isNoStream = (error: unknown) =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound

/** The stream; it is made if there is none. */
const streamOf = (jsm: JetStreamManager, options: Options): Effect.Effect<StreamInfo, OutOfReach> =>
  Effect.gen(function*() {
    const config = configOf(options)
    const info = yield* Effect.tryPromise(() => jsm.streams.info(config.name)).pipe(
      Effect.map(Option.some),
      Effect.catchIf(({ error }) => isNoStream(error), () => Effect.succeedNone),
      Effect.mapError(({ error }) => outOfReach(error))
    )
    // Two that begin at once make the same one.
    return Option.isSome(info) ? info.value : yield* call(() => jsm.streams.add(config))
  })

/** Once, when a node begins: nodes with other flags would undo it again and again. */
const bringInLine = (jsm: JetStreamManager, wanted: Partial<StreamConfig> & { readonly name: string }) =>
  Effect.gen(function*() {
    const { name } = wanted
    const { cluster, config } = yield* call(() => jsm.streams.info(name))
    // It would say yes, and keep one.
    if (Number(wanted.num_replicas) > 1 && cluster === undefined) {
      return yield* new OutOfReach({
        why: `one server alone cannot keep ${wanted.num_replicas} replicas`,
        isFinal: true
      })
    }
    const other = limits.filter((key) => key in wanted && config[key] !== wanted[key])
    if (other.length === 0) return
    yield* call(() => jsm.streams.update(name, wanted))
    const words = other.map((key) => `${key} was ${config[key]}, and is ${wanted[key]}`)
    yield* Effect.logWarning(`the stream ${name} has other limits from now on, for all nodes: ${words.join("; ")}`)
  })

const limits = ["max_age", "max_bytes", "max_msgs", "num_replicas"] as const

const logKey = "log"
const beatKey = (node: NodeId) => `node.${node}`
const decodeNode = Codec.decoderOf(Codec.Node)
/** `undefined`: it is the key of no node. */
const nodeOf = (key: string): NodeId | undefined => decodeNode(key.replace(/^node\./, "")) || undefined

const IdentityJson = Schema.parseJson(
  // Programs are told the ID.
  Schema.Struct({
    id: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{8,32}$/)),
    created: Schema.String,
    from: Schema.NonNegativeInt
  })
)
const decodeIdentity = Codec.decoderOf(IdentityJson)

const sharedStream = (parts: Parts): SharedStream => {
  const { connection, js, jsm, nodes, options } = parts
  const subject = (node: NodeId) => `${options.prefix}.node.${node}`
  return {
    state: Effect.map(streamOf(jsm, options), ({ created, state }) => ({
      created,
      first: state.first_seq,
      last: state.last_seq
    })),
    identity: Effect.flatMap(call(() => nodes.get(logKey)), (entry) => {
      if (entry === null || entry.operation !== "PUT") return Effect.succeed(undefined)
      const value = decodeIdentity(entry.string())
      return value === undefined
        ? new OutOfReach({ why: "who the log is cannot be read" })
        : Effect.succeed({ value, version: entry.revision })
    }),
    identify: (value: Identity, before) =>
      call(() => nodes.put(logKey, JSON.stringify(value), { previousSeq: before ?? 0 })).pipe(
        Effect.as(true),
        Effect.catchIf(({ why }) => why.includes("wrong last sequence"), () => Effect.succeed(false))
      ),
    publish: (kind, id, body) => call(() => js.publish(`${options.prefix}.log.${kind}`, body, { msgID: id, timeout })),
    follow: (from, take, begun) => follow(parts, from, take, begun),
    between: (from, to) => between(parts, from, to),
    purgePresence: (before) =>
      call(() => jsm.streams.purge(streamName(options), { filter: `${options.prefix}.log.presence`, seq: before })),
    beat: (node) => call(() => nodes.put(beatKey(node), "")),
    beats: (heard) => beats(parts, heard),
    known: Effect.flatMap(call(() => nodes.keys("node.*")), (keys) => {
      const known: Array<NodeId> = []
      return Effect.as(
        forEach(keys, (key) =>
          Effect.sync(() => {
            const node = nodeOf(key)
            if (node !== undefined) known.push(node)
          })),
        known
      )
    }),
    // With no marker that would stay.
    forget: (node) => call(() => jsm.streams.purge(nodes.stream, { filter: nodes.subjectForKey(beatKey(node)) })),
    ask: (node, body) =>
      Effect.tryPromise({
        try: () => connection.request(subject(node), body, { timeout }),
        catch: (error) =>
          error instanceof NoRespondersError || error instanceof RequestError && error.isNoResponders()
            ? new NoSuchNode({ node })
            : new OutOfReach({ why: whyOf(error) })
      }).pipe(Effect.map(({ data }) => data)),
    answer: (node, answer) =>
      Effect.acquireUseRelease(
        Effect.sync(() => connection.subscribe(subject(node))),
        (questions) =>
          Effect.scoped(Effect.gen(function*() {
            const some = yield* Effect.makeSemaphore(answersAtOnce)
            const start = yield* FiberSet.makeRuntime<never>()
            yield* forEach(questions, (question) =>
              Effect.map(some.take(1), () => {
                const answered = Effect.map(answer(question.data), (body) => body && question.respond(body))
                start(Effect.ensuring(answered, some.release(1)))
              }))
          })),
        (questions) => Effect.sync(() => questions.unsubscribe())
      ).pipe(Effect.zipRight(new OutOfReach({ why: "nothing is asked any more" })))
  }
}

/** Fails when the connection is lost. */
const untilBreak = ({ breaks, connection }: Parts): Effect.Effect<never, OutOfReach> =>
  Effect.scoped(Effect.gen(function*() {
    const told = yield* PubSub.subscribe(breaks)
    // It may have been lost before.
    yield* Effect.timeoutFail(call(() => connection.flush()), {
      duration: timeout,
      onTimeout: () => new OutOfReach({ why: "it does not answer" })
    })
    return yield* new OutOfReach({ why: yield* told.take })
  }))

const messageOf = ({ data, seq, timestampNanos }: JsMsg): Message => ({
  place: seq,
  at: Number(timestampNanos / 1_000_000n),
  body: data
})

const ordered = ({ js, options }: Parts, from: number) =>
  call(() =>
    js.consumers.get(streamName(options), { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from })
  )

// What the consumer says of itself when messages may be missing.
const signsOfLoss: ReadonlySet<string> = new Set([
  "heartbeats_missed",
  "ordered_consumer_recreated",
  "consumer_not_found",
  "consumer_deleted",
  "stream_not_found",
  "no_responders"
])

const follow = (
  parts: Parts,
  from: number,
  take: (messages: ReadonlyArray<Message>) => Effect.Effect<void>,
  begun: Effect.Effect<void>
): Effect.Effect<never, OutOfReach> =>
  Effect.scoped(Effect.gen(function*() {
    const consumer = yield* ordered(parts, from)
    const messages = yield* Effect.acquireRelease(
      call(() => consumer.consume({ max_messages: atOnce, idle_heartbeat: 1000, expires: 5000 })),
      (messages) => Effect.sync(() => messages.stop())
    )
    const arrived = yield* Queue.bounded<Message>(atOnce)
    const arriving = forEach(messages, (message) => Queue.offer(arrived, messageOf(message)))
    const taking = Effect.forever(Effect.gen(function*() {
      const first = yield* Queue.take(arrived)
      yield* nextTurn
      yield* take([first, ...yield* Queue.takeAll(arrived)])
    }))
    const losing = forEach(
      messages.status(),
      ({ type }) => signsOfLoss.has(type) ? new OutOfReach({ why: type }) : Effect.void
    )
    yield* begun
    yield* Effect.raceFirst(Effect.raceFirst(arriving, taking), Effect.raceFirst(losing, untilBreak(parts)))
    return yield* new OutOfReach({ why: "the stream ended" })
  }))

const between = (parts: Parts, from: number, to: number): Effect.Effect<ReadonlyArray<Message>, OutOfReach> =>
  Effect.gen(function*() {
    if (from > to) return []
    const consumer = yield* ordered(parts, from)
    if ((yield* call(() => consumer.info(true))).num_pending === 0) return []
    const fetched = yield* call(() => consumer.fetch({ max_messages: to - from + 1, expires: 5000 }))
    const messages: Array<Message> = []
    let next = from
    yield* Effect.ensuring(
      forEach(fetched, (message) =>
        Effect.sync(() => {
          if (message.seq <= to) messages.push(messageOf(message))
          // What stood at the end may be gone: then nothing is left behind the last one.
          next = message.info.pending === 0 ? to + 1 : message.seq + 1
          return next <= to
        })),
      Effect.sync(() => fetched.stop())
    )
    if (next === from) return yield* new OutOfReach({ why: "nothing comes of what is in the stream" })
    // It ends after its time, whatever is missing yet.
    return messages.concat(yield* between(parts, next, to))
  })

const beats = (parts: Parts, heard: (node: NodeId) => void): Effect.Effect<never, OutOfReach> =>
  Effect.scoped(Effect.gen(function*() {
    const watching = yield* Effect.acquireRelease(
      call(() => parts.nodes.watch({ key: "node.*" })),
      (watching) => Effect.sync(() => watching.stop())
    )
    const hearing = forEach(watching, ({ key, operation }) =>
      Effect.sync(() => {
        const node = nodeOf(key)
        if (operation === "PUT" && node !== undefined) heard(node)
      }))
    yield* Effect.raceFirst(hearing, untilBreak(parts))
    return yield* new OutOfReach({ why: "no sign of life is told any more" })
  }))
