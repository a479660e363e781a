/** How long to wait before the next try, in ms: from 1 to 30 s, longer each time. */

// All lose the server at the same moment, and must not all come back at the same moment.
export const backoff = (tries: number, random: number): number =>
  Math.max(1000, Math.min(30_000, 2 ** tries * 1000) * (0.5 + random / 2))
