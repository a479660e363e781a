/** Measures one load: what it does, between which moments it is measured, and what follows from the counts. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Figures, Job } from "../Job.ts"
import { type Crowd, gather, presenceExpected, presenceLost, presenceMissing, rush, sample, until } from "./Crowd.ts"
import { drive, fillStalled } from "./drive.ts"
import { latencies } from "./Tally.ts"
import { loaderCpu, serverCpu, serverRss } from "./Usage.ts"

export const measure = (job: Job): Promise<Figures> => {
  switch (job.load.kind) {
    case "Arrive":
      return measureArrivals(job)
    case "Rest":
      return measureRest(job)
    case "InFlight":
    case "Spaced":
      return measureMessages(job)
  }
}

const measureMessages = async (job: Job): Promise<Figures> => {
  const rssBefore = serverRss(job.pid)
  const joinBefore = serverCpu(job.pid)
  const crowd = await gather(job)
  const joinCpu = serverCpu(job.pid) - joinBefore
  const { healthy, sent: filled } = await fillStalled(job, crowd)
  sample(healthy)

  const traffic = drive(job, healthy)
  await sleep(job.warmUp)
  latencies.reset()
  const before = snapshot(job, crowd)
  await sleep(job.window)
  const after = snapshot(job, crowd)
  const [p50, p99] = [latencies.percentile(50) / 1000, latencies.percentile(99) / 1000]
  traffic.stop()
  const rss = serverRss(job.pid)

  const expected = (traffic.sent() + filled) * healthy.length
  // What is still missing then is reported as lost; only a server that drops users fails the run.
  await until("the last lines", 10_000, crowd.tally, () => crowd.tally.messages >= expected).catch((error: unknown) => {
    if (crowd.tally.dropped > 0) throw error
  })
  // A line that came twice would show only now.
  await sleep(100)

  const lines = after.lines - before.lines
  const micros = (after.at - before.at) * 1000
  if (lines === 0) throw new Error("nothing was delivered in the measured window")
  return {
    cpuPerLine: (after.server - before.server) / lines,
    ...(presenceExpected(job) > 0 ? { joinCpuPerLine: joinCpu / presenceExpected(job) } : {}),
    p50,
    p99,
    perSecond: lines / micros * 1e6,
    rss: rss / 1024,
    rssPerUser: (rss - rssBefore) / job.users,
    lost: expected - crowd.tally.messages,
    serverCpu: (after.server - before.server) / micros * 100,
    loaderCpu: (after.loader - before.loader) / micros * 100
  }
}

const snapshot = (job: Job, { tally }: Crowd) => ({
  at: performance.now(),
  lines: tally.messages,
  server: serverCpu(job.pid),
  loader: loaderCpu()
})

/** Seconds from the first connect to the last presence line that anybody had to get. */
const measureArrivals = async (job: Job): Promise<Figures> => {
  const cpuBefore = serverCpu(job.pid)
  const loaderBefore = loaderCpu()
  const start = performance.now()
  const { tally, users } = rush(job)
  await until("all presence lines", job.window, tally, () => presenceMissing(job, tally) <= 0).catch(
    (error: unknown) => {
      const missing = presenceMissing(job, tally)
      throw new Error(
        `${error instanceof Error ? error.message : error}, ${missing} of ${presenceExpected(job)} missing`
      )
    }
  )
  const micros = (tally.lastAt - start) * 1000
  const cpu = serverCpu(job.pid) - cpuBefore
  const loader = loaderCpu() - loaderBefore
  // A line that came twice would show only now.
  await sleep(300)
  return {
    cpuPerLine: cpu / presenceExpected(job),
    perSecond: presenceExpected(job) / micros * 1e6,
    seconds: micros / 1e6,
    lost: presenceLost(users),
    serverCpu: cpu / micros * 100,
    loaderCpu: loader / micros * 100
  }
}

const measureRest = async (job: Job): Promise<Figures> => {
  const rssBefore = serverRss(job.pid)
  const { users } = await gather(job)
  await sleep(job.warmUp)
  const cpuBefore = serverCpu(job.pid)
  await sleep(job.window)
  const rss = serverRss(job.pid)
  return {
    rss: rss / 1024,
    rssPerUser: (rss - rssBefore) / job.users,
    ...(presenceExpected(job) > 0 ? { lost: presenceLost(users) } : {}),
    serverCpu: (serverCpu(job.pid) - cpuBefore) / (job.window * 1000) * 100
  }
}
