/** What a stable code is: the rules' no, a warning that travels with a record, or a ground for leaving data out. */
export type CodeKind = 'refusal' | 'warning' | 'ground' | 'fault'

/**
 * One room's closed list of codes. `means` says for developers what happened; the sentences that people read stand in
 * the catalogues, one per language, and a test checks that list and catalogues agree both ways.
 */
export type CodeList = Readonly<Record<string, { readonly kind: CodeKind; readonly means: string }>>
