/**
 * Who reads along, and in which form: deeds become bytes here, once for each form. Knows users and their channels, no
 * socket, no log and no command.
 */
import type { UserId } from "../domain/Event.ts"
import type { Output } from "../domain/Output.ts"
import type { Form } from "../wire/Form.ts"
import { Batch } from "./Batch.ts"
import { type Delivery, type Share, share } from "./Delivery.ts"
import type { Deed } from "./Turn.ts"
import type { User } from "./User.ts"

/** What has no bytes yet: the lines that are read from the log. */
export type Recall = Extract<Deed, { readonly _tag: "Recall" }>

/** Whole lines, and how many. */
interface Rendered {
  readonly bytes: Uint8Array
  readonly lines: number
}

interface Options {
  /** How many bytes a batch may have, roughly, before the next one begins. */
  readonly batchBytes: number
  readonly deliver: (user: User, share: Share) => void
  readonly recall: (recall: Recall) => Delivery
  readonly failed: (user: User, bug: unknown) => void
}

export class Readers {
  /** Everybody who has a session, online or about to be. */
  private readonly known = new Map<UserId, User>()
  private readonly members = new Map<Form, Set<User>>()
  private readonly options: Options
  /** Long answers that several ask for, as each form has them. */
  private readonly rendered = new WeakMap<Output, Map<Form, Rendered>>()

  constructor(options: Options) {
    this.options = options
  }

  /** Makes a user known, whose arrival is on its way. */
  expect(user: User): void {
    this.known.set(user.id, user)
  }

  /** Everybody who is online. */
  *[Symbol.iterator](): Generator<User> {
    for (const users of this.members.values()) yield* users
  }

  /** Does one batch of the deeds from `index` on, which happened at the time `at`; says where the next begins. */
  perform(deeds: ReadonlyArray<Deed>, index: number, at: number): { readonly next: number; readonly lines: number } {
    let next = index
    // Nobody may get one batch in two forms: it would get one of them too late.
    for (let deed = deeds[next]; deed?._tag === "Reform"; deed = deeds[++next]) this.reform(deed.user, deed.form)
    for (const [form, users] of this.members) if (users.size === 0) this.members.delete(form)
    const batches = new Map(Array.from(this.members, ([form, users]) => [form, new Batch(users)] as const))
    const size = () => {
      let sum = 0
      for (const batch of batches.values()) sum += batch.size
      return sum
    }
    for (; next < deeds.length && size() < this.options.batchBytes; next++) {
      const deed = deeds[next]!
      if (deed._tag === "Reform") break
      this.add(batches, deed, at)
    }
    let lines = 0
    for (const batch of batches.values()) {
      lines = Math.max(lines, batch.broadcasts)
      batch.flush(this.options.deliver)
    }
    return { next, lines }
  }

  /** Tells everybody who is still there a last thing, with as little as can be broken. */
  tellTheRest(output: Output, at: number): void {
    for (const [form, users] of this.members) {
      const last = share([{ ...inBytes(form.render(output, at)), kind: "shared", promised: false }])
      for (const user of users) this.options.deliver(user, last)
    }
    this.members.clear()
  }

  private add(batches: Map<Form, Batch>, deed: Exclude<Deed, { readonly _tag: "Reform" }>, at: number): void {
    switch (deed._tag) {
      case "Tell": {
        const { output, to } = deed
        if (to === "everyone") { for (const [form, batch] of batches) batch.everyone(form.render(output, at)) }
        else this.own(batches, this.known.get(to), output, at, false)
        return
      }
      case "Reply":
        return this.own(batches, deed.user, deed.reply, at, deed.promised)
      case "Private": {
        const user = this.known.get(deed.to)
        if (user === undefined) return
        const bytes = Buffer.from(user.form.render(deed.output, at))
        return batches.get(user.form)?.one(user, { bytes, lines: 1, kind: "private", promised: false })
      }
      case "Recall":
        return batches.get(deed.user.form)?.one(deed.user, this.options.recall(deed))
      case "Enter": {
        const user = this.known.get(deed.user)
        if (user === undefined) return
        user.who = deed.who
        return this.batchOf(batches, user.form).join(user)
      }
      case "Named": {
        const user = this.known.get(deed.user)
        if (user !== undefined) user.who = deed.who
        return
      }
      case "Exit": {
        const user = this.known.get(deed.user)
        this.known.delete(deed.user)
        if (user !== undefined) batches.get(user.form)?.part(user)
        return
      }
      case "Close":
        for (const [form, batch] of batches) {
          batch.everyone(form.render(deed.output, at))
          batch.partAll()
        }
        return
      case "Fail":
        return this.options.failed(deed.user, deed.bug)
      case "Settle":
        return
    }
  }

  private own(
    batches: Map<Form, Batch>,
    user: User | undefined,
    reply: Output | Uint8Array | undefined,
    at: number,
    promised: boolean
  ): void {
    if (user === undefined) return
    const { bytes, lines } = this.render(user.form, reply, at)
    batches.get(user.form)?.one(user, { bytes, lines, kind: "own", promised })
  }

  private render(form: Form, reply: Output | Uint8Array | undefined, at: number): Rendered {
    if (reply === undefined) return nothing
    if (reply instanceof Uint8Array) return { bytes: reply, lines: 0 }
    if (reply._tag !== "Users") return inBytes(form.render(reply, at))
    let forms = this.rendered.get(reply)
    if (forms === undefined) this.rendered.set(reply, forms = new Map())
    let rendered = forms.get(form)
    if (rendered === undefined) forms.set(form, rendered = inBytes(form.render(reply, at)))
    return rendered
  }

  private batchOf(batches: Map<Form, Batch>, form: Form): Batch {
    let batch = batches.get(form)
    if (batch === undefined) {
      const users = new Set<User>()
      this.members.set(form, users)
      batches.set(form, batch = new Batch(users))
    }
    return batch
  }

  private reform(user: User, form: Form): void {
    const users = this.members.get(user.form)
    if (users?.delete(user) !== true) return
    user.form = form
    const others = this.members.get(form)
    if (others === undefined) this.members.set(form, new Set([user]))
    else others.add(user)
  }
}

const nothing: Rendered = { bytes: Buffer.alloc(0), lines: 0 }

const inBytes = (text: string): Rendered => {
  let lines = 0
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++
  return { bytes: Buffer.from(text), lines }
}
