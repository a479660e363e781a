/** Who sends what and when. */
import type { Job } from "../Job.ts"
import { type Crowd, until } from "./Crowd.ts"
import type { User } from "./User.ts"

export interface Traffic {
  /** Messages sent so far. */
  readonly sent: () => number
  readonly stop: () => void
}

export const drive = (job: Job, users: ReadonlyArray<User>): Traffic => {
  switch (job.load.kind) {
    case "InFlight":
      return inFlight(spread(users, job.load.senders))
    case "Spaced":
      return spaced(users, job.load.perSecond)
    default:
      return { sent: () => 0, stop: () => undefined }
  }
}

/** Each sender sends its next message when it has seen its last: the server is never idle, and never overrun. */
const inFlight = (senders: ReadonlyArray<User>, length?: number, limit = Infinity): Traffic => {
  let sent = 0
  let stopped = false
  for (const sender of senders) {
    const next = (): void => {
      if (stopped || sent >= limit) return
      sent++
      sender.say(length)
    }
    sender.onOwn = next
    next()
  }
  const stop = (): void => {
    stopped = true
  }
  return { sent: () => sent, stop }
}

/** Separate messages at even distances, come what may: a slow server does not slow its load down. */
const spaced = (users: ReadonlyArray<User>, perSecond: number): Traffic => {
  const start = performance.now()
  let sent = 0
  let timer: NodeJS.Timeout
  const next = (): void => {
    // Coprime with the usual numbers of users, so that everybody gets to speak.
    users[(sent * 37) % users.length]?.say()
    sent++
    // Due times are fixed from the start, since timers are late; two messages never go out in one turn.
    timer = setTimeout(next, Math.max(1, start + sent * 1000 / perSecond - performance.now()))
  }
  timer = setTimeout(next, 1000 / perSecond)
  return { sent: () => sent, stop: () => clearTimeout(timer) }
}

const spread = (users: ReadonlyArray<User>, count: number): ReadonlyArray<User> =>
  users.filter((_, index) =>
    Math.floor(index * count / users.length) !== Math.floor((index - 1) * count / users.length)
  )

/**
 * Long lines, enough of them that the kernel takes no more for who does not read (4 MB on loopback), and a channel of 1 MB
 * neither.
 */
const fillLength = 4000
const fillLines = 1500

/**
 * Stops `stalled` of the users from reading, and sends until the server itself feels it: at 4 KB a second, the kernel's
 * buffers alone would hide a stalled reader for many minutes. The run without stalled users gets the same long lines.
 */
export const fillStalled = async (
  job: Job,
  { tally, users }: Crowd
): Promise<{ readonly healthy: ReadonlyArray<User>; readonly sent: number }> => {
  if (job.load.kind !== "Spaced" || !job.load.fill) return { healthy: users, sent: 0 }
  const stalled = new Set(spread(users, job.load.stalled))
  for (const user of stalled) user.socket.pause()
  const healthy = users.filter((user) => !stalled.has(user))
  const fill = inFlight(spread(healthy, 10), fillLength, fillLines)
  await until("the stalled users' buffers to fill", 30_000, tally, () => tally.messages >= fillLines * healthy.length)
  for (const user of healthy) user.onOwn = undefined
  return { healthy, sent: fill.sent() }
}
