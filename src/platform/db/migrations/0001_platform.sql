-- The ground that every room's tables stand on: the test that opens payload tables, and the audit record. The role
-- dostyk_app, which receives every right the node has, and the schema platform exist before this runs. A room's own
-- migration makes its schema and grants the node what it needs there, and no more.

grant usage on schema platform to dostyk_app;
grant select on platform.migration to dostyk_app;

create schema audit;
grant usage on schema audit to dostyk_app;

-- True inside a transaction that has said who acts and for what purpose. Payload tables are under FORCE row-level
-- security with `using ((select platform.actor_present()))`; the inner select makes it one call for a whole statement.
create function platform.actor_present() returns boolean
  language sql stable parallel safe
  return coalesce(current_setting('dostyk.actor', true), '') <> ''
    and coalesce(current_setting('dostyk.purpose', true), '') <> '';

-- What a transaction did, written in that transaction and not yet numbered. The node can only add here.
create table audit.unnumbered (
  id uuid not null,
  at timestamptz not null,
  salt bytea not null check (octet_length(salt) = 16),
  subjects text[] not null,
  content text not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
grant insert on audit.unnumbered to dostyk_app;

-- The record itself: numbered without gaps, each line bound to the one before. The node can only read here.
--   leaf  = SHA-256(0x00 || salt || content)                 an RFC 6962 leaf of the salted content
--   chain = SHA-256(0x01 || chain of the position before || leaf), the first on 32 zero bytes
create table audit.entry (
  position bigint primary key check (position > 0),
  id uuid not null unique,
  at timestamptz not null,
  salt bytea not null check (octet_length(salt) = 16),
  subjects text[] not null,
  content text not null,
  leaf bytea not null check (octet_length(leaf) = 32),
  chain bytea not null check (octet_length(chain) = 32)
);
create index entry_subjects on audit.entry using gin (subjects);
grant select on audit.entry to dostyk_app;

-- Numbers committed entries in the order (at, id) among those visible, and binds them into the chain.
-- Only one session at a time works; another gets null. It runs with the owner's rights, so that the node, which can
-- neither change a numbered entry nor remove an unnumbered one, can have them numbered in this one way only.
create function audit.number_entries(entries_max integer) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  next record;
  last_position bigint;
  last_chain bytea;
  next_leaf bytea;
  numbered integer := 0;
begin
  if not pg_try_advisory_xact_lock(7305443002) then
    return null;
  end if;
  select position, chain into last_position, last_chain from audit.entry order by position desc limit 1;
  last_position := coalesce(last_position, 0);
  last_chain := coalesce(last_chain, decode(repeat('00', 32), 'hex'));
  for next in
    with taken as (
      delete from audit.unnumbered
      where ctid = any (array(select ctid from audit.unnumbered order by at, id limit entries_max))
      returning *
    )
    select * from taken order by at, id
  loop
    last_position := last_position + 1;
    next_leaf := sha256('\x00'::bytea || next.salt || convert_to(next.content, 'UTF8'));
    last_chain := sha256('\x01'::bytea || last_chain || next_leaf);
    insert into audit.entry (position, id, at, salt, subjects, content, leaf, chain)
      values (last_position, next.id, next.at, next.salt, next.subjects, next.content, next_leaf, last_chain);
    numbered := numbered + 1;
  end loop;
  if numbered > 0 then
    perform pg_notify('dostyk_events', last_position::text);
  end if;
  return numbered;
end
$$;
revoke execute on function audit.number_entries(integer) from public;
grant execute on function audit.number_entries(integer) to dostyk_app;
