-- The exchange of signed messages with partner administrations: partners and their keys, the outbox with its lanes,
-- the ledger of what came in with the receipt given for it, and the payload parts of both directions.
-- Keys begin with what tells rows apart, not with partner and mode that nearly all rows share: before the first
-- statistics a planner takes any first column for selective and would walk the whole table by it.
create schema exchange;
grant usage on schema exchange to dostyk_app;

-- Which history of this node the ledgers continue. A restore opens the next epoch.
create table exchange.epoch (
  number integer primary key check (number >= 1),
  opened_at timestamptz not null default now()
);
insert into exchange.epoch (number) values (1);

create table exchange.partner (
  id text primary key,
  endpoint text not null,
  root_jwk jsonb not null,
  root_fingerprint text not null,
  state text not null default 'added' check (state in ('added', 'approved', 'revoked')),
  added_at timestamptz not null default now(),
  added_by text not null,
  approved_at timestamptz,
  approved_by text[],
  check (state <> 'approved' or cardinality(approved_by) >= 2)
);

create table exchange.keyset (
  partner text not null references exchange.partner,
  mode text not null check (mode in ('test', 'live')),
  number integer not null,
  keyset text not null,
  received_at timestamptz not null default now(),
  primary key (partner, mode, number)
);

-- A lane keeps its messages in order. The row is what a sender locks while it carries the lane's head run; it changes
-- only when the lane is parked.
create table exchange.lane (
  partner text not null,
  mode text not null check (mode in ('test', 'live')),
  id uuid not null,
  parked_by uuid,
  primary key (id, partner, mode)
);

create table exchange.outbound (
  id uuid primary key,
  partner text not null references exchange.partner,
  mode text not null check (mode in ('test', 'live')),
  lane uuid not null,
  epoch integer not null,
  seq bigint not null,
  type text not null,
  type_version integer not null,
  subject uuid not null,
  ref uuid,
  message text not null,
  digest text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  -- Local facts, not signed: the order in which the queue drains, and before when not to try.
  due_at timestamptz not null,
  not_before timestamptz not null,
  state text not null default 'queued' check (state in ('queued', 'waiting', 'received', 'parked', 'skipped', 'reissued')),
  attempts integer not null default 0,
  last_outcome text,
  first_sent_at timestamptz,
  receipt text,
  received_at timestamptz,
  answer text check (answer in ('accepted', 'rejected')),
  answer_id uuid,
  answered_at timestamptz,
  problems jsonb,
  used_at timestamptz,
  check (state <> 'received' or receipt is not null)
) with (fillfactor = 70);
create index outbound_queue on exchange.outbound (partner, mode, due_at) where state = 'queued';
-- A place in a lane is held by one message; those that gave it up to another stay in the table.
create unique index outbound_place on exchange.outbound (lane, seq, epoch, partner, mode)
  where state not in ('skipped', 'reissued');
create index outbound_subject on exchange.outbound (subject);
create index outbound_parked on exchange.outbound (partner, mode) where state = 'parked';
create index outbound_issued on exchange.outbound (issued_at);

create table exchange.inbound (
  partner text not null references exchange.partner,
  mode text not null check (mode in ('test', 'live')),
  id uuid not null,
  lane uuid not null,
  epoch integer not null,
  seq bigint not null,
  type text not null,
  type_version integer not null,
  conditions text not null,
  subject uuid not null,
  ref uuid,
  message text not null,
  digest text not null,
  receipt text not null,
  issued_at timestamptz not null,
  received_at timestamptz not null,
  -- Some message of this lane with a lower sequence has not come yet.
  gap boolean not null default false,
  state text not null check (state in ('received', 'accepted', 'rejected', 'quarantined')),
  problems jsonb,
  answer_id uuid,
  used_at timestamptz,
  duplicates integer not null default 0,
  primary key (id, partner, mode)
) with (fillfactor = 85);
create index inbound_lane on exchange.inbound (lane, epoch, seq, partner, mode);
create index inbound_received on exchange.inbound (received_at);
create index inbound_defective on exchange.inbound (partner, received_at) where state in ('rejected', 'quarantined');

-- The bytes of the parts, with the salts that hide them from guessing. Payload: under row-level security.
create table exchange.part (
  direction text not null check (direction in ('out', 'in')),
  partner text not null,
  mode text not null,
  message_id uuid not null,
  name text not null,
  media_type text not null,
  salt bytea not null,
  bytes bytea not null,
  primary key (message_id, name, direction, partner, mode)
);
alter table exchange.part enable row level security;
alter table exchange.part force row level security;
create policy actor_named on exchange.part using (platform.actor_present()) with check (platform.actor_present());

-- Request ids seen lately, so that a captured request cannot be played again.
create table exchange.request_seen (
  partner text not null,
  jti text not null,
  seen_at timestamptz not null default now(),
  primary key (partner, jti)
);
create index request_seen_at on exchange.request_seen (seen_at);

-- What was refused, counted by hour, so that a flood of bad input grows nothing.
create table exchange.refusal (
  direction text not null check (direction in ('out', 'in')),
  partner text not null,
  code text not null,
  hour timestamptz not null,
  count bigint not null default 1,
  last_at timestamptz not null default now(),
  last_message_id text,
  primary key (direction, partner, code, hour)
);

-- How the link with a partner is, as the sender of this node last saw it.
create table exchange.link (
  partner text not null references exchange.partner,
  mode text not null check (mode in ('test', 'live')),
  last_attempt_at timestamptz,
  last_answer_at timestamptz,
  failing_since timestamptz,
  last_failure text,
  clock_offset_ms bigint,
  primary key (partner, mode)
);

-- What was signed, by whom and with which receipt stays as it was written: the node may add to the fate of a message.
grant select, insert on exchange.epoch, exchange.partner, exchange.keyset, exchange.outbound, exchange.inbound to dostyk_app;
grant update (endpoint, state, approved_at, approved_by) on exchange.partner to dostyk_app;
grant update (not_before, state, attempts, last_outcome, first_sent_at, receipt, received_at, answer, answer_id,
  answered_at, problems, used_at) on exchange.outbound to dostyk_app;
grant update (gap, used_at, duplicates) on exchange.inbound to dostyk_app;
grant select, insert, update on exchange.lane, exchange.refusal, exchange.link to dostyk_app;
grant select, insert, delete on exchange.part, exchange.request_seen to dostyk_app;
