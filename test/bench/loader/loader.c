/*
 * The loader of the bench: many users in one thread, by epoll, in C, so that it is never what limits a server. It speaks
 * the protocol of tellnet, by WebSocket too, and that of nats-server, plays one load against one server, counts every line, and prints its
 * figures as one line of JSON. The arguments are NAME=VALUE; main() has them all.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 256, TEXT = 63, LONG_TEXT = 4000, FILL_LINES = 1500, WAVE = 200, SAMPLED = 50, PER_ADDRESS = 100 };
enum { MAX_SAMPLES = 8 << 20, INBOX = 1 << 18, MAX_NODES = 8, VISITORS = 4000 };

/* Each message's text: `@INDEX TIME ` and padding. INDEX is the sender's, TIME that of sending, in µs. */
static const char ONLINE[] = ":已上线";

typedef struct {
  int fd, held, cut;
  bool joined, stalled, sampled, attacks, wants_out, sends, visits;
  long presence;
  char head[HEAD]; /* how an unfinished line begins */
  bool upgraded;
  int frame_held;
  long payload;            /* what is left of the frame */
  unsigned char frame[10]; /* how its header begins; before the upgrade, what ended the HTTP that came */
} User;

typedef struct {
  long messages, presence, joined, ready, sent, visits;
  double server_cpu, store_cpu, loader_cpu, at;
} Counts;

static User *users;
static int user_count, room_size, epoll, message_length = TEXT;
static long ports[MAX_NODES], pids[MAX_NODES], store, in_flight_limit = -1;
static int node_count;
static bool nats, web, json, attacking, in_flight, settled;
static Counts now_counts;
static float *samples;
static long sample_count;
static char inbox[INBOX], attack[LONG_TEXT + 1];
static double last_byte_at;

static void fail(const char *format, ...) {
  char reason[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  printf("{\"kind\":\"Failed\",\"reason\":\"%s\"}\n", reason);
  exit(0);
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* CPU time of a process in µs, all its threads included. The kernel counts it in ticks of 10 ms. */
static double cpu_of(long pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("the server is gone");
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  long user = 0, kernel = 0;
  /* The name in parentheses may hold blanks. */
  char *fields = strrchr(text, ')');
  if (fields == NULL || sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &kernel) != 2)
    fail("cannot read %s", path);
  return (user + kernel) * 1e4;
}

static double server_cpu(void) {
  double sum = 0;
  for (int i = 0; i < node_count; i++) sum += cpu_of(pids[i]);
  return sum;
}

/* Resident memory of a process in KB. */
static double rss_of(long pid) {
  char path[64], line[256];
  long kilobytes = 0;
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("the server is gone");
  while (fgets(line, sizeof line, file) != NULL && sscanf(line, "VmRSS: %ld", &kilobytes) != 1);
  fclose(file);
  return kilobytes;
}

static double server_rss(void) {
  double sum = 0;
  for (int i = 0; i < node_count; i++) sum += rss_of(pids[i]);
  return sum;
}

static Counts snapshot(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  now_counts.loader_cpu =
      (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  now_counts.server_cpu = server_cpu();
  now_counts.store_cpu = store == 0 ? 0 : cpu_of(store);
  now_counts.at = now_us();
  return now_counts;
}

static void watch(User *user, int operation) {
  struct epoll_event event = {
      .events = (user->stalled ? 0 : EPOLLIN) | (user->wants_out ? EPOLLOUT : 0), .data.ptr = user};
  if (epoll_ctl(epoll, operation, user->fd, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static void send_all(User *user, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = send(user->fd, bytes, length, MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) continue;
    if (written < 0) fail("a user was dropped: %s", strerror(errno));
    bytes += written, length -= written;
  }
}

/* Makes a message of a WebSocket of this line, in its place; gives its length. */
static int frame_of(char *line, int length) {
  static const unsigned char mask[] = {1, 2, 3, 4};
  int head = length < 126 ? 2 : 4;
  memmove(line + head + 4, line, length);
  for (int i = 0; i < length; i++) line[head + 4 + i] ^= mask[i & 3];
  line[0] = (char)0x81, line[1] = (char)(0x80 | (length < 126 ? length : 126));
  if (head == 4) line[2] = (char)(length >> 8), line[3] = (char)length;
  memcpy(line + head, mask, sizeof mask);
  return head + 4 + length;
}

/* Sends a message as this user. */
static void say(User *user, int length) {
  char line[LONG_TEXT + 128];
  int at = nats ? sprintf(line, "PUB chat %d\r\n", length) : json ? sprintf(line, "{\"do\":\"say\",\"text\":\"") : 0;
  int text = at;
  at += sprintf(line + at, "@%05d %014.0f ", (int)(user - users), now_us());
  memset(line + at, 'x', text + length - at);
  at = text + length;
  at += sprintf(line + at, nats ? "\r\n" : json ? "\"}\n" : "\n");
  now_counts.sent++;
  send_all(user, line, web ? frame_of(line, at) : at);
}

/* The first users come to the first node, and so on, as many to each. */
static int node_of(long user) { return (int)(user * node_count / user_count); }

/* Connects a user, from the `address`-th address of 127.1.0.0/16; 0 for the usual one. */
static void come(User *user, int address) {
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010000u + address)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ports[user->visits ? 0 : node_of(user - users)]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int yes = 1;
  user->fd = socket(AF_INET, SOCK_STREAM | (user->visits ? SOCK_NONBLOCK : 0), 0);
  if (user->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(user->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(user->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &yes, sizeof yes);
  if (address > 0 && bind(user->fd, (struct sockaddr *)&from, sizeof from) != 0) fail("bind: %s", strerror(errno));
  if (connect(user->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
  fcntl(user->fd, F_SETFL, O_NONBLOCK);
  if (nats) {
    static const char hello[] = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true}\r\nSUB chat 1\r\nPING\r\n";
    send_all(user, hello, sizeof hello - 1);
  }
  if (web) {
    char hello[512];
    int length = sprintf(
        hello, "GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
        json ? "Sec-WebSocket-Protocol: tellnet.json.1\r\n" : "");
    send_all(user, hello, length);
  }
  watch(user, EPOLL_CTL_ADD);
}

/* Looks at the text of a message that this user was given. */
static void heard(User *user, const char *text) {
  now_counts.messages++;
  if (!user->sampled && !user->sends) return;
  int sender = atoi(text + 1), self = user - users;
  if (sender / room_size != self / room_size) fail("a user heard another room");
  bool is_counted = user->sampled && (node_count == 1 || node_of(sender) != node_of(self));
  if (is_counted && sample_count < MAX_SAMPLES) samples[sample_count++] = now_us() - strtod(text + 7, NULL);
  if (in_flight && user->sends && sender == self && (in_flight_limit < 0 || now_counts.sent < in_flight_limit))
    say(user, message_length);
}

/* Looks at a line: all of it, or how it begins. */
static void line(User *user, const char *start, int length) {
  char text[HEAD + 1];
  if (length > HEAD) length = HEAD;
  if (nats) {
    if (length > 21 && *start == '@') memcpy(text, start, length), text[length] = 0, heard(user, text);
    else if (length >= 4 && memcmp(start, "PONG", 4) == 0 && !user->joined) user->joined = true, now_counts.joined++;
    return;
  }
  /* Once all are ready, nobody counts who comes and goes: a storm of them must not keep the loader from its messages. */
  if (settled && memchr(start, '@', length) == NULL) return;
  const char *online = web && json ? "\"kind\":\"online\"" : ONLINE;
  const char *mark = json ? memmem(start, length, ":\"@", 3) : memmem(start, length, ":@", 2);
  if (mark != NULL && start + length - mark > 22) {
    const char *message = mark + (json ? 2 : 1);
    int rest = start + length - message;
    memcpy(text, message, rest), text[rest] = 0, heard(user, text);
  } else if (memmem(start, length, online, strlen(online)) != NULL) {
    if (!user->joined) user->joined = true, now_counts.joined++;
    user->presence++, now_counts.presence++;
  } else if (memmem(start, length, json ? "\"kind\":\"hello\"" : ":来到 #", json ? 14 : 9) != NULL) now_counts.ready++;
}

/* Looks at what comes next of the lines. */
static void lines(User *user, char *at, long count) {
  for (char *end = at + count; at < end;) {
    char *newline = memchr(at, '\n', end - at);
    int length = (newline == NULL ? end : newline) - at;
    if (user->held > 0 || newline == NULL) {
      int taken = length < HEAD - user->held ? length : HEAD - user->held;
      memcpy(user->head + user->held, at, taken);
      user->held += taken;
      if (newline != NULL) line(user, user->head, user->held), user->held = 0;
    } else line(user, at, length);
    at += length + 1;
  }
}

/* Takes out what is of HTTP and of frames; pings have nothing in them, and nobody insists on an answer. */
static void unframe(User *user, char *at, long count) {
  char *end = at + count;
  while (at < end && !user->upgraded) {
    memmove(user->frame, user->frame + 1, 3), user->frame[3] = (unsigned char)*at++;
    user->upgraded = memcmp(user->frame, "\r\n\r\n", 4) == 0;
  }
  while (at < end) {
    if (user->payload > 0) {
      long taken = end - at < user->payload ? end - at : user->payload;
      lines(user, at, taken);
      at += taken, user->payload -= taken;
      continue;
    }
    user->frame[user->frame_held++] = (unsigned char)*at++;
    int size = user->frame_held < 2 ? 0 : user->frame[1], head = size < 126 ? 2 : size == 126 ? 4 : 10;
    if (user->frame_held < head) continue;
    if (user->frame[0] == 0x88) fail("a user was dropped: close frame");
    user->payload = size < 126 ? size : 0;
    for (int i = 2; i < head; i++) user->payload = user->payload << 8 | user->frame[i];
    user->frame_held = 0;
  }
}

static void receive(User *user) {
  ssize_t got = recv(user->fd, inbox, sizeof inbox, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (user->visits) {
    /* It was told something, its own arrival or why it is refused, and goes. */
    if (got <= 0) fail("a visitor was told nothing: %s", got == 0 ? "closed" : strerror(errno));
    close(user->fd), user->fd = -1, now_counts.visits++;
    return;
  }
  if (got <= 0) {
    if (user->attacks && attacking) fail("an attacker was dropped");
    fail("a user was dropped: %s", got == 0 ? "closed" : strerror(errno));
  }
  last_byte_at = now_us();
  if (web) unframe(user, inbox, got);
  else lines(user, inbox, got);
}

/* Sends lines of 4 KB for as long as the kernel takes them. */
static void attack_on(User *user) {
  for (int burst = 0; burst < 16; burst++) {
    ssize_t written = send(user->fd, attack + user->cut, sizeof attack - user->cut, MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0) fail("an attacker was dropped: %s", strerror(errno));
    user->cut = (user->cut + written) % (int)sizeof attack;
  }
}

static void turn(int timeout) {
  static struct epoll_event events[512];
  int count = epoll_wait(epoll, events, 512, timeout);
  for (int i = 0; i < count; i++) {
    User *user = events[i].data.ptr;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(user);
    if (attacking && user->attacks && (events[i].events & EPOLLOUT)) attack_on(user);
  }
}

/* Waits for so many µs at most, and leaves the core to others meanwhile. */
static void rest(double micros) {
  struct pollfd all = {.fd = epoll, .events = POLLIN};
  struct timespec time = {.tv_nsec = (long)(micros < 1e6 ? micros * 1e3 : 999999999)};
  ppoll(&all, 1, &time, NULL);
  turn(0);
}

static void run(double milliseconds) {
  for (double end = now_us() + milliseconds * 1e3; now_us() < end;) turn(1);
}

static bool wait_for(long *counter, long value, double milliseconds) {
  double end = now_us() + milliseconds * 1e3;
  while (*counter < value && now_us() < end) turn(1);
  return *counter >= value;
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return x < y ? -1 : x > y;
}

static double percentile(double part) {
  return sample_count == 0 ? 0 : samples[(long)(part * (sample_count - 1))] / 1000;
}

static int by_presence(const void *a, const void *b) {
  long x = *(const long *)a, y = *(const long *)b;
  return x < y ? -1 : x > y;
}

/* Presence lines lost, user by user: sorted, the counts must be 1, 2, 3 … N, in which no loss hides another's double. */
static long presence_lost(int crowd) {
  long *counts = malloc(sizeof *counts * crowd), lost = 0;
  for (int i = 0; i < crowd; i++) counts[i] = users[i].presence;
  qsort(counts, crowd, sizeof *counts, by_presence);
  for (int i = 0; i < crowd; i++) lost += labs(i + 1 - counts[i]);
  free(counts);
  return lost;
}

static const char *argument(char **arguments, const char *name) {
  size_t length = strlen(name);
  for (; *arguments != NULL; arguments++)
    if (strncmp(*arguments, name, length) == 0 && (*arguments)[length] == '=') return *arguments + length + 1;
  return "";
}

/* Reads numbers with commas between them; how many there are. */
static int numbers(const char *text, long *into) {
  int count = 0;
  for (char *end; count < MAX_NODES; text = end + 1) {
    into[count] = strtol(text, &end, 10);
    if (end == text) return count;
    count++;
    if (*end != ',') return count;
  }
  return count;
}

/* The `i`-th of `count` that are spread evenly over a crowd; the last of the crowd is always among them. */
static int spread(int i, int count, int crowd) { return (int)((long)(i + 1) * crowd / count) - 1; }

int main(int argc, char **argv) {
  (void)argc;
#define NUMBER(name) atol(argument(argv + 1, name))
  const char *load = argument(argv + 1, "load");
  double warm_up = NUMBER("warmUp"), window = NUMBER("window");
  long senders = NUMBER("senders"), per_second = NUMBER("perSecond"), stalled = NUMBER("stalled"), fill = NUMBER("fill");
  long attackers = NUMBER("attackers"), addresses = NUMBER("addresses"), rooms = NUMBER("rooms"), visits = NUMBER("visits");
  bool in_rooms = rooms > 0, hostile = strcmp(load, "Hostile") == 0 || strcmp(load, "Visits") == 0, arrive = strcmp(load, "Arrive") == 0;
  int crowd = NUMBER("users");
  node_count = numbers(argument(argv + 1, "ports"), ports);
  if (node_count == 0 || numbers(argument(argv + 1, "pids"), pids) != node_count) fail("ports and pids do not match");
  store = NUMBER("store");
  nats = strcmp(argument(argv + 1, "server"), "nats") == 0, json = NUMBER("json");
  web = strcmp(argument(argv + 1, "server"), "web") == 0;
  if (addresses == 0) addresses = 1;
  if (!in_rooms) rooms = 1;
  room_size = crowd / rooms;
  user_count = crowd + attackers * addresses;
  users = calloc(user_count + VISITORS, sizeof *users);
  User *visitors = users + user_count;
  for (int i = 0; i < VISITORS; i++) visitors[i].visits = true, visitors[i].fd = -1;
  samples = malloc(sizeof *samples * MAX_SAMPLES);
  epoll = epoll_create1(0);
  memset(attack, 'x', sizeof attack), attack[sizeof attack - 1] = '\n';

  /* Everybody comes in, and sees all who come after. */
  double rss = server_rss();
  Counts start = snapshot();
  for (int i = 0; i < crowd; i++) {
    come(users + i, hostile || in_rooms ? 1 + i / PER_ADDRESS : 0);
    if (arrive) turn(0);
    if (!arrive && (i + 1) % WAVE == 0 && !wait_for(&now_counts.joined, i + 1, 60e3)) fail("users did not come in");
  }
  if (!wait_for(&now_counts.joined, crowd, 100e3)) fail("users did not come in");
  long presence = nats ? 0 : (long)crowd * (crowd + 1) / 2;
  if (!wait_for(&now_counts.presence, presence, arrive ? window : 60e3)) fail("presence lines are missing");
  double settled_at = last_byte_at;
  Counts joined = snapshot();
  if (arrive) {
    double micros = settled_at - start.at;
    run(300);
    printf(
        "{\"kind\":\"Measured\",\"figures\":{\"cpuPerLine\":%.6g,\"perSecond\":%.6g,\"seconds\":%.6g,\"lost\":%ld,"
        "\"serverCpu\":%.4g,\"loaderCpu\":%.4g}}\n",
        (joined.server_cpu - start.server_cpu) / presence, presence / micros * 1e6, micros / 1e6, presence_lost(crowd),
        (joined.server_cpu - start.server_cpu) / micros * 100, (joined.loader_cpu - start.loader_cpu) / micros * 100);
    return 0;
  }
  if (strcmp(load, "Rest") == 0) {
    run(warm_up);
    Counts before = snapshot();
    run(window);
    double at_rest = server_rss();
    printf("{\"kind\":\"Measured\",\"figures\":{\"rss\":%.6g,\"rssPerUser\":%.6g,", at_rest / 1024, (at_rest - rss) / crowd);
    if (!nats) printf("\"lost\":%ld,", presence_lost(crowd));
    printf("\"serverCpu\":%.4g}}\n", (snapshot().server_cpu - before.server_cpu) / (window * 1e3) * 100);
    return 0;
  }

  /* Everybody goes to a room, and all who are there see it come; or is greeted as a program. */
  for (int i = 0; i < crowd && (in_rooms || (json && !web)); i++) {
    char command[32] = "/json\n";
    if (in_rooms) sprintf(command, "/join r%d\n", i / room_size);
    send_all(users + i, command, strlen(command));
  }
  long ready = json ? crowd : in_rooms ? (long)crowd * (room_size + 1) / 2 : 0;
  if (!wait_for(&now_counts.ready, ready, 60e3)) fail("users did not get ready");

  /* Those who never read; and lines that are long enough to fill what the kernel holds for them. */
  for (int i = 0; i < stalled; i++) {
    User *user = users + spread(i, stalled, crowd);
    user->stalled = true;
    watch(user, EPOLL_CTL_MOD);
  }
  User **healthy = malloc(sizeof *healthy * crowd);
  int healthy_count = 0;
  for (int i = 0; i < crowd; i++)
    if (!users[i].stalled) healthy[healthy_count++] = users + i;
  if (fill) {
    in_flight = true, in_flight_limit = FILL_LINES, message_length = LONG_TEXT;
    for (int i = 0; i < 10; i++) healthy[spread(i, 10, healthy_count)]->sends = true;
    for (int i = 0; i < 10; i++) say(healthy[spread(i, 10, healthy_count)], message_length);
    if (!wait_for(&now_counts.messages, (long)FILL_LINES * healthy_count, 30e3)) fail("buffers did not fill");
    for (int i = 0; i < healthy_count; i++) healthy[i]->sends = false;
    in_flight = false, in_flight_limit = -1, message_length = TEXT;
  }

  /* Attackers come in quietly, and begin together. */
  for (int i = crowd; i < user_count; i++) {
    users[i].attacks = true;
    come(users + i, 1000 + (int)((i - crowd) / attackers));
    if (i % WAVE == 0 || i == user_count - 1) wait_for(&now_counts.joined, i + 1, 60e3);
  }
  if (attackers > 0) attacking = true;
  for (int i = crowd; i < user_count; i++) users[i].wants_out = true, watch(users + i, EPOLL_CTL_MOD);

  for (int i = 0; i < SAMPLED && i < healthy_count; i++)
    healthy[spread(i, SAMPLED < healthy_count ? SAMPLED : healthy_count, healthy_count)]->sampled = true;
  if (strcmp(load, "InFlight") == 0) {
    in_flight = true;
    for (int i = 0; i < senders; i++) healthy[spread(i, senders, healthy_count)]->sends = true;
    for (int i = 0; i < senders; i++) say(healthy[spread(i, senders, healthy_count)], message_length);
  }
  settled = true;
  Counts before = snapshot(), after = before;
  double begin = now_us(), measure_from = begin + warm_up * 1e3, measure_to = measure_from + window * 1e3;
  bool measuring = false;
  for (long spoken = 0, visited = 0; now_us() < measure_to;) {
    if (!measuring && now_us() >= measure_from) measuring = true, sample_count = 0, before = snapshot();
    double due = per_second == 0 ? measure_to : begin + (spoken + 1) * 1e6 / per_second;
    if (now_us() >= due) {
      /* Coprime with the usual numbers of users, so that everybody gets to speak. An attack is watched from one address. */
      long crowded = healthy_count / rooms, speaker = hostile ? healthy_count - 1 : (spoken * 37) % crowded;
      for (long room = 0; room < rooms; room++) say(healthy[room * crowded + speaker], message_length);
      spoken++;
    }
    double visit_due = visits == 0 ? measure_to : begin + (visited + 1) * 1e6 / visits;
    if (now_us() >= visit_due) {
      /* Where as many as there are places wait for a first word, the next stays away. */
      User *visitor = visitors + visited % VISITORS;
      if (visitor->fd < 0) come(visitor, 1000 + visited % addresses);
      visited++;
    }
    if (visit_due < due) due = visit_due;
    double left = (due < measure_to ? due : measure_to) - now_us();
    rest(left > 0 ? left : 0);
  }
  after = snapshot();
  long measured = sample_count;
  double final_rss = server_rss();
  in_flight = false;
  long expected = now_counts.sent * (healthy_count / rooms);
  if (attackers == 0) wait_for(&now_counts.messages, expected, 10e3), run(100);
  else {
    /* Whoever attacks is sent away; nobody else may miss a line. */
    attacking = false;
    expected = now_counts.sent * user_count;
    wait_for(&now_counts.messages, expected, 30e3);
  }
  long lines = after.messages - before.messages;
  double micros = after.at - before.at;
  if (lines == 0) fail("nothing was delivered in the measured window");
  sample_count = measured;
  qsort(samples, sample_count, sizeof *samples, by_size);
  printf("{\"kind\":\"Measured\",\"figures\":{");
  if (!hostile) {
    printf("\"cpuPerLine\":%.6g,", (after.server_cpu - before.server_cpu) / lines);
    if (!nats) printf("\"joinCpuPerLine\":%.6g,", (joined.server_cpu - start.server_cpu) / presence);
    if (store != 0) printf("\"storeCpuPerLine\":%.6g,", (after.store_cpu - before.store_cpu) / lines);
    printf("\"perSecond\":%.6g,", lines / micros * 1e6);
  }
  if (visits > 0) printf("\"visitsPerSecond\":%.6g,", (after.visits - before.visits) / micros * 1e6);
  printf(
      "\"p50\":%.6g,\"p99\":%.6g,\"rss\":%.6g,\"rssPerUser\":%.6g,\"lost\":%ld,\"serverCpu\":%.4g,\"loaderCpu\":%.4g}}\n",
      percentile(0.5), percentile(0.99), final_rss / 1024, (final_rss - rss) / user_count, expected - now_counts.messages,
      (after.server_cpu - before.server_cpu) / micros * 100, (after.loader_cpu - before.loader_cpu) / micros * 100);
  return 0;
}
