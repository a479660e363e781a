/** What is run: which load, with how many users, on which servers, for how long. */
import type { Load, ServerName } from "./Job.ts"

export const loadNames = [
  "paced",
  "single",
  "burst",
  "json",
  "web",
  "rooms",
  "storing",
  "nodes",
  "arrivals",
  "idle",
  "stalled",
  "hostile",
  "visits",
  "start",
  "growth"
] as const
export type LoadName = typeof loadNames[number]

export const serverNames = [
  "tellnet",
  "web",
  "file",
  "nodes1",
  "nodes2",
  "nodes3",
  "baseline",
  "batched",
  "plain",
  "nats"
] as const satisfies ReadonlyArray<ServerName>

/** What an attack comes from: so many connections of each of so many addresses. */
const attacks = [[0, 0], [25, 1], [50, 1], [100, 1], [100, 10]] as const

/**
 * What one row of the table shows. `unstalled`, `plain lines`, `by TCP` and `one room` are what `stalled`, `json`, `web` and
 * `rooms` are compared with; `hostile` has one row for each attack, `visits` for each storm and for none.
 */
export type RowName =
  | LoadName
  | "unstalled"
  | "plain lines"
  | "by TCP"
  | "idle by web"
  | "one room"
  | "between nodes"
  | `hostile ${number}×${number}`
  | "unvisited"
  | "visits refused"

export interface Step {
  readonly row: RowName
  readonly server: ServerName
  readonly users: number
  /** `undefined` for `start`, which needs no loader. */
  readonly load: Load | undefined
  /** Milliseconds. */
  readonly warmUp: number
  readonly window: number
  /** The server has the first core for itself, and its loader the second; else the system schedules both as it likes. */
  readonly isPinned: boolean
}

/** How often `start` is measured in each round. */
export const startsOf = (quick: boolean) => quick ? 1 : 5

export interface Options {
  readonly only: ReadonlyArray<LoadName>
  readonly servers: ReadonlyArray<ServerName>
  readonly users: number | undefined
  readonly quick: boolean
  readonly repeat: number
  /** Another checkout of tellnet. */
  readonly baseline: string | undefined
  readonly publish: boolean
}

/** What each load is, for the report. */
export const description: Record<LoadName, string> = {
  paced: "1000 users, 10 of them with one message in flight each",
  single: "1000 users, 40 separate messages a second",
  burst: "1000 users, all of them with one message in flight",
  json: "`paced` with 1000 users who all speak JSON (`plain lines`: the same without it)",
  web:
    "`json` with 1000 users who all come by WebSocket (`by TCP`: the same without it; `idle by web`: 5000 who are quiet); needs the page: `npm run build`",
  rooms:
    "2000 users in 200 rooms, 10 times a second one message in every room, all at once (`one room`: 2000 users in one room, which has one message 10 times a second); so each user is written one line each time in both, and only what comes in differs, 200 lines to one",
  storing: "10 users, 2000 separate messages a second: hardly anybody reads, so storing shows most",
  nodes:
    "`paced` on several nodes, all on the core of the server, nats-server too (`between nodes`: 20 users, 1000 separate messages a second; nothing has a core of its own)",
  arrivals: "3000 users connect at once; the time until each has every online line from its own on",
  idle: "5000 users connected and quiet; resident memory that each adds",
  stalled: "`single` with 100 users that never read and whose buffers are full (`unstalled`: the same without them)",
  hostile:
    "1000 users at 100 an address, one of whom speaks 10 times a second; meanwhile N connections of each of M addresses send lines of 4 KB as fast as they may (`hostile N×M`); all limits as they come; latency of that user's lines",
  visits:
    "2000 users at 100 an address, one of whom speaks 10 times a second; meanwhile 1000 short visits a second come from 100 addresses, and all limits are as they come: so they are let in for 20 s, and then nearly all of them refused (`visits refused`; `unvisited`: nobody visits); latency of that user's lines",
  start: "from starting `tsx src/main.ts` to a connection, not pinned, median of 5",
  growth: "separate messages, 40 a second, fewer above 1000 users so that no size saturates the server"
}

/** The steps of one round. Each load's servers stand side by side, so that what disturbs the machine disturbs all. */
export const stepsOf = (options: Options): ReadonlyArray<Step> =>
  options.only.flatMap((name) => loadSteps(name, options)).filter(({ server }) => options.servers.includes(server))

const loadSteps = (name: LoadName, options: Options): ReadonlyArray<Step> => {
  const { quick } = options
  const many = (usual: number, fewer: number): number => options.users ?? (quick ? fewer : usual)
  const times = quick ? { warmUp: 500, window: 800 } : { warmUp: 1500, window: 3000 }
  const on = (servers: ReadonlyArray<ServerName>, load: Load, differently?: Partial<Step>): ReadonlyArray<Step> =>
    servers.map((server) =>
      Object.assign({ row: name, server, users: many(1000, 300), load, ...times, isPinned: true }, differently)
    )
  const newest = ["tellnet", "file"] as const
  const own: ReadonlyArray<ServerName> = options.baseline === undefined ? newest : [...newest, "baseline"]
  const all: ReadonlyArray<ServerName> = [
    ...own,
    ...quick ? ["batched", "nats"] as const : ["batched", "plain", "nats"] as const
  ]
  // Plain Node and `batched` take minutes for what follows from 5000 arrivals: each is told of each, one by one.
  const fast: ReadonlyArray<ServerName> = [...own, ...quick ? ["batched"] as const : ["batched", "nats"] as const]

  switch (name) {
    case "paced":
      return on(all, inFlight(10))
    case "single":
      return on(all, spaced(40))
    case "burst":
      return on(quick ? fast : all, inFlight(many(1000, 300)))
    case "json":
      return newest.flatMap((server) =>
        on([server], inFlight(10, 1)).concat(on([server], inFlight(10), { row: "plain lines" }))
      )
    case "web":
      return [
        ...on(["web"], inFlight(10, 1)),
        ...on(["tellnet"], inFlight(10, 1), { row: "by TCP" }),
        ...on(["web"], { kind: "Rest", json: 1 }, { row: "idle by web", users: many(5000, 1000), window: 1000 })
      ]
    case "rooms": {
      const rooms = Math.ceil(many(2000, 500) / 10)
      const users = rooms * 10
      return newest.flatMap((server) =>
        on([server], inRooms(rooms), { users }).concat(on([server], inRooms(1), { users, row: "one room" }))
      )
    }
    case "storing":
      return on(own, spaced(2000), { users: many(10, 10) })
    case "nodes":
      return [
        ...on(["file", "nodes1", "nodes2", "nodes3"], inFlight(10)),
        ...on(["nodes2", "nodes3"], spaced(1000), {
          row: "between nodes",
          users: many(20, 20),
          isPinned: false,
          // Much code is run for each record, and so few lines make it hot only slowly.
          warmUp: quick ? 1000 : 10_000
        })
      ]
    case "arrivals":
      return on(all.filter((server) => server !== "nats"), { kind: "Arrive" }, {
        users: many(3000, 600),
        window: 100_000
      })
    case "idle":
      return on(quick ? own : [...own, "nats"], { kind: "Rest", json: 0 }, { users: many(5000, 1000), window: 1000 })
    case "stalled": {
      const stalled = Math.round(many(1000, 300) / 10)
      return (quick ? own : fast.filter((server) => server !== "nats")).flatMap((server) =>
        on([server], spaced(40, stalled, 1)).concat(on([server], spaced(40, 0, 1), { row: "unstalled" }))
      )
    }
    case "hostile":
      return attacks.flatMap(([attackers, addresses]) =>
        on(own.filter((server) => server !== "file"), { kind: "Hostile", perSecond: 10, attackers, addresses }, {
          row: `hostile ${attackers}×${addresses}`,
          // The attackers spend what they may send at once before that.
          warmUp: 6000,
          window: quick ? 3000 : 10_000
        })
      )
    case "visits": {
      const storm = (visits: number): Load => ({ kind: "Visits", perSecond: 10, visits, addresses: 100 })
      const users = many(2000, 500)
      const servers = own.filter((server) => server !== "file")
      const window = quick ? 3000 : 10_000
      return [
        ...on(servers, storm(0), { row: "unvisited", users, warmUp: 2000, window }),
        ...on(servers, storm(1000), { users, warmUp: 2000, window }),
        ...on(servers, storm(1000), { row: "visits refused", users, warmUp: 24_000, window })
      ]
    }
    case "start":
      return [{ row: name, server: "tellnet", users: 0, load: undefined, warmUp: 0, window: 0, isPinned: false }]
    case "growth":
      return (options.users === undefined ? [100, 300, 1000, 3000, 9000] : [options.users]).flatMap((users) =>
        on(own, spaced(Math.min(40, 40_000 / users)), { users })
      )
  }
}

const inFlight = (senders: number, json: 0 | 1 = 0): Load => ({ kind: "InFlight", senders, json })

const inRooms = (rooms: number): Load => ({ kind: "Rooms", perSecond: 10, rooms })

const spaced = (perSecond: number, stalled = 0, fill: 0 | 1 = 0): Load => ({
  kind: "Spaced",
  perSecond,
  stalled,
  fill
})
