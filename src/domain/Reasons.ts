/** The reasons for which a visit ends, or never begins. Knows no wording. */

/** Why a visit ended; there is no other way out of a session. */
export type EndReason =
  /** the user typed `/quit` */
  | "quit"
  /** the client closed its writing half, and everything that it had sent was carried out */
  | "end-of-input"
  /** reset, broken pipe, or no answer to TCP keep-alive */
  | "reset"
  /** silent for longer than the idle timeout */
  | "idle"
  /** its socket took nothing for longer than the stall timeout */
  | "stalled"
  | "shutdown"
  /** it spoke HTTP, TLS, SSH or the PROXY protocol; nothing of it was said */
  | "foreign"
  /** the owner of its name came in from elsewhere */
  | "taken-over"
  /** an operator put it out; or it tried three wrong secrets of operators */
  | "removed"
  /** an operator banned where it comes from, or the name that it owns */
  | "banned"
  /** a bug in a command: logged with its cause */
  | "defect"

/** Why somebody is not here any more, to others. */
export type OfflineReason =
  | EndReason
  /** its node does not answer; its session may not know that */
  | "node-gone"

/** Why a newcomer is told that it may not come in. */
export type CapReason =
  /** `--max-connections` are open */
  | "server-full"
  /** `--max-connections-per-ip` are open */
  | "address-full"
  /** an operator banned where it comes from */
  | "banned"
  /** it is beyond `--visits-per-ip` */
  | "too-fast"
  /** an operator let nobody new in, and it is not in `--allow` */
  | "locked"

/** Why a trusted proxy announced no client. */
export type ProxyReason =
  /** it sent no whole header in time */
  | "proxy-timeout"
  /** it was gone before the end of its header */
  | "proxy-closed"
  /** what it sent is no header of the PROXY protocol, or not of a client that came by TCP */
  | "proxy-malformed"
  /** its header names nobody: LOCAL, UNKNOWN or UNSPEC */
  | "proxy-nobody"
  /** too many of its connections, or of all proxies', wait for their header or request */
  | "proxy-full"

/** Why a browser, or what takes itself for one, was sent away. */
export type WebReason =
  /** what it sent is no HTTP, or no request for a WebSocket that anybody could answer */
  | "web-malformed"
  /** it began a request, and did not end it in time */
  | "web-timeout"
  /** it looked for a name that this server is not known by: see `--web-host` */
  | "web-host"
  /** the page of somebody else sent it: see `--web-origin` */
  | "web-origin"

/** Why a connection came to no visit. */
export type RefusalReason =
  | CapReason
  | ProxyReason
  | WebReason
  /** no TLS handshake was finished in time */
  | "handshake-timeout"
  /** the peer was gone before the end of its TLS handshake */
  | "handshake-closed"
  /** something else than TLS came in through its door */
  | "handshake-not-tls"
  /** the peer knows no TLS version that is allowed */
  | "handshake-version"
  /** anything else that OpenSSL or the peer did not like */
  | "handshake-failed"
