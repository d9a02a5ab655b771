-- What people put on record about the law: the Technical Conditions and who approved them, what the working group
-- decided, readings of a term, notices, and how far the channel with each partner is opened. The law itself stands in
-- the treaty files. Everything here is history: the node adds, and can neither change nor remove.
create schema law;
grant usage on schema law to dostyk_app;

-- Each row is a version of the Technical Conditions as registered; the highest revision of a version is the one in use.
create table law.conditions (
  agreement text not null,
  version text not null check (version ~ '^\d{1,3}\.\d{1,3}$'),
  revision integer not null check (revision >= 1),
  body_digest text not null check (length(body_digest) = 43),
  -- [{name, digest, approvedBy: heads | working-group}]
  annexes jsonb not null check (jsonb_typeof(annexes) = 'array'),
  valid_from date not null,
  valid_until date check (valid_until >= valid_from),
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (agreement, version, revision)
);

create table law.working_group_decision (
  agreement text not null,
  reference text not null check (reference <> ''),
  kind text not null check (kind in ('established', 'content', 'technology', 'protection', 'conditions', 'annex', 'other')),
  decided_on date not null,
  version text,
  annex text,
  digest text check (length(digest) = 43),
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (agreement, reference),
  check (kind not in ('conditions', 'annex') or (version is not null and digest is not null)),
  check ((kind = 'annex') = (annex is not null))
);

-- annex is empty for the body.
create table law.head_approval (
  agreement text not null,
  version text not null,
  annex text not null default '',
  side text not null check (side ~ '^[A-Z]{2}$'),
  digest text not null check (length(digest) = 43),
  person text not null check (person <> ''),
  post text not null check (post <> ''),
  approved_on date not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (agreement, version, annex, side, digest)
);

-- The reading of an agreement's term that is followed; the highest number is the one in use.
create table law.term_reading (
  agreement text not null,
  number integer not null check (number >= 1),
  reading text not null,
  reason text not null check (reason <> ''),
  digest text not null check (length(digest) = 43),
  -- [{id, at}] of the two persons
  persons jsonb not null check (jsonb_array_length(persons) >= 2),
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (agreement, number)
);

create table law.termination_notice (
  agreement text not null,
  reference text not null check (reference <> ''),
  side text not null check (side ~ '^[A-Z]{2}$'),
  notified_on date not null,
  effective_on date,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (agreement, reference)
);

-- The highest number is the state in use; without a row the channel is closed. The number lets one of two changes at
-- once win and the other look again.
create table law.channel_state (
  partner text not null,
  agreement text not null,
  number integer not null check (number >= 1),
  from_state text not null check (from_state in ('closed', 'test', 'production', 'suspended')),
  to_state text not null check (to_state in ('closed', 'test', 'production', 'suspended')),
  reason text not null check (reason <> ''),
  -- The digest of what was opened, and [{id, at}] of the two persons.
  digest text check (length(digest) = 43),
  persons jsonb check (jsonb_array_length(persons) >= 2),
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (partner, agreement, number),
  check (to_state <> 'production' or (digest is not null and persons is not null))
);

grant select, insert on law.conditions, law.working_group_decision, law.head_approval, law.term_reading,
  law.termination_notice, law.channel_state to dostyk_app;
