/** What a file of tellnet holds, for the threads that open or make one. */

// "tell", so that no other program's file is taken for ours.
export const applicationId = 0x74656c6c

// `reserved`: no number below it was given to anybody by a process that has not ended in order; see `open`. `room.lines`:
// counted along, because to count them takes as long as to read them.
export const migrations = [
  `create table line (
     seq integer primary key, room integer not null, at integer not null, address text not null, name text not null,
     text text not null
   ) strict;
   create index line_room on line (room, seq);
   create table room (
     id integer primary key, name text not null unique, lines integer not null, last integer not null
   ) strict;
   create table registry (key text primary key, value text not null, version integer not null) strict, without rowid;
   create table number (name text primary key, value integer not null) strict, without rowid;
   insert into number values ('reserved', 1), ('version', 0);`,
  // Rooms are known by the key of their name. What was given up in a room is remembered with it, and with the number
  // 'erased' once nothing of it is left. A file has a number of its own: another one is another log.
  `alter table room rename column name to key;
   update room set key = 'LOBBY' where key = 'lobby';
   alter table room add column erased integer not null default 0;
   create table nonce (
     nonce text primary key, seq integer not null, at integer not null, origin text not null
   ) strict, without rowid;
   create index nonce_at on nonce (at);
   insert into number values ('erased', 0), ('log', abs(random() >> 12));`
]
