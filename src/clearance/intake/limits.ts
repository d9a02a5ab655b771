/** What the intake reads at most. A limit costs the record that breaks it, never its neighbours. */
export interface IntakeLimits {
  /** Largest line of a line format, and largest element of a JSON array. */
  readonly lineBytesMax: number
  /** Largest document that is one record: XML, or a JSON object over several lines. */
  readonly documentBytesMax: number
  /** Deepest nesting of JSON and XML. */
  readonly depthMax: number
  /** Most JSON values or XML elements of one record. */
  readonly valuesMax: number
  /** Largest text or attribute of XML, in UTF-16 units. */
  readonly textLengthMax: number
  /** Most CSV rows of one record. */
  readonly rowsMax: number
  /** How many bytes of finished CSV records wait for rows that may stand apart from them. */
  readonly waitingBytesMax: number
  /** Most values in one CSV cell. */
  readonly cellValuesMax: number
  /** Most problems, and most notes, listed for one record. */
  readonly problemsMax: number
  /** How much is kept of a record that is over its size limit. */
  readonly excerptBytesMax: number
}

const MiB = 1024 * 1024

export const defaultLimits: IntakeLimits = {
  lineBytesMax: 4 * MiB,
  documentBytesMax: 16 * MiB,
  depthMax: 64,
  valuesMax: 250_000,
  textLengthMax: 65_536,
  rowsMax: 10_000,
  waitingBytesMax: 4 * MiB,
  cellValuesMax: 1000,
  problemsMax: 200,
  excerptBytesMax: 65_536,
}
