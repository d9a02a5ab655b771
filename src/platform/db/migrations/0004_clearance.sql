-- Rail export and transit data: what the home systems handed over, what was decided about it, what partners sent, and
-- the railway's own lists. Everything here that holds content stands under row-level security.
create schema clearance;
grant usage on schema clearance to dostyk_app;

-- One hand-over by HTTP, file or watched folder.
create table clearance.submission (
  id uuid primary key,
  mode text not null check (mode in ('test', 'live')),
  channel text not null check (channel in ('http', 'file', 'folder')),
  source text not null,
  file_name text,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  failure text,
  bytes bigint not null default 0,
  digest text,
  records integer not null default 0,
  taken integer not null default 0,
  unchanged integer not null default 0,
  refused integer not null default 0
);
create index submission_started on clearance.submission (started_at);

-- One record of a submission with its original bytes and what became of it.
create table clearance.submission_record (
  submission uuid not null references clearance.submission,
  position integer not null,
  line integer,
  format text not null,
  record text,
  outcome text not null check (outcome in ('taken', 'amended', 'superseded', 'unchanged', 'refused')),
  problems jsonb,
  -- What was read differently than it stood, or is not carried.
  notes jsonb,
  digest text not null,
  original bytea,
  about uuid,
  primary key (submission, position)
);
create index submission_record_refused on clearance.submission_record (submission) where outcome = 'refused';
create index submission_record_about on clearance.submission_record (about);

-- A declaration of this side, by its own number.
create table clearance.declaration (
  key uuid primary key,
  mode text not null check (mode in ('test', 'live')),
  declaration_id text not null,
  kind text not null check (kind in ('EX', 'TR')),
  lane uuid not null,
  -- The newest version, and whether it is a declaration or its cancellation.
  version integer not null,
  record text not null check (record in ('declaration', 'cancellation')),
  content_digest text not null,
  -- eligible, partial, withheld, held, not-concerned, cancelled: of the newest version.
  outcome text not null,
  ground text,
  clause text,
  warnings integer not null default 0,
  -- The newest version that was signed for the partner; null while nothing was sent about this declaration.
  sent_version integer,
  -- Whether the partner holds data about it now: sent, and not withdrawn or cancelled since.
  stands_at_partner boolean not null default false,
  -- Waits for the channel to open before a message is made.
  waiting boolean not null default false,
  first_taken_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  unique (declaration_id, mode)
) with (fillfactor = 85);
create index declaration_changed on clearance.declaration (changed_at);
create index declaration_held on clearance.declaration (mode) where outcome = 'held';
create index declaration_waiting on clearance.declaration (mode) where waiting;

create table clearance.declaration_version (
  declaration uuid not null references clearance.declaration (key),
  version integer not null,
  record text not null check (record in ('declaration', 'cancellation')),
  content jsonb not null,
  content_digest text not null,
  taken_at timestamptz not null default now(),
  outcome text not null,
  ground text,
  clause text,
  -- Lines left out, with ground and clause each; what an officer decided, when, and why.
  left_out jsonb,
  decided jsonb,
  warnings jsonb not null default '[]',
  message uuid,
  -- A cancellation may name the very version it cancels.
  primary key (declaration, version, record)
);

-- Which units a declaration names, to find it by container, wagon or consignment note.
create table clearance.declaration_unit (
  declaration uuid not null references clearance.declaration (key),
  kind text not null check (kind in ('container', 'wagon', 'note')),
  unit text not null,
  primary key (declaration, kind, unit)
);
create index declaration_unit_unit on clearance.declaration_unit (unit);

-- A clearance that a partner sent, as shown now.
create table clearance.received (
  key uuid primary key,
  partner text not null,
  mode text not null check (mode in ('test', 'live')),
  declaration_id text not null,
  kind text not null check (kind in ('EX', 'TR')),
  subject uuid not null,
  version integer not null,
  state text not null check (state in ('shown', 'cancelled')),
  message uuid not null,
  warnings integer not null default 0,
  received_at timestamptz not null,
  changed_at timestamptz not null default now(),
  used_at timestamptz,
  -- Used, and the partner is not told yet.
  use_waiting boolean not null default false,
  unique (declaration_id, partner, mode)
) with (fillfactor = 85);
create index received_changed on clearance.received (changed_at);
create index received_use_waiting on clearance.received (mode) where use_waiting;

create table clearance.received_unit (
  received uuid not null references clearance.received (key),
  kind text not null check (kind in ('container', 'wagon', 'note')),
  unit text not null,
  primary key (received, kind, unit)
);
create index received_unit_unit on clearance.received_unit (unit);

-- Every version that came, so that differences can be shown and nothing is lost.
create table clearance.received_version (
  received uuid not null references clearance.received (key),
  version integer not null,
  message uuid not null,
  content jsonb not null,
  warnings jsonb not null default '[]',
  received_at timestamptz not null,
  primary key (received, message)
);

-- What cannot be used is still shown to the post as defective; what is prohibited is kept from every eye.
create table clearance.defective (
  partner text not null,
  mode text not null check (mode in ('test', 'live')),
  message uuid not null,
  type text not null,
  quarantined boolean not null,
  problems jsonb not null,
  received_at timestamptz not null,
  primary key (partner, mode, message)
);

-- A leg of a train, from the railway's list or from a partner's DEP.
create table clearance.leg (
  key uuid primary key,
  mode text not null check (mode in ('test', 'live')),
  -- carrier: the railway's own list handed over here. partner: told by the other side's DEP.
  source text not null check (source in ('carrier', 'customs', 'partner')),
  partner text,
  -- What tells this leg from another: train, list, date and stations, normalised.
  identity text not null,
  lane uuid not null,
  list_version integer not null default 1,
  content_digest text not null,
  leg jsonb not null,
  planned_at timestamptz,
  departed_at timestamptz,
  arrived_at timestamptz,
  closed_at timestamptz,
  departure_message uuid,
  -- Left while the channel was closed: the partner is told when it opens.
  waiting boolean not null default false,
  changed_at timestamptz not null default now(),
  unique (identity, source, mode)
);
create index leg_changed on clearance.leg (changed_at);
create index leg_waiting on clearance.leg (mode) where waiting;

-- Which units a leg lists, to find it by container or wagon.
create table clearance.leg_unit (
  leg uuid not null references clearance.leg (key),
  kind text not null check (kind in ('container', 'wagon')),
  unit text not null,
  primary key (leg, kind, unit)
);
create index leg_unit_unit on clearance.leg_unit (unit);

-- The lists of a leg: the newest, and the earlier ones it replaced.
create table clearance.leg_list (
  leg uuid not null references clearance.leg (key),
  list_version integer not null,
  content jsonb not null,
  warnings jsonb not null default '[]',
  taken_at timestamptz not null default now(),
  primary key (leg, list_version)
);

-- Other records of the post and of the partner: reloadings, arrivals, discrepancies, consignment notes.
create table clearance.rail_record (
  key uuid primary key,
  mode text not null check (mode in ('test', 'live')),
  direction text not null check (direction in ('home', 'partner')),
  partner text,
  record text not null check (record in ('reloading', 'arrival', 'discrepancy', 'consignment-note')),
  identity text not null,
  content_digest text not null,
  content jsonb not null,
  warnings jsonb not null default '[]',
  message uuid,
  -- Recorded while the channel was closed: the partner is told when it opens.
  waiting boolean not null default false,
  taken_at timestamptz not null default now(),
  unique (identity, record, direction, mode)
);
create index rail_record_waiting on clearance.rail_record (mode) where waiting;
create index rail_record_note on clearance.rail_record (upper(content #>> '{note,number}'))
  where record = 'consignment-note';

-- What each train drew from a temporary declaration.
create table clearance.draw (
  declaration uuid not null references clearance.declaration (key),
  leg uuid not null references clearance.leg (key),
  net_mass numeric(22, 6) not null,
  units integer not null,
  unweighed_units integer not null,
  primary key (declaration, leg)
);

do $$
declare
  payload text;
begin
  foreach payload in array array[
    'submission_record', 'declaration', 'declaration_version', 'declaration_unit', 'received', 'received_unit',
    'received_version', 'leg', 'leg_unit', 'leg_list', 'rail_record', 'draw'
  ] loop
    execute format('alter table clearance.%I enable row level security', payload);
    execute format('alter table clearance.%I force row level security', payload);
    execute format(
      'create policy actor_named on clearance.%I using (platform.actor_present()) with check (platform.actor_present())',
      payload
    );
  end loop;
end
$$;

-- What was handed over and what came is kept as it was; what was decided about it, and how it stands, changes.
grant select, insert on all tables in schema clearance to dostyk_app;
grant update on clearance.submission, clearance.declaration, clearance.received, clearance.leg, clearance.rail_record to dostyk_app;
grant update (outcome, ground, clause, left_out, decided, warnings, message) on clearance.declaration_version to dostyk_app;
grant delete on clearance.leg_unit, clearance.declaration_unit, clearance.received_unit, clearance.draw to dostyk_app;
