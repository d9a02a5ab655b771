-- Who may call the systems' interface: tokens, kept as hashes, with their scopes.
create schema access;
grant usage on schema access to dostyk_app;

create table access.token (
  id uuid primary key,
  name text not null unique,
  -- SHA-256 of the secret: the secret itself is shown once and kept nowhere.
  secret_digest text not null unique,
  scopes text[] not null,
  requests_per_minute integer not null check (requests_per_minute between 1 and 1000000),
  created_at timestamptz not null default now(),
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by text,
  last_used_at timestamptz
);

grant select, insert on access.token to dostyk_app;
grant update (revoked_at, revoked_by, last_used_at) on access.token to dostyk_app;
