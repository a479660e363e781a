/** All users of a loader: bringing them in, and knowing what they must see. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Job } from "../Job.ts"
import { dialectOf } from "./Dialect.ts"
import { makeTally, type Tally } from "./Tally.ts"
import { User } from "./User.ts"

export interface Crowd {
  readonly users: ReadonlyArray<User>
  readonly tally: Tally
}

/** Users that connect at the same time, unless arrivals are what is measured. */
const wave = 200
/** Users whose latency is recorded, spread evenly: servers write to their users in order of arrival. */
const samples = 50

/** Connects all users, `wave` at a time, and waits until each has seen every presence line that it must get. */
export const gather = async (job: Job): Promise<Crowd> => {
  const tally = makeTally()
  const users: Array<User> = []
  while (users.length < job.users) {
    const size = Math.min(wave, job.users - users.length)
    for (let i = 0; i < size; i++) users.push(new User(job.port, dialectOf(job.server), tally))
    await until("users to come in", 60_000, tally, () => tally.joined === users.length)
  }
  await until("presence lines", 60_000, tally, () => presenceMissing(job, tally) === 0)
  return { users, tally }
}

/** Connects all users in one go and does not wait. */
export const rush = (job: Job): Crowd => {
  const tally = makeTally()
  const users = Array.from({ length: job.users }, () => new User(job.port, dialectOf(job.server), tally))
  return { users, tally }
}

export const sample = (users: ReadonlyArray<User>): void => {
  const step = Math.max(1, users.length / samples)
  // From the end of each step, so that the last user, who waits longest, is always among them.
  for (let i = step - 1; i < users.length; i += step) {
    const user = users[Math.round(i)]
    if (user !== undefined) user.sampled = true
  }
}

/** The k-th of N users to arrive gets N - k + 1 online lines: its own, and one for each that comes later. */
export const presenceExpected = (job: Job): number =>
  dialectOf(job.server).hasPresence ? job.users * (job.users + 1) / 2 : 0

export const presenceMissing = (job: Job, tally: Tally): number => presenceExpected(job) - tally.presence

/**
 * Presence lines lost, user by user: sorted, the counts must be 1, 2, 3 … N. A sum alone would let one user's line twice
 * hide another's line lost.
 */
export const presenceLost = (users: ReadonlyArray<User>): number =>
  users.map((user) => user.presence).toSorted((a, b) => a - b)
    .reduce((lost, count, index) => lost + Math.abs(index + 1 - count), 0)

/** Waits for `done`, looking every few milliseconds: a promise per user or line would cost more than it tells. */
export const until = async (what: string, limit: number, tally: Tally, done: () => boolean): Promise<void> => {
  const deadline = performance.now() + limit
  while (!done()) {
    if (tally.dropped > 0) throw new Error(`${tally.dropped} users dropped, ${tally.reason}`)
    if (performance.now() > deadline) throw new Error(`waited ${limit / 1000} s for ${what}`)
    await sleep(5)
  }
}
