/** What this process calls the users of all nodes: its own as they are, those of another from a number on that is its alone. */
import { type NodeId, UserId } from "../domain/Event.ts"
import { usersOfNode } from "./RecordCodec.ts"

export class UserNumbers {
  private readonly bases = new Map<NodeId, number>()
  private others = 0

  /** From here on the users of this node are those of this process. */
  isOwn(node: NodeId): void {
    this.bases.set(node, 0)
  }

  /** What the user is called that its node calls so. */
  userOf(node: NodeId, number: number): UserId {
    let base = this.bases.get(node)
    if (base === undefined) this.bases.set(node, base = ++this.others * usersOfNode)
    return UserId(base + number)
  }

  /** What its own node calls this user. */
  numberOf(user: UserId): UserId {
    return UserId(user % usersOfNode)
  }

  /** Nothing of this node comes any more. */
  forget(node: NodeId): void {
    this.bases.delete(node)
  }
}
