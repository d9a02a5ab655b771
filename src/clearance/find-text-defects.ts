/**
 * Says what in a name or description deceives the eye: hidden directions, invisible characters, letters of two scripts
 * in one word, and text that is not in composed form (NFC), where equal-looking names differ in bytes.
 */

export type TextDefect =
  | 'clearance/bidi-control'
  | 'clearance/invisible-character'
  | 'clearance/mixed-script'
  | 'clearance/not-nfc'

/** Plain ASCII and most Han or Cyrillic text ends here, at the price of one scan. */
const PLAIN = /^[\u0020-\u007e]*$/
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
const INVISIBLE =
  /[\u0080-\u009f\u00ad\u115f\u1160\u180e\u200b-\u200d\u2028\u2029\u2060-\u2064\u3164\ufeff\uffa0\u{e0000}-\u{e007f}]/u
const WORD = /[\p{L}\p{M}]+/gu
/** Scripts whose letters are taken for one another. */
const CONFUSABLE = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Georgian}/u,
]

export function findTextDefects(text: string): TextDefect[] {
  if (PLAIN.test(text)) return []
  const defects: TextDefect[] = []
  if (BIDI.test(text)) defects.push('clearance/bidi-control')
  if (INVISIBLE.test(text)) defects.push('clearance/invisible-character')
  if (mixesScripts(text)) defects.push('clearance/mixed-script')
  if (text.normalize('NFC') !== text) defects.push('clearance/not-nfc')
  return defects
}

function mixesScripts(text: string): boolean {
  if (CONFUSABLE.filter((script) => script.test(text)).length < 2) return false
  return (text.match(WORD) ?? []).some((word) => CONFUSABLE.filter((script) => script.test(word)).length > 1)
}
