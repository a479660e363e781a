/** Where there is no nats-server, what runs on nodes is skipped. */
import { beforeEach } from "@effect/vitest"
import { isMissing } from "./natsServer.ts"

beforeEach(({ skip }) => skip(isMissing))
