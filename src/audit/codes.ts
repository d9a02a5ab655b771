import type { CodeList } from '../kernel/index.ts'

export const auditCodes = {
  'audit/position-invalid': { kind: 'refusal', means: 'the text names no place in the event feed' },
  'audit/chain-broken': { kind: 'refusal', means: 'the record has a gap or was changed at this position' },
  'audit/sequencer': { kind: 'fault', means: 'numbering committed entries failed and will be tried again' },
} as const satisfies CodeList
