/**
 * Who reads along, in which room and in which form: deeds become bytes here, once for each form. Knows users and their
 * channels, no socket, no log and no command.
 */
import { ipOf } from "../domain/Address.ts"
import type { Seq, UserId } from "../domain/Event.ts"
import { type NameKey, nameKey } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import type { Room } from "../domain/Room.ts"
import * as Rules from "../domain/Rules.ts"
import type { Form } from "../wire/Form.ts"
import { Batch } from "./Batch.ts"
import { type Delivery, type Share, share } from "./Delivery.ts"
import { hides, type Ignores } from "./Ignores.ts"
import type { Deed } from "./Turn.ts"
import type { Asker, Circle, User } from "./User.ts"

/** What has no bytes yet: the lines that are read from the log. */
export type Stream = Extract<Deed, { readonly _tag: "Stream" }>
export type Replay = Extract<Deed, { readonly _tag: "Replay" }>

/** Where in the deeds a batch begins, and when that happens, in ms since 1970. */
interface Begin {
  readonly index: number
  readonly at: number
}

interface Options {
  /** How many bytes a batch may have, roughly, before the next one begins. */
  readonly batchBytes: number
  readonly deliver: (user: User, share: Share) => void
  readonly stream: (stream: Stream) => Delivery
  readonly replay: (replay: Replay) => Delivery
  readonly failed: (user: User, bug: unknown) => void
}

export class Readers {
  /** Everybody who has a session, online or about to be. */
  private readonly known = new Map<UserId, User>()
  private readonly rooms = new Map<NameKey, Map<Form, Circle>>()
  private readonly options: Options
  /** Who ignores somebody: by the connection, and by the name that has an owner. */
  private readonly ignoring = new Map<UserId | NameKey, Set<User>>()
  /** Long answers that several ask for, as each form has them, and when they were made. */
  private readonly rendered = new WeakMap<Output, Map<Form, { readonly at: number; readonly bytes: Buffer }>>()

  constructor(options: Options) {
    this.options = options
  }

  /** Makes a user known, whose arrival is on its way. */
  expect(user: User): void {
    this.known.set(user.id, user)
  }

  /** Everybody who is online. */
  *[Symbol.iterator](): Generator<User> {
    for (const circle of this.circles()) yield* circle.users
  }

  /** Does one batch of the deeds; says where the next begins. */
  perform(deeds: ReadonlyArray<Deed>, begin: Begin): Begin & { readonly lines: number } {
    let { at, index } = begin
    const batch = new Batch()
    for (; index < deeds.length && batch.size < this.options.batchBytes; index++) {
      const deed = deeds[index]!
      if (deed._tag === "At") at = deed.at
      else this.add(batch, deed, at)
    }
    batch.flush(this.options.deliver)
    return { index, at, lines: batch.broadcasts }
  }

  /** Tells everybody who is still there a last thing, with as little as can be broken. */
  tellTheRest(output: Output, at: number): void {
    for (const { form, users } of this.circles()) {
      const last = share([own(Buffer.from(form.render(output, at)))])
      for (const user of users) {
        user.circle = undefined
        this.options.deliver(user, last)
      }
    }
    this.rooms.clear()
  }

  private add(batch: Batch, deed: Exclude<Deed, { readonly _tag: "At" }>, at: number): void {
    switch (deed._tag) {
      case "Tell": {
        const circles = this.rooms.get(deed.room)
        if (circles === undefined) return
        const seq = deed.output._tag === "Said" ? deed.output.seq : undefined
        for (const circle of circles.values()) {
          this.tell(batch, circle, deed.output, at, seq, this.ignorersOf(circle, deed.by, deed.output))
        }
        return
      }
      case "Enforce":
        for (const user of this.known.values()) {
          if (Rules.isBanned(deed.rules, ipOf(user.peer), at)) user.end("banned")
        }
        return
      case "Announce":
        for (const circle of this.circles()) this.tell(batch, circle, deed.output, at)
        return
      case "Inform": {
        const user = this.known.get(deed.user)
        return user && this.note(batch, user, deed.output, at, false)
      }
      case "Note":
        return this.note(batch, deed.user, deed.output, at, deed.promised)
      case "Reply":
        return batch.one(deed.asker.user, {
          ...own(this.reply(deed.asker, deed.copy, deed.reply, at)),
          promised: deed.promised
        })
      case "Whisper": {
        const user = this.known.get(deed.to)
        if (user === undefined || hides(user.ignores, deed.output.from, deed.by)) return
        const bytes = Buffer.from(user.form.render(deed.output, at))
        return batch.one(user, { bytes, lines: 1, kind: "private", promised: false })
      }
      case "Stream":
        return batch.one(deed.asker.user, this.options.stream(deed))
      case "Replay":
        return batch.one(deed.user, this.options.replay(deed))
      case "Enter":
      case "Move":
      case "Exit":
        return this.moves(batch, deed)
      case "Named": {
        const user = this.known.get(deed.user)
        if (user !== undefined) user.who = deed.who
        return
      }
      case "Reform": {
        const { form, user } = deed
        user.form = form
        if (user.circle !== undefined) this.goTo(batch, user, this.circleOf(user.circle.room, form))
        return batch.one(user, { ...own(Buffer.alloc(0)), form })
      }
      case "Shut":
        return this.shut(deed.user, deed.ignores)
      case "Close":
        for (const circle of this.circles()) {
          this.tell(batch, circle, deed.output, at)
          for (const user of circle.users) this.goTo(batch, user, undefined)
        }
        return
      case "Fail":
        return this.options.failed(deed.user, deed.bug)
      case "Settle":
        return
    }
  }

  private moves(batch: Batch, deed: Extract<Deed, { readonly _tag: "Enter" | "Move" | "Exit" }>): void {
    const user = this.known.get(deed.user)
    if (user === undefined) return
    if (deed._tag === "Enter") user.who = deed.who
    if (deed._tag !== "Exit") return this.goTo(batch, user, this.circleOf(deed.room, user.form))
    // This node was thought dead: its users are on their way back, and read on meanwhile.
    if (deed.reason === "node-gone") return
    this.known.delete(deed.user)
    this.shut(user, undefined)
    this.goTo(batch, user, undefined)
    // Where the fold made it leave, its session has yet to hear of that.
    user.end(deed.reason)
  }

  private tell(
    batch: Batch,
    circle: Circle,
    output: Output,
    at: number,
    seq?: Seq,
    but?: ReadonlyArray<User>
  ): void {
    const line = circle.form.render(output, at)
    // Some forms tell nothing of some things.
    if (line !== "") batch.tell(circle, line, seq, but)
  }

  private note(batch: Batch, user: User, output: Output | Uint8Array, at: number, promised: boolean): void {
    const bytes = output instanceof Uint8Array ? output : Buffer.from(user.form.render(output, at))
    batch.one(user, { ...own(bytes), promised })
  }

  private reply(
    { id, user: { form } }: Asker,
    copy: Output | undefined,
    reply: Output | undefined,
    at: number
  ): Buffer {
    const first = copy === undefined ? "" : form.render(copy, at)
    if (reply === undefined) return Buffer.from(first)
    const last = form.answer(reply, at, id)
    if (reply._tag !== "Users" && reply._tag !== "Rooms") return Buffer.from(`${first}${form.render(reply, at)}${last}`)
    let forms = this.rendered.get(reply)
    if (forms === undefined) this.rendered.set(reply, forms = new Map())
    let rendered = forms.get(form)
    if (rendered === undefined || form.timesLists && rendered.at !== at) {
      forms.set(form, rendered = { at, bytes: Buffer.from(form.render(reply, at)) })
    }
    return last === "" ? rendered.bytes : Buffer.concat([rendered.bytes, Buffer.from(last)])
  }

  private *circles(): Generator<Circle> {
    for (const circles of this.rooms.values()) yield* circles.values()
  }

  private circleOf(room: Room, form: Form): Circle {
    let circles = this.rooms.get(room.key)
    if (circles === undefined) this.rooms.set(room.key, circles = new Map())
    let circle = circles.get(form)
    if (circle === undefined) circles.set(form, circle = { room, form, users: new Set() })
    return circle
  }

  private goTo(batch: Batch, user: User, circle: Circle | undefined): void {
    const { circle: before } = user
    if (before === circle) return
    batch.move(user, circle)
    if (before === undefined || before.users.size > 0) return
    const circles = this.rooms.get(before.room.key)
    circles?.delete(before.form)
    if (circles?.size === 0) this.rooms.delete(before.room.key)
  }

  private shut(user: User, ignores: Ignores | undefined): void {
    for (const key of keysOf(user.ignores)) {
      const users = this.ignoring.get(key)
      users?.delete(user)
      if (users?.size === 0) this.ignoring.delete(key)
    }
    user.ignores = ignores
    for (const key of keysOf(ignores)) {
      const users = this.ignoring.get(key)
      if (users === undefined) this.ignoring.set(key, new Set([user]))
      else users.add(user)
    }
  }

  /** Those in the circle to whom this is not told. */
  private ignorersOf({ users }: Circle, by: UserId | undefined, output: Output): ReadonlyArray<User> | undefined {
    if (by === undefined || this.ignoring.size === 0 || output._tag !== "Said") return undefined
    const ofName = this.ignoring.get(nameKey(output.who.name))
    const all = [...this.ignoring.get(by) ?? [], ...ofName ?? []]
    return all.length === 0 ? undefined : Array.from(new Set(all)).filter((user) => users.has(user))
  }
}

const keysOf = (ignores: Ignores | undefined): ReadonlyArray<UserId | NameKey> =>
  (ignores ?? []).flatMap(({ connection, owned }) => [connection?.user, owned].filter((key) => key !== undefined))

/** What is for one user, and never skipped. */
const own = (bytes: Uint8Array): Delivery => ({ bytes, lines: linesIn(bytes), kind: "own", promised: false })

const lf = 0x0a

const linesIn = (bytes: Uint8Array): number => {
  let lines = 0
  for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, at + 1)) lines++
  return lines
}
