/** A row type per table and view, generated from the migrations by `npm run row-types`. */
export interface Tables {
  'platform.migration': { number: number; name: string; sha256: string; applied_at: string }
}
