/**
 * The message channel: one `Queue`, whose order is the order of all that happens. Bounded in bytes; whoever has more than
 * fits waits in line. Knows nothing of what it carries.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

interface Options<A> {
  /** How many bytes may wait. One that is larger comes in alone. */
  readonly limit: number
  /** How many of these bytes may be of those who are patient. One that is larger is the only one of them. */
  readonly patientLimit: number
  readonly sizeOf: (value: A) => number
  /** Told of each at the moment when it takes its place in the order. MUST NOT wait. */
  readonly onOffered: (value: A) => void
  /** Told of each that nobody will take, because the channel was closed. MUST NOT wait. */
  readonly onLost: (value: A) => void
}

interface Waiter<A> {
  readonly value: A
  readonly size: number
  readonly offered: () => void
}

export class MessageChannel<A> {
  private readonly queue: Queue.Queue<A>
  private readonly options: Options<A>
  /** Bytes in the queue, and those of the patient among them. */
  private bytes = 0
  private patientBytes = 0
  /** The patient were heard, and nobody of them comes in before `endRest`. */
  private resting = false
  private closed = false
  /** In order of coming. */
  private readonly waiters = new Set<Waiter<A>>()
  private readonly patient = new Set<Waiter<A>>()

  constructor(queue: Queue.Queue<A>, options: Options<A>) {
    this.queue = queue
    this.options = options
  }

  /** Offers in this turn. `false`: there is no room, or somebody waits for it, and nothing happened. */
  unsafeOffer(value: A): boolean {
    const size = this.options.sizeOf(value)
    if (this.waiters.size > 0 || !this.fits(size)) return false
    this.put(value, size)
    return true
  }

  /** Waits until there is room. If it is interrupted before, nothing is offered. */
  offer(value: A): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.unsafeOffer(value) ? Effect.void : Effect.async((resume) => {
        const takeBack = this.enqueue(value, () => resume(Effect.void))
        return Effect.sync(takeBack)
      })
    )
  }

  /** The same for whoever lets all others pass but those who are patient too. */
  offerPatiently(value: A): Effect.Effect<void> {
    return Effect.async((resume) => {
      const waiter = { value, size: this.options.sizeOf(value), offered: () => resume(Effect.void) }
      this.patient.add(waiter)
      this.letIn()
      return Effect.sync(() => this.patient.delete(waiter))
    })
  }

  /** Offers as soon as there is room, and then calls `offered`. What it gives takes back what still waits for room. */
  enqueue(value: A, offered = () => {}): () => void {
    if (this.unsafeOffer(value)) {
      offered()
      return () => {}
    }
    const waiter = { value, size: this.options.sizeOf(value), offered }
    this.waiters.add(waiter)
    return () => this.waiters.delete(waiter)
  }

  /** All that is in the channel, which makes room for those who wait. */
  get takeAll(): Effect.Effect<ReadonlyArray<A>> {
    return Effect.suspend(() => {
      this.bytes = 0
      this.resting ||= this.patientBytes > 0
      this.patientBytes = 0
      return Effect.map(Queue.takeAll(this.queue), (values) => {
        this.letIn()
        return Chunk.toReadonlyArray(values)
      })
    })
  }

  /** Whether something of the patient is in the channel. Once it is taken, none of them comes in until `endRest`. */
  get holdsPatient(): boolean {
    return this.patientBytes > 0
  }

  endRest(): void {
    this.resting = false
    this.letIn()
  }

  /** From now on nobody takes: what is in the channel, and whatever is offered, is lost. So nobody waits any more. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closed = true
      return Effect.map(this.takeAll, (values) => values.forEach(this.options.onLost))
    })
  }

  private letIn(): void {
    for (const waiter of this.waiters) {
      if (!this.fits(waiter.size)) return
      this.waiters.delete(waiter)
      this.put(waiter.value, waiter.size)
      waiter.offered()
    }
    if (this.resting && !this.closed) return
    for (const waiter of this.patient) {
      const { offered, size, value } = waiter
      const isTooMuch = this.patientBytes > 0 && this.patientBytes + size > this.options.patientLimit
      if (!this.closed && (isTooMuch || !this.fits(size))) return
      this.patient.delete(waiter)
      this.patientBytes += size
      this.put(value, size)
      offered()
    }
  }

  private fits(size: number): boolean {
    return this.closed || this.bytes === 0 || this.bytes + size <= this.options.limit
  }

  private put(value: A, size: number): void {
    if (this.closed) return this.options.onLost(value)
    this.bytes += size
    Queue.unsafeOffer(this.queue, value)
    this.options.onOffered(value)
  }
}

export const make = <A>(options: Options<A>): Effect.Effect<MessageChannel<A>> =>
  Effect.map(Queue.unbounded<A>(), (queue) => new MessageChannel(queue, options))
