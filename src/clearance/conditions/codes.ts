import type { CodeList } from '../../kernel/index.ts'

export const conditionsCodes = {
  'clearance/conditions-unreadable': {
    kind: 'fault',
    means: 'a file of the Technical Conditions package is missing, is not strict JSON or does not have its form',
  },
  'clearance/conditions-altered': {
    kind: 'fault',
    means: 'a file of the Technical Conditions package is not the one its published digest was made from',
  },
  'clearance/element-not-listed': {
    kind: 'warning',
    means: 'a body of this side holds an element that the agreed list does not know; it was left out before signing',
  },
  'clearance/element-not-agreed': {
    kind: 'warning',
    means: 'the partner sent an element that is switched off in the agreed list; it was left out of the record',
  },
} as const satisfies CodeList
