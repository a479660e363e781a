/** What a process has used so far, as the kernel tells: `/proc` of the server, `process.cpuUsage` of the loader itself. */
import { readFileSync } from "node:fs"

// `/proc` counts CPU time in ticks of USER_HZ, which Linux shows as 100 a second whatever its own clock is.
const microsPerTick = 10_000

/** CPU time of a process in µs, all its threads included. */
export const serverCpu = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  // The second field is the program's name in parentheses and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick
}

/** Resident memory of a process in KB. */
export const serverRss = (pid: number): number => {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return Number(line?.[1])
}

export const loaderCpu = (): number => {
  const { system, user } = process.cpuUsage()
  return system + user
}
