import type { CodeList } from '../kernel/codes.ts'

export const auditCodes = {
  'audit/position-invalid': { kind: 'refusal', means: 'the text names no place in the event feed' },
  'audit/chain-broken': { kind: 'refusal', means: 'the record has a gap or was changed at this position' },
} as const satisfies CodeList
