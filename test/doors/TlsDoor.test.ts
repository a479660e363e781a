import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as Certificate from "../support/certificate.ts"
import { bundled, isInstalled, measures, monitor, port, server, start, tlsPort } from "../support/child.ts"
import { arrive, type Client, connect, within } from "../support/client.ts"
import { plainAndTls } from "../support/server.ts"

/** A test that needs `openssl`, to make a certificate, and these programs. */
const withPrograms = (...programs: ReadonlyArray<string>) =>
  it.scopedLive.skipIf(!["openssl", ...programs].every(isInstalled))
const withOpenssl = withPrograms()

/** The name in the certificate that a client was shown. */
const certifiedName = ({ socket }: Client) =>
  socket instanceof Tls.TLSSocket ? socket.getPeerCertificate().subject.CN : assert.fail("no TLS")

/** Shakes hands on a connection that is there already, and gives the first bytes that come through it. */
const secured = ({ socket }: Client) =>
  within(
    "the first bytes through TLS",
    Effect.async<string, unknown>((resume) => {
      Tls.connect({ socket, rejectUnauthorized: false })
        .once("data", (bytes) => resume(Effect.succeed(bytes.toString())))
        .once("error", (error) => resume(Effect.fail(error)))
        .once("end", () => resume(Effect.fail("it ended before anything came")))
    })
  )

/** Whether the server agrees to speak by this cipher suite. What is no answer of its TLS is a defect. */
const agrees = (port: number) => (suite: string) =>
  within(
    `an answer to ${suite}`,
    Effect.async<boolean>((resume) => {
      const socket = Tls.connect({
        host: "127.0.0.1",
        port,
        rejectUnauthorized: false,
        // The client itself refuses nothing.
        ...suite.startsWith("TLS_")
          ? { minVersion: "TLSv1.3", ciphers: suite }
          : { maxVersion: "TLSv1.2", ciphers: `${suite}:@SECLEVEL=0` }
      })
      socket.once("secureConnect", () => {
        socket.destroy()
        resume(Effect.succeed(true))
      })
      socket.once(
        "error",
        (error) =>
          resume(
            // Newer Nodes do not have the oldest of them, on either side.
            "code" in error && /ALERT_HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE/.test(String(error.code))
              ? Effect.succeed(false)
              : Effect.die(error)
          )
      )
    })
  )

/** All suites that a client may offer who shares no secret with the server. OpenSSL leaves CCM out of its list. */
const suites = [
  ...Tls.getCiphers().map((name) => name.toUpperCase()).filter((name) => !/PSK|SRP/.test(name)),
  ...["", "DHE-RSA-", "ECDHE-ECDSA-"].flatMap((exchange) =>
    ["AES128-CCM", "AES128-CCM8", "AES256-CCM", "AES256-CCM8"].map((cipher) => exchange + cipher)
  )
]

/** Waits until one connection was refused for this reason. */
const refused = (url: string, reason: string) =>
  measures(url, `tellnet_connections_refused_total{reason="${reason}"} 1`)

describe("TlsDoor", { concurrent: true }, () => {
  withOpenssl("lets who comes with TLS and who comes without talk to each other", () =>
    Effect.gen(function*() {
      const { plain, tls } = yield* plainAndTls()
      const bob = yield* arrive(plain)
      const ann = yield* arrive(tls, { tls: true })
      yield* bob.sees(`${ann.front}已上线`)
      yield* ann.send("over TLS\n")
      yield* ann.sees(`${ann.front}over TLS`)
      yield* bob.sees(`${ann.front}over TLS`)
      yield* bob.send(`to|${ann.address}|without\n`)
      yield* ann.sees(`${bob.address}对您说:without`)
      yield* ann.send("/quit\n")
      yield* ann.ended
      yield* bob.sees(`${ann.front}下线`)
    }))

  withOpenssl(
    "carries out and answers what came before the end of input, in both directions of TLS",
    () =>
      Effect.gen(function*() {
        const { tls } = yield* plainAndTls()
        const ann = yield* connect(tls, { tls: true })
        yield* ann.send("hello\nwho\nbye")
        yield* ann.end
        const { front } = ann
        yield* ann.sees(`${front}已上线`, `${front}hello`, `${front}在线...`, `${front}bye`)
        yield* ann.ended
      })
  )

  withOpenssl("brings much at once, in both directions", () =>
    Effect.gen(function*() {
      const { plain, tls } = yield* plainAndTls({ rate: 0 })
      const bob = yield* arrive(plain)
      const ann = yield* arrive(tls, { tls: true })
      yield* bob.sees(`${ann.front}已上线`)
      const words = Array.from({ length: 200 }, (_, i) => `${i} ${"x".repeat(4000)}`)
      yield* ann.send(words.map((word) => `${word}\n`).join(""))
      for (const client of [ann, bob]) yield* client.sees(...words.map((word) => `${ann.front}${word}`))
    }))

  withOpenssl("calls the second of one address who came through the other door #2", () =>
    Effect.gen(function*() {
      const { plain, tls } = yield* plainAndTls()
      const bob = yield* arrive(plain, { localPort: 0 })
      const twin = yield* connect(tls, { tls: true, localPort: bob.socket.localPort ?? 0 })
      assert.strictEqual(twin.address, bob.address)
      yield* twin.sees(`[${bob.address}]${bob.address}#2:已上线`)
      yield* bob.sees(`[${bob.address}]${bob.address}#2:已上线`)
      yield* bob.send(`to|${bob.address}#2|hi\n`)
      yield* twin.sees(`${bob.address}对您说:hi`)
    }))

  withOpenssl("counts a connection that has not shaken hands under the caps", () =>
    Effect.gen(function*() {
      const { plain, tls } = yield* plainAndTls({ maxConnectionsPerIp: 1 })
      const silent = yield* connect(tls)
      const refused = yield* connect(plain)
      yield* refused.sees("*** 同一地址连接过多")
      const told = yield* connect(tls, { tls: true })
      yield* told.sees("*** 同一地址连接过多")
      yield* told.ended
      yield* silent.reset
      // The place is free again as soon as the server has heard of the reset.
      const next = yield* Effect.repeat(
        Effect.flatMap(connect(plain), (client) => Effect.map(client.line, (line) => ({ client, line }))),
        { until: ({ line }) => line.endsWith("已上线"), times: 100 }
      )
      assert.strictEqual(next.line, `${next.client.front}已上线`)
    }))

  withPrograms("nc")(
    "lets people talk who type at openssl s_client and at nc",
    () =>
      Effect.gen(function*() {
        const { flags } = yield* Certificate.make()
        const tellnet = yield* server(...flags)
        const ann = yield* start("openssl", ["s_client", "-quiet", "-connect", `127.0.0.1:${yield* tlsPort(tellnet)}`])
        yield* ann.prints(/已上线\n/)
        const bob = yield* start("nc", ["127.0.0.1", String(yield* port(tellnet))])
        yield* bob.prints(/已上线\n/)
        yield* ann.type("rename|张三\n大家好\n")
        yield* bob.prints(/\n\[127\.0\.0\.1:\d+\]张三:大家好\n/)
        yield* bob.type("to|张三|你好\n")
        yield* ann.prints(/\n127\.0\.0\.1:\d+对您说:你好\n/)
        yield* ann.type("/quit\n")
        yield* bob.prints(/\n\[127\.0\.0\.1:\d+\]张三:下线\n/)
      })
  )

  withPrograms("ncat")("serves piped lines from ncat --ssl", () =>
    Effect.gen(function*() {
      const { flags } = yield* Certificate.make()
      const tellnet = yield* server(...flags)
      const ncat = yield* start("ncat", ["--ssl", "127.0.0.1", String(yield* tlsPort(tellnet))])
      yield* ncat.type("hello\nwho\nbye")
      yield* ncat.end
      const { stdout } = yield* ncat.over
      const front = stdout.slice(0, stdout.indexOf("已上线"))
      assert.strictEqual(stdout, `${front}已上线\n${front}hello\n${front}在线...\n${front}bye\n`)
    }))

  withOpenssl("takes no harm from failed handshakes, and counts and logs them", () =>
    Effect.gen(function*() {
      const { flags } = yield* Certificate.make()
      const tellnet = yield* server(...flags, "--metrics-port", "0")
      const url = yield* monitor(tellnet)
      const bob = yield* arrive(yield* port(tellnet))
      const tls = yield* tlsPort(tellnet)

      const plain = yield* connect(tls)
      yield* plain.send("hello\n")
      yield* plain.ended
      yield* refused(url, "handshake-not-tls")

      const old = yield* start("openssl", ["s_client", "-tls1_1", "-connect", `127.0.0.1:${tls}`])
      assert.notStrictEqual((yield* old.over).code, 0)
      yield* refused(url, "handshake-version")

      const gone = yield* connect(tls)
      // Who comes after it is accepted after it.
      const ann = yield* arrive(tls, { tls: true })
      yield* gone.reset
      yield* refused(url, "handshake-closed")

      yield* bob.send("nobody else came\n")
      yield* bob.sees(`${ann.front}已上线`, `${bob.front}nobody else came`)
      yield* tellnet.prints(/refused 1 connection: handshake-not-tls/)
    }))

  for (const garbler of ["first", "second"] as const) {
    withOpenssl(
      `tells two addresses apart that one peer port has reached: garbage from the ${garbler}`,
      () =>
        Effect.gen(function*() {
          const { tls } = yield* plainAndTls({ host: "0.0.0.0" })
          const first = yield* connect(tls, { host: "127.0.0.1", localPort: 0, paused: true })
          const localPort = first.socket.localPort ?? 0
          const second = yield* connect(tls, { host: "127.0.0.2", localPort, paused: true })
          assert.strictEqual(second.address, first.address)
          // Who comes after both is accepted after both.
          yield* arrive(tls, { tls: true })
          const [bad, good] = garbler === "first" ? [first, second] : [second, first]
          yield* bad.send("garbage\n")
          yield* bad.read
          yield* bad.ended
          assert.strictEqual(yield* secured(good), `${good.front}已上线\n`)
        })
    )
  }

  withOpenssl("closes a connection that never shakes hands after 10 s", () =>
    Effect.gen(function*() {
      const { flags } = yield* Certificate.make()
      const tellnet = yield* server(...flags, "--metrics-port", "0")
      const url = yield* monitor(tellnet)
      const silent = yield* connect(yield* tlsPort(tellnet))
      const [took] = yield* Effect.timed(silent.ended)
      assert.approximately(Duration.toSeconds(took), 10, 1.5)
      yield* refused(url, "handshake-timeout")
    }))

  withOpenssl(
    "shows a new certificate to newcomers after SIGHUP, and drops nobody; a bad one changes nothing",
    () =>
      Effect.gen(function*() {
        const certificate = yield* Certificate.make()
        const tellnet = yield* server(...certificate.flags)
        const tls = yield* tlsPort(tellnet)
        const ann = yield* arrive(tls, { tls: true })
        assert.strictEqual(certifiedName(ann), "first")

        yield* certificate.renew("second")
        yield* tellnet.signal("SIGHUP")
        yield* tellnet.prints(/the certificate was read again/)
        const bob = yield* arrive(tls, { tls: true })
        assert.strictEqual(certifiedName(bob), "second")

        yield* certificate.spoil
        yield* tellnet.signal("SIGHUP")
        yield* tellnet.prints(/--tls-cert \S+: not a certificate in PEM form\. The old certificate stays\./)
        const eve = yield* arrive(tls, { tls: true })
        assert.strictEqual(certifiedName(eve), "second")

        yield* ann.sees(`${bob.front}已上线`, `${eve.front}已上线`)
        yield* ann.send("still here\n")
        yield* ann.sees(`${ann.front}still here`)
      })
  )

  for (
    const [kind, allowed] of [
      ["EC", /^(TLS|ECDHE-ECDSA).*(GCM|POLY1305)/],
      ["RSA", /^(TLS|ECDHE-RSA).*(GCM|POLY1305)/]
    ] as const
  ) {
    withOpenssl(
      `agrees to no cipher suite without forward secrecy or AEAD, with an ${kind} certificate and its next`,
      () =>
        Effect.gen(function*() {
          const certificate = yield* Certificate.make(kind)
          const tellnet = yield* server(...certificate.flags)
          const tls = yield* tlsPort(tellnet)
          const wanted = suites.filter((suite) => allowed.test(suite))
          assert.strictEqual(wanted.length, 6)
          assert.deepStrictEqual(yield* Effect.filter(suites, agrees(tls)), wanted)
          yield* certificate.renew("second")
          yield* tellnet.signal("SIGHUP")
          yield* tellnet.prints(/the certificate was read again/)
          assert.deepStrictEqual(yield* Effect.filter(suites, agrees(tls)), wanted)
        })
    )

    withPrograms("sslscan")(
      `shows sslscan only cipher suites with forward secrecy and AEAD, with an ${kind} certificate and its next`,
      () =>
        Effect.gen(function*() {
          const certificate = yield* Certificate.make(kind)
          const tellnet = yield* server(...certificate.flags)
          const tls = yield* tlsPort(tellnet)
          const scan = Effect.gen(function*() {
            const sslscan = yield* start("sslscan", ["--no-colour", `127.0.0.1:${tls}`])
            const { stdout } = yield* sslscan.over
            assert.match(stdout, /TLSv1\.1 +disabled/)
            return Array.from(
              stdout.matchAll(/^(?:Accepted|Preferred) +(TLS\S+) +\d+ bits +(\S+)/gm),
              ([, version, suite]) => `${version} ${suite}`
            )
          })
          const before = yield* scan
          assert.strictEqual(before.length, 6, before.join("\n"))
          for (const line of before) assert.match(line.replace(/^\S+ /, ""), allowed)
          yield* certificate.renew("second")
          yield* tellnet.signal("SIGHUP")
          yield* tellnet.prints(/the certificate was read again/)
          assert.deepStrictEqual(yield* scan, before)
        })
    )
  }

  withOpenssl("listens with TLS only when told so, and ends in order", () =>
    Effect.gen(function*() {
      const { flags } = yield* Certificate.make()
      const tellnet = yield* server(...flags, "--no-plain")
      const tls = yield* port(tellnet)
      assert.strictEqual(yield* tlsPort(tellnet), tls)
      const ann = yield* arrive(tls, { tls: true })
      // One who is in the middle of its handshake keeps nobody waiting.
      yield* Effect.acquireRelease(
        Effect.sync(() => Net.connect(tls, "127.0.0.1").on("error", () => {})),
        (socket) => Effect.sync(() => socket.destroy())
      )
      yield* tellnet.signal("SIGTERM")
      yield* ann.sees("*** 服务器即将关闭")
      yield* ann.ended
      yield* ann.end
      const { code, stdout } = yield* tellnet.over
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.match(/listening on/g)?.length, 1)
    }))

  for (
    const [title, flags, says] of [
      ["a TLS port without a certificate", ["--tls-port", "0"], "--tls-port needs --tls-cert."],
      ["a TLS port without a key", ["--tls-port", "0", "--tls-cert", "x"], "--tls-port needs --tls-key."],
      ["a certificate without a TLS port", ["--tls-cert", "x"], "--tls-cert needs --tls-port or --web-tls."],
      ["a key without a TLS port", ["--tls-key", "x"], "--tls-key needs --tls-port or --web-tls."],
      ["no port at all", ["--no-plain"], "--no-plain needs --tls-port or --web-port."],
      [
        "a certificate that is not there",
        ["--port", "0", "--tls-port", "0", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"],
        "--tls-cert /nowhere: no such file."
      ],
      [
        "a certificate that is none",
        ["--port", "0", "--tls-port", "0", "--tls-cert", "package.json", "--tls-key", "package.json"],
        "--tls-cert package.json: not a certificate in PEM form."
      ]
    ] as const
  ) {
    it.scopedLive(`ends with 1 and one sentence for ${title}`, () =>
      Effect.gen(function*() {
        const tellnet = yield* bundled(flags)
        const { code, stderr, stdout } = yield* tellnet.over
        assert.deepStrictEqual({ code, stderr, stdout }, { code: 1, stderr: `${says}\n`, stdout: "" })
      }))
  }

  withOpenssl("ends with 1 and one sentence for a key that is none, or of somebody else", () =>
    Effect.gen(function*() {
      const { cert } = yield* Certificate.make()
      const other = yield* Certificate.make()
      for (
        const [key, problem] of [
          [cert, "not a private key in PEM form, or one with a passphrase"],
          [other.key, "not the key of the certificate in --tls-cert"]
        ] as const
      ) {
        const tellnet = yield* server("--tls-port", "0", "--tls-cert", cert, "--tls-key", key)
        const { code, stderr } = yield* tellnet.over
        assert.deepStrictEqual({ code, stderr }, { code: 1, stderr: `--tls-key ${key}: ${problem}.\n` })
      }
    }))
})
