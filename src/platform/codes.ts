import type { CodeList } from '../kernel/codes.ts'

/** The faults of the outside: what failed in the world, not in what somebody submitted. */
export const platformCodes = {
  'platform/postgres-missing': { kind: 'fault', means: 'the package that brings PostgreSQL is not installed' },
  'platform/postgres-unusable': { kind: 'fault', means: 'the PostgreSQL programs do not run on this machine' },
  'platform/postgres-no-user': { kind: 'fault', means: 'started as root where no ordinary user exists' },
  'platform/postgres-init-failed': { kind: 'fault', means: 'the data folder could not be made' },
  'platform/postgres-start-failed': { kind: 'fault', means: 'the embedded server did not start' },
  'platform/postgres-will-not-stop': { kind: 'fault', means: 'the embedded server does not end' },
  'platform/postgres-in-use': { kind: 'fault', means: 'another process uses the embedded server of this folder' },
  'platform/postgres-version': { kind: 'fault', means: 'the data folder or server is of an unsupported version' },
  'platform/postgres-secret-lost': { kind: 'fault', means: 'the file that opens the data folder is gone' },
  'platform/database-url': { kind: 'fault', means: 'the address of the database cannot be read' },
  'platform/database-unavailable': { kind: 'fault', means: 'the database cannot be reached or ended the connection' },
  'platform/database-refused': { kind: 'fault', means: 'the database does not let this login in' },
  'platform/database-busy': { kind: 'fault', means: 'a statement or a lock took longer than allowed' },
  'platform/database-full': { kind: 'fault', means: 'the database has no room left' },
  'platform/database-role': { kind: 'fault', means: 'the role dostyk_app is missing, too strong, or not granted' },
  'platform/database-rights': { kind: 'fault', means: 'the owner login lacks a right that migrations need' },
  'platform/database-encoding': { kind: 'fault', means: 'the database does not keep text as UTF-8' },
  'platform/database-newer': { kind: 'fault', means: 'the database was migrated by a newer version' },
  'platform/migration-changed': { kind: 'fault', means: 'a migration that was applied differs from the file' },
  'platform/migration-failed': { kind: 'fault', means: 'a migration was rolled back by an error' },
  'platform/keys-missing': { kind: 'fault', means: 'a key file is not where it should be' },
  'platform/keys-locked': { kind: 'fault', means: 'the passphrase does not open a key file, or it is damaged' },
  'platform/keys-exist': { kind: 'fault', means: 'keys would be overwritten' },
  'platform/passphrase-weak': { kind: 'fault', means: 'the passphrase for new keys is too short' },
} as const satisfies CodeList
