/** Time that is the same whenever it is run, and a scheduler that runs all that is ready without the event loop. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

interface Alarm {
  readonly at: number
  ring: (() => void) | undefined
}

/** A place where time passes, or stands still for a while. */
export interface Host {
  /** Until then nothing of it happens. */
  frozenUntil: number
}

export class Timeline {
  readonly scheduler = new Scheduler.ControlledScheduler()
  now = 0
  private alarms: Array<Alarm> = []

  /** Time as a host has it: it does not notice that it stands still. */
  clock(host: Host): Clock.Clock {
    const millis = () => 1_700_000_000_000 + Math.floor(this.now)
    const nanos = () => BigInt(Math.round(this.now * 1e6))
    return {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: millis,
      unsafeCurrentTimeNanos: nanos,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration) =>
        Effect.async<void>((resume) => {
          const wake = () => {
            if (host.frozenUntil > this.now) this.at(host.frozenUntil, wake)
            else resume(Effect.void)
          }
          return Effect.sync(this.at(this.now + Duration.toMillis(duration), wake))
        })
    }
  }

  /** Gives what takes it back. */
  private at(at: number, ring: () => void): () => void {
    const alarm: Alarm = { at, ring }
    let index = this.alarms.length
    while (index > 0 && this.alarms[index - 1]!.at > at) index--
    this.alarms.splice(index, 0, alarm)
    return () => {
      alarm.ring = undefined
    }
  }

  /** Runs all that is ready, and then what comes next in time, until then. */
  runUntil(end: number): void {
    while (true) {
      while (this.scheduler.tasks.buckets.length > 0) this.scheduler.step()
      const next = this.alarms[0]
      if (next === undefined || next.at > end) break
      this.alarms.shift()
      this.now = Math.max(this.now, next.at)
      next.ring?.()
    }
    this.now = end
  }
}
