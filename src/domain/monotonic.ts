/** Time for everything that lasts: it never jumps, whoever sets the clock of the machine. */
import type * as Clock from "effect/Clock"

/** Milliseconds since some fixed moment. Effect's nanoseconds come from the monotonic clock of the system. */
export const monotonic = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos()) / 1e6
