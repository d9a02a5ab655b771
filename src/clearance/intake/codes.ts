import type { CodeList } from '../../kernel/index.ts'

/** Why a record was not taken (refusal), or what was read in another way than it stood (warning). */
export const intakeCodes = {
  'intake/empty': { kind: 'refusal', means: 'The submission holds no record' },
  'intake/format-unknown': { kind: 'refusal', means: 'The content is in none of the documented formats' },
  'intake/encoding': { kind: 'refusal', means: 'The bytes are not UTF-8' },
  'intake/nul-byte': { kind: 'refusal', means: 'The record holds a NUL byte' },
  'intake/line-too-large': { kind: 'refusal', means: 'A line, or one element of an array, is over its size limit' },
  'intake/document-too-large': { kind: 'refusal', means: 'A single document is over its size limit' },
  'intake/too-many-values': { kind: 'refusal', means: 'A single document holds more values or elements than are read' },

  'intake/json-syntax': { kind: 'refusal', means: 'The record is not JSON' },
  'intake/json-too-deep': { kind: 'refusal', means: 'The JSON is nested deeper than is read' },
  'intake/json-duplicate-key': { kind: 'refusal', means: 'An object names one member twice' },
  'intake/json-forbidden-key': { kind: 'refusal', means: 'An object has a member named __proto__' },
  'intake/json-lossy-number': { kind: 'refusal', means: 'A number is too large or too long to mean anything' },
  'intake/json-too-large': { kind: 'refusal', means: 'The JSON text is over its length limit' },
  'intake/json-lone-surrogate': { kind: 'refusal', means: 'A string is not well-formed Unicode' },
  'intake/array-unfinished': { kind: 'refusal', means: 'The array ends before its closing bracket' },
  'intake/array-broken': { kind: 'refusal', means: 'The array cannot be split into elements from here on' },
  'intake/trailing-content': { kind: 'refusal', means: 'Something stands after the end of the document' },
  'intake/record-not-object': { kind: 'refusal', means: 'The record is not a JSON object' },
  'intake/record-unknown': { kind: 'refusal', means: 'The JSON object is a record of no documented format' },

  'intake/xml-syntax': { kind: 'refusal', means: 'The document is not well-formed XML with namespaces' },
  'intake/xml-dtd': { kind: 'refusal', means: 'The XML carries a document type declaration' },
  'intake/xml-encoding': { kind: 'refusal', means: 'The XML declares an encoding other than UTF-8' },
  'intake/xml-instruction': { kind: 'refusal', means: 'The XML carries a processing instruction' },
  'intake/xml-too-deep': { kind: 'refusal', means: 'The XML is nested deeper than is read' },
  'intake/xml-text-too-large': { kind: 'refusal', means: 'One text or attribute of the XML is over its size limit' },
  'intake/xml-mixed-content': { kind: 'refusal', means: 'An element holds both text and other elements' },
  'intake/namespace-unknown': { kind: 'refusal', means: 'The root element is in a namespace that is not taken' },

  'intake/csv-column-unknown': { kind: 'refusal', means: 'The header names a column that is not documented' },
  'intake/csv-column-missing': { kind: 'refusal', means: 'The header lacks a column that every row needs' },
  'intake/csv-column-repeated': { kind: 'refusal', means: 'The header names one column twice' },
  'intake/csv-row-shape': { kind: 'refusal', means: 'The row has more or fewer cells than the header' },
  'intake/csv-quote': { kind: 'refusal', means: 'A quotation mark is not closed, or stands where none may' },
  'intake/csv-rows-disagree': { kind: 'refusal', means: 'Rows of one record differ in a value they must share' },
  'intake/csv-row-doubtful': { kind: 'refusal', means: 'An unreadable row beside this record may belong to it' },
  'intake/csv-rows-apart': {
    kind: 'refusal',
    means: 'Rows of this record stand elsewhere in the table; put the rows of a record together',
  },
  'intake/too-many-rows': { kind: 'refusal', means: 'One record spreads over more rows than are read' },

  'intake/message-not-taken': { kind: 'refusal', means: 'The message is of a known type that is not taken in here' },
  'intake/not-an-export-declaration': {
    kind: 'refusal',
    means: 'The declaration is neither for export nor for transit',
  },
  'intake/partial-amendment': {
    kind: 'refusal',
    means: 'The amendment holds changed parts only; a whole version is needed',
  },
  'intake/message-type-disagrees': { kind: 'refusal', means: 'The message type inside differs from the root element' },
  'intake/leg-not-determined': {
    kind: 'refusal',
    means: 'The list does not tell one leg: its stations are missing or differ',
  },

  'intake/element-missing': {
    kind: 'refusal',
    means: 'An element without which the record cannot be identified is missing',
  },
  'intake/element-unknown': { kind: 'refusal', means: 'Our own format has no element of this name here' },
  'intake/element-repeated': { kind: 'refusal', means: 'An element that may stand once stands more than once' },
  'intake/type-wrong': { kind: 'refusal', means: 'The value is of another kind than expected' },
  'intake/format-wrong': { kind: 'refusal', means: 'The value is not in the expected format' },
  'intake/too-long': { kind: 'refusal', means: 'The text is longer than the element holds' },
  'intake/too-short': { kind: 'refusal', means: 'The text is empty or shorter than the element needs' },
  'intake/too-many': { kind: 'refusal', means: 'The list has more members than the element holds' },
  'intake/too-few': { kind: 'refusal', means: 'The list or group has fewer members than it needs' },
  'intake/out-of-range': { kind: 'refusal', means: 'The number is below or above what the element holds' },
  'intake/value-not-listed': { kind: 'refusal', means: 'The value is not one of the listed ones' },
  'intake/decimal-comma': { kind: 'refusal', means: 'A decimal is written with a comma; write a point' },
  'intake/date-not-in-calendar': { kind: 'refusal', means: 'No calendar has this date or time' },
  'intake/unit-not-taken': { kind: 'refusal', means: 'The unit of measure cannot be converted' },
  'intake/control-character': { kind: 'refusal', means: 'The text holds control characters' },
  'intake/invisible-character': {
    kind: 'refusal',
    means: 'An identifier holds invisible or direction-changing characters',
  },
  'intake/sequence-repeated': { kind: 'refusal', means: 'Two items of one declaration have the same number' },
  'intake/more-problems': { kind: 'refusal', means: 'The record has more problems than are listed' },

  'intake/value-normalised': { kind: 'warning', means: 'A value was read in its standard spelling' },
  'intake/date-read-as-instant': {
    kind: 'warning',
    means: 'A date without a time was read as the start of that day at home',
  },
  'intake/element-left-out': {
    kind: 'warning',
    means: 'A readable element has no place in the record and was left out',
  },
  'intake/value-inferred': { kind: 'warning', means: 'A value the format leaves out was taken from elsewhere' },
  'intake/elements-not-carried': {
    kind: 'warning',
    means: 'How many elements of the source the record does not carry',
  },
} as const satisfies CodeList

export type IntakeCode = keyof typeof intakeCodes
