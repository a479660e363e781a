/**
 * Several nodes in one process, over a simulated stream and in simulated time: the real `Member` with its fencing and rebirth, and
 * the real fold. What happens follows from the seed alone. After each record the laws are looked at.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import { PCGRandom } from "effect/Utils"
import { Address } from "../../src/domain/Address.ts"
import { type Event, type Line, Nonce, Seq, type Stored, UserId } from "../../src/domain/Event.ts"
import * as Fold from "../../src/domain/Fold.ts"
import { Name, nameKey } from "../../src/domain/Name.ts"
import { lobby, type Room } from "../../src/domain/Room.ts"
import * as World from "../../src/domain/World.ts"
import { LastLines } from "../../src/log/LastLines.ts"
import * as Member from "../../src/log/Member.ts"
import type { Follower } from "../../src/log/MessageLog.ts"
import { Stats } from "../../src/ops/Stats.ts"
import { SimulatedStream, Way } from "./SimulatedStream.ts"
import { Timeline } from "./Timeline.ts"

/** A law was broken. */
export class Broken extends Error {}

export interface Report {
  readonly records: number
  readonly said: number
  readonly burials: number
  /** Records of presence that were old, and are gone. */
  readonly purged: number
}

const lease = 5000
const garden: Room = { key: nameKey("garden"), name: "garden" }
const names = ["bob", "eve", "zoe"].map((name) => Name(name))

interface Person {
  readonly user: UserId
  readonly address: Address
}

type Log = Effect.Effect.Success<ReturnType<typeof Member.make>>

/** A process: it has people, and what they want to happen. */
interface Process {
  readonly way: Way
  readonly scope: Scope.CloseableScope
  log: Log | undefined
  world: World.World
  people: Array<Person>
  queue: Array<Event>
  /** What it told its people, as it would be on the wire. */
  readonly online: Set<string>
  isBusy: boolean
}

class Simulation {
  private readonly chance: () => number
  private readonly timeline = new Timeline()
  private readonly stream: SimulatedStream
  private readonly processes: Array<Process> = []
  private readonly fibers = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  /** What happened at each place of each log, as the first node that came there had it. */
  private readonly truth = new Map<string, string>()
  private readonly said = new Map<string, number>()
  /** What a node took from somebody, who waits; `isDoubtful` once that node has died. */
  private readonly accepted = new Map<string, { isDoubtful: boolean }>()
  private broken: string | undefined
  private people = 0
  private lines = 0
  private ids = 0
  private counts = { records: 0, said: 0, burials: 0 }

  constructor(seed: number) {
    const random = new PCGRandom(seed)
    this.chance = () => random.number()
    this.stream = new SimulatedStream(this.timeline, this.chance)
  }

  run(ms: number, pause: number): Report {
    for (let n = 0; n < 3; n++) this.begin()
    const end = this.timeline.now + ms
    while (this.timeline.now < end) {
      this.step()
      this.pass(20 + pause * this.chance())
    }
    this.heal()
    const thawed = Math.max(this.timeline.now, ...this.processes.map(({ way }) => way.host.frozenUntil))
    this.pass(thawed - this.timeline.now + 20_000)
    this.judge()
    for (const process of this.processes) this.end(process)
    this.pass(5000)
    // What has not ended is never forgotten.
    for (const fiber of this.fibers) fiber.unsafeInterruptAsFork(FiberId.none)
    this.pass(5000)
    return { ...this.counts, purged: this.stream.purged }
  }

  private pass(ms: number): void {
    this.timeline.runUntil(this.timeline.now + ms)
    if (this.broken !== undefined) throw new Broken(this.broken)
  }

  private pick<A>(all: ReadonlyArray<A>): A | undefined {
    return all[Math.floor(this.chance() * all.length)]
  }

  private start<A, E>(process: Process, self: Effect.Effect<A, E>): void {
    const fiber = Effect.runFork(
      self.pipe(Effect.withClock(this.timeline.clock(process.way.host)), Logger.withMinimumLogLevel(LogLevel.None)),
      { scheduler: this.timeline.scheduler }
    )
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
  }

  /** Something that people do, or that happens to a process or the stream. */
  private step(): void {
    const process = this.pick(this.processes)
    const die = this.chance()
    if (process === undefined) return this.begin()
    if (die < 0.82) return this.act(process)
    if (die < 0.86) return process.way.break()
    if (die < 0.89) {
      const { way } = process
      way.isCut = true
      this.later(12_000 * this.chance(), () => {
        way.isCut = false
        way.break()
      })
    } else if (die < 0.92) {
      process.way.host.frozenUntil = this.timeline.now + 12_000 * this.chance()
    } else if (die < 0.94) {
      this.stream.isDown = true
      for (const { way } of this.processes) way.break()
      this.later(8000 * this.chance(), () => {
        this.stream.isDown = false
      })
    } else if (die < 0.97) {
      this.kill(process)
    } else if (this.processes.length < 4) this.begin()
  }

  private later(ms: number, run: () => void): void {
    Effect.runFork(
      Effect.delay(Effect.sync(run), ms).pipe(Effect.withClock(this.timeline.clock({ frozenUntil: 0 }))),
      { scheduler: this.timeline.scheduler }
    )
  }

  private begin(): void {
    const process: Process = {
      way: new Way(this.stream),
      scope: Effect.runSync(Scope.make()),
      log: undefined,
      world: World.empty(Seq(0)),
      people: [],
      queue: [],
      online: new Set(),
      isBusy: false
    }
    this.processes.push(process)
    const enter = Effect.gen(this, function*() {
      const stats = yield* Effect.provide(Stats, Stats.layer)
      const log = yield* Member.make(process.way.shared, stats, {
        lease,
        newId: () => `${++this.ids}`.padStart(8, "0"),
        lines: new LastLines(1000, 1_048_576)
      })
      const { start } = log
      process.world = "world" in start ? start.world : World.empty(start.seq, [], start.nonces, start.gone)
      for (const { who } of HashMap.values(process.world.users)) process.online.add(who.address)
      log.follow(this.follower(process, log))
      yield* log.ready
      process.log = log
    })
    const entering = Effect.retry(enter, { while: () => !process.way.isOver })
    this.start(process, Effect.catchAllCause(Scope.extend(entering, process.scope), () => Effect.void))
  }

  private kill(process: Process): void {
    process.way.isOver = true
    for (const [text, one] of this.accepted) if (text.startsWith(`${this.numberOf(process)} `)) one.isDoubtful = true
    this.end(process)
    this.processes.splice(this.processes.indexOf(process), 1)
  }

  private end(process: Process): void {
    process.way.isOver = true
    this.start(process, Scope.close(process.scope, Exit.void))
  }

  private readonly numbers = new Map<Process, number>()
  private numberOf(process: Process): number {
    let number = this.numbers.get(process)
    if (number === undefined) this.numbers.set(process, number = this.numbers.size)
    return number
  }

  /** Somebody of a process comes, goes, talks or wants a name. */
  private act(process: Process): void {
    if (process.log === undefined) return
    const person = this.pick(process.people)
    const die = this.chance()
    if (person === undefined || die < 0.1 && process.people.length < 4) {
      const n = ++this.people
      const one = { user: UserId(n), address: Address(`10.0.0.${n % 250}:${n}`) }
      process.people.push(one)
      process.queue.push({ _tag: "Arrived", ...one })
    } else if (die < 0.15) {
      process.people = process.people.filter((other) => other !== person)
      process.queue.push({ _tag: "Left", user: person.user, reason: "quit" })
    } else if (die < 0.3) {
      const name = this.pick(names)!
      process.queue.push({ _tag: "Renamed", user: person.user, name, as: "guest" })
    } else if (die < 0.36) {
      process.queue.push({ _tag: "Moved", user: person.user, room: this.pick([lobby, garden])! })
    } else {
      const text = `${this.numberOf(process)} ${++this.lines}`
      const who = { address: person.address, name: Name(person.address) }
      this.accepted.set(text, { isDoubtful: false })
      const nonce = this.chance() < 0.3 ? { nonce: Nonce(`nonce-of-the-line-${this.lines}`) } : {}
      process.queue.push({ _tag: "Said", user: person.user, who, room: lobby, text, ...nonce })
    }
    this.turn(process)
  }

  /** One turn of a process at a time, as the broadcaster has it. */
  private turn(process: Process): void {
    const { isBusy, log, queue } = process
    if (isBusy || log === undefined || queue.length === 0) return
    process.isBusy = true
    process.queue = []
    const turn = Effect.map(log.append(queue), () => {
      process.isBusy = false
      this.turn(process)
    })
    this.start(process, turn)
  }

  private follower(process: Process, log: Log): Follower {
    return {
      fold: (record) =>
        Effect.sync(() => {
          const before = process.world
          const [world, outcomes] = Fold.apply(before, record)
          const lines = outcomes.flatMap((outcome): ReadonlyArray<Line> => {
            if (outcome._tag !== "Tell" || outcome.output._tag !== "Said") return []
            const { seq, text, who } = outcome.output
            return [{ seq, at: record.at, room: outcome.room, who, text }]
          })
          const apply = Effect.sync(() => {
            process.world = world
            this.look(process, log, record, before, world, outcomes)
          })
          return { kept: { lines, nonces: [] }, apply }
        }),
      tell: Effect.void,
      changed: () => {},
      world: Effect.sync(() => process.world),
      renew: (start) =>
        Effect.sync(() => {
          const [world] = Fold.renew(process.world, start)
          process.world = world
          process.online.clear()
        })
    }
  }

  /** The laws, after each record. */
  private look(
    process: Process,
    log: Log,
    record: Stored,
    before: World.World,
    world: World.World,
    outcomes: ReadonlyArray<Fold.Outcome>
  ): void {
    if (record.events.length === 0) return
    this.counts.records++
    const place = `${log.id()} ${record.seq}`
    const addressOf = (user: UserId) =>
      [world, before].flatMap(({ users }) => Array.from(HashMap.values(users))).find((one) => one.user === user)?.who
        .address
    const users = Array.from(HashMap.values(world.users), ({ room, who }) => `${who.address} ${who.name} ${room}`)
    // What users are called in a process is its own matter.
    const told = outcomes.filter(({ _tag }) => _tag === "Tell" || _tag === "Enter" || _tag === "Exit")
      .map((outcome) =>
        JSON.stringify(outcome, (key, value) => key === "user" || key === "by" ? addressOf(value) : value)
      )
    const all = [...told, ...users.toSorted()].join("\n")
    const known = this.truth.get(place)
    if (known === undefined) this.truth.set(place, all)
    else if (known !== all) this.fail(`at ${place} one node has\n${known}\nand another\n${all}`)
    const called = Array.from(HashMap.values(world.users), ({ who }) => nameKey(who.name))
    if (new Set(called).size !== called.length) this.fail(`at ${place} a name has two holders: ${called.join(", ")}`)
    for (const event of record.events) if (event._tag === "NodeGone" && known === undefined) this.counts.burials++
    for (const outcome of outcomes) {
      if (outcome._tag !== "Tell") continue
      const { output } = outcome
      if (output._tag === "Online" && process.online.has(output.who.address)) {
        this.fail(`at ${place} somebody comes who is there: ${output.who.address}`)
      }
      if (output._tag === "Online") process.online.add(output.who.address)
      if (output._tag === "Offline" && !process.online.delete(output.who.address)) {
        this.fail(`at ${place} somebody goes who is not there: ${output.who.address}`)
      }
      if (output._tag === "Said" && known === undefined) {
        this.counts.said++
        const times = (this.said.get(output.text) ?? 0) + 1
        this.said.set(output.text, times)
        if (times > 1) this.fail(`${output.text} was said twice`)
      }
    }
  }

  private fail(why: string): void {
    this.broken ??= why
  }

  private heal(): void {
    this.stream.isDown = false
    for (const { way } of this.processes) {
      way.isCut = false
      way.break()
    }
  }

  /** The laws, once all is well again and nobody does anything any more. */
  private judge(): void {
    for (const [text, { isDoubtful }] of this.accepted) {
      if (!isDoubtful && !this.said.has(text)) throw new Broken(`${text} was accepted, and never said`)
    }
    const living = this.processes.filter(({ log }) => log !== undefined)
    const there = living.flatMap(({ people }) => people.map(({ address }) => `${address}`)).toSorted()
    for (const { world } of living) {
      const online = Array.from(HashMap.values(world.users), ({ who }) => `${who.address}`).toSorted()
      if (online.join() !== there.join()) throw new Broken(`online are ${online.join()}, and there are ${there.join()}`)
    }
    if (living.length < this.processes.length) throw new Broken("a node never became ready")
  }
}

/** Runs one seed for so long, with something to happen after each pause, which is so long at most; throws `Broken` where a law is. */
export const simulate = (seed: number, ms: number, pause: number): Report => new Simulation(seed).run(ms, pause)
