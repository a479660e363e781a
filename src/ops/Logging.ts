/**
 * The log, on standard output. Whatever becomes of that, the server neither ends nor waits: what nobody takes is dropped
 * and counted.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Record from "effect/Record"
import * as NodeConsole from "node:console"
import { Writable } from "node:stream"
import type { Settings } from "../ServerConfig.ts"

/** How many bytes of the log may wait for whoever reads it. */
export const maxUnreadLog = 262_144

// So long, in ms, an ending process waits for the reader of its log.
const flushPatience = 1000

/**
 * Takes lines for a stream that may be broken or full. A pipe is written to without waiting, so Node would keep in memory
 * all that nobody reads.
 */
export const guard = (stream: NodeJS.WritableStream & { readonly writableLength: number }): Writable => {
  let dropped = 0
  // A pipe that nobody reads any more. Without a listener this would end the process.
  stream.on("error", () => {})
  return new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      if (stream.writableLength > maxUnreadLog) dropped++
      else {
        if (dropped > 0) stream.write(`(${dropped} lines of the log were dropped here: nobody read them)\n`)
        dropped = 0
        stream.write(text)
      }
      done()
    }
  })
}

/** Waits until the stream has written all, or for as long as the patience lasts. */
const flush = (stream: NodeJS.WriteStream) =>
  Effect.async<void>((resume) => {
    if (stream.destroyed || stream.writableLength === 0) return resume(Effect.void)
    const done = () => {
      clearTimeout(timer)
      resume(Effect.void)
    }
    const timer = setTimeout(done, flushPatience)
    stream.once("drain", done).once("close", done)
  })

const two = (n: number) => String(n).padStart(2, "0")

const formatDate = (date: Date) =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${
    two(date.getMinutes())
  }:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`

const loggers: { readonly [Format in Settings["logFormat"]]: Logger.Logger<unknown, void> } = {
  pretty: Logger.prettyLogger({ formatDate, mode: "tty", colors: process.stdout.isTTY === true }),
  logfmt: Logger.withConsoleLog(Logger.logfmtLogger),
  json: Logger.withConsoleLog(
    Logger.map(
      Logger.structuredLogger,
      ({ annotations, cause, logLevel, message, spans, timestamp }) =>
        JSON.stringify({
          timestamp,
          level: logLevel,
          message,
          cause,
          ...annotations,
          ...Record.isEmptyRecord(spans) ? {} : { spans }
        })
    )
  )
}

/** What loggers print with. */
const guarded = new NodeConsole.Console({ stdout: guard(process.stdout), stderr: guard(process.stderr) })

/** Logs in this form what is not less than this level, and writes out at its end what still waits. */
export const layer = ({ logFormat, logLevel }: Pick<Settings, "logFormat" | "logLevel">) =>
  Layer.mergeAll(
    Layer.scopedDiscard(Effect.addFinalizer(() => flush(process.stdout))),
    Layer.unwrapEffect(
      Console.consoleWith((console) => Effect.succeed(Console.setConsole({ ...console, unsafe: guarded })))
    ),
    Logger.replace(Logger.defaultLogger, loggers[logFormat]),
    Logger.minimumLogLevel(logLevel)
  )
