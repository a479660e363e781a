/**
 * The registry in a bucket of NATS, which all nodes share. A version is the number of a message in the stream behind the
 * bucket. Knows nothing of the connection, whose own limits hold while a bucket is opened.
 */
import { JetStreamApiCodes, JetStreamApiError, type JetStreamClient, StorageType } from "@nats-io/jetstream"
import { Bucket, type KvEntry, Kvm } from "@nats-io/kv"
import * as Effect from "effect/Effect"
import { type Held, Registry, RegistryFailed } from "./Registry.ts"

/** So long one answer is waited for. What is late may still be done: a put that failed may be there afterwards. */
const patience = "2 seconds"

/** So long a list waits while nothing comes, at least. It begins again once: at worst that takes as long as the others. */
const silence = "1 second"

/** A list goes on while others change what it reads, for so many changes: what is changed on its way comes later. */
const changesMeanwhile = 100

/** A subject has so many bytes, at most. A server of NATS closes the connection on one that is longer than a line of 4096. */
const longestSubject = 2048

// Others may change a key so often while it is created.
const tries = 5

/** Creates the bucket, or takes the one that is there. */
export const open = (js: JetStreamClient, name: string, replicas: number): Effect.Effect<Bucket, RegistryFailed> =>
  // Answers come from the leader alone: one that lags behind does not know what was put a moment ago.
  answer(() => new Kvm(js).create(name, { history: 1, storage: StorageType.File, replicas, allow_direct: false })).pipe(
    // Whoever creates it at the same moment as another one finds it then.
    Effect.retry({ times: 1 }),
    Effect.flatMap((kv) => kv instanceof Bucket ? Effect.succeed(kv) : Effect.dieMessage("a bucket of another kind"))
  )

export const make = (bucket: Bucket): typeof Registry.Service => {
  const markers = new Map<string, number>()

  /** The last value of a key, or the marker that it was removed. */
  const last = (name: string) => ask(() => bucket.get(name))

  const create = (name: string, value: string): Effect.Effect<boolean, RegistryFailed> =>
    Effect.gen(function*() {
      let before = 0
      for (let n = 0; n < tries; n++) {
        if (yield* ifUnchanged(() => bucket.put(name, value, { previousSeq: before }))) return true
        const entry = yield* last(name)
        if (isValue(entry)) return false
        before = entry?.revision ?? 0
      }
      return false
    })

  /**
   * Takes away the markers of earlier removals, and remembers this one. The newest message of a stream must stay: a server that
   * starts with an empty stream counts from 1 again, and versions would come again. What is left at the end of a node stays.
   */
  const clean = (name: string) =>
    Effect.gen(function*() {
      const marker = yield* last(name)
      if (marker === null || isValue(marker)) return
      const earlier = Array.from(markers).filter(([, revision]) => revision < marker.revision)
      markers.set(name, marker.revision)
      yield* Effect.forEach(earlier, ([name, revision]) =>
        Effect.map(
          // What was put in the place of the marker is behind it.
          ask(() => bucket.jsm.streams.purge(bucket.stream, { filter: bucket.subjectForKey(name), seq: revision + 1 })),
          () => markers.get(name) === revision && markers.delete(name)
        ), { concurrency: "unbounded", discard: true })
    })

  return {
    // Whatever is left out of a list is read all the same.
    pageSize: Infinity,
    get: (key) =>
      Effect.flatMap(
        nameOf(key),
        (name) => Effect.map(last(name), (entry) => isValue(entry) ? heldOf(key, entry) : undefined)
      ),
    put: (key, value, before) =>
      Effect.flatMap(nameOf(key), (name) => {
        if (before === undefined) return create(name, value)
        // To the client no number means any version; there is no version 0.
        if (before < 1) return Effect.succeed(false)
        return ifUnchanged(() => bucket.put(name, value, { previousSeq: before }))
      }),
    remove: (key, before) =>
      Effect.flatMap(nameOf(key), (name) =>
        before < 1 ? Effect.succeed(false) : Effect.tap(
          ifUnchanged(() => bucket.purge(name, { previousSeq: before })),
          // It is removed, also if its marker has to wait for another removal.
          (done) => done ? Effect.ignore(clean(name)) : Effect.void
        )),
    list: (prefix, limit, after = "") => {
      const [start, behind] = [hex(prefix), hex(after)]
      // One that is taken away on its way is waited for in vain.
      const found = Effect.retry(entries(bucket, filterOf(prefix)), { times: 1 })
      return Effect.map(found, (entries) =>
        entries
          .filter(isValue)
          .map((entry) => ({ entry, hex: hexOf(entry.rawKey) }))
          .filter(({ entry, hex }) => hex.startsWith(start) && hex > behind && isOurs(entry.rawKey, hex))
          .toSorted((one, other) => one.hex < other.hex ? -1 : 1)
          .slice(0, limit)
          .map(({ entry, hex }) => heldOf(text(hex), entry)))
    }
  }
}

/** All that the bucket has under a filter, each key once. */
const entries = (bucket: Bucket, filter: string): Effect.Effect<ReadonlyArray<KvEntry>, RegistryFailed> =>
  Effect.suspend(() => {
    const opening = bucket.history({ key: filter })
    const found = new Map<string, KvEntry>()
    let came = 0
    const read = Effect.gen(function*() {
      const iterator = (yield* answer(() => opening))[Symbol.asyncIterator]()
      const { streamInfo } = yield* answer(() => bucket.status())
      const end = streamInfo.state.last_seq + changesMeanwhile
      let last: KvEntry | undefined
      while (last === undefined || last.delta !== 0 && last.revision < end) {
        const next = yield* answer(() => iterator.next())
        if (next.done !== true) {
          last = next.value
          found.set(last.rawKey, last)
          came++
        } else if (last === undefined) {
          // A connection that closes ends the list too, and does not answer any more.
          yield* answer(() => bucket.get(empty))
          break
        } else return yield* new RegistryFailed({ why: "a list broke off" })
      }
      return Array.from(found.values())
    })
    const stalled = Effect.gen(function*() {
      for (let before = -1; before < came;) {
        before = came
        yield* Effect.sleep(silence)
      }
      return yield* noAnswer()
    })
    return Effect.raceFirst(read, stalled).pipe(
      // It may open late, and is stopped then. Nobody waits for that; why it could not open is told above.
      Effect.ensuring(Effect.sync(() => void opening.then((entries) => entries.stop(), () => {})))
    )
  })

const isValue = (entry: KvEntry | null): entry is KvEntry & { readonly operation: "PUT" } => entry?.operation === "PUT"

const heldOf = (key: string, entry: KvEntry): Held => ({
  key,
  value: Buffer.from(entry.value).toString(),
  version: entry.revision
})

// The key as NATS allows it: what is between slashes is a token, of its bytes in hexadecimal, so that a filter serves a prefix.
const nameOf = (key: string): Effect.Effect<string, RegistryFailed> => {
  const name = tokens(key).join(".")
  return name.length > longestSubject ? new RegistryFailed({ why: "a key is too long" }) : Effect.succeed(name)
}

const tokens = (key: string): ReadonlyArray<string> => key.split("/").map((part) => hex(part) || empty)

// A token has one character at least.
const empty = "_"

/** All keys that begin so, and perhaps more. */
const filterOf = (prefix: string): string => {
  const name = [...tokens(prefix).slice(0, -1), ">"].join(".")
  return name.length > longestSubject ? ">" : name
}

// The order of these is that of the code points.
const hex = (text: string): string => Buffer.from(text).toString("hex")
const text = (hex: string): string => Buffer.from(hex, "hex").toString()
const hexOf = (name: string): string => name.split(".").map((token) => token === empty ? "" : token).join(hex("/"))

/** A bucket can hold what another program has put there. */
const isOurs = (name: string, hex: string): boolean => tokens(text(hex)).join(".") === name

const answer = <A>(question: () => Promise<A>) => Effect.tryPromise({ try: question, catch: failed })

const noAnswer = () => new RegistryFailed({ why: "no answer from NATS" })

const ask = <A>(question: () => Promise<A>) =>
  Effect.timeoutFail(answer(question), { duration: patience, onTimeout: noAnswer })

/** Whether the bucket took it; not, if the key has another version. */
const ifUnchanged = (change: () => Promise<unknown>): Effect.Effect<boolean, RegistryFailed> =>
  ask(() =>
    change().then(() => true, (error: unknown) => {
      if (error instanceof JetStreamApiError && wrongVersion.has(error.code)) return false
      throw error
    })
  )

const wrongVersion: ReadonlySet<number> = new Set([
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown
])

const failed = (error: unknown) => new RegistryFailed({ why: error instanceof Error ? error.message : String(error) })
