/** Who connects: the caps, the pace and the address that others see are those of this one. */
import type * as Net from "node:net"
import { plainIp } from "../domain/Address.ts"

export interface Client {
  readonly ip: string
  readonly port: number
}

/** The peer of a socket, if it is connected still. */
export const peerOf = ({ remoteAddress, remotePort }: Net.Socket): Client | undefined =>
  remoteAddress === undefined || remotePort === undefined ? undefined : { ip: plainIp(remoteAddress), port: remotePort }
