/** An ISO 3166-1 alpha-2 country code in capitals. */
export type CountryCode = string
/** An administration as it stands in signed objects: country and body, such as `KZ-KGD` or `CN-GACC`. */
export type AdministrationId = string

const ADMINISTRATION = /^([A-Z]{2})-([A-Z0-9]{2,14})$/

export function isAdministrationId(text: string): boolean {
  return ADMINISTRATION.test(text)
}

/** The country an administration acts for. The id must have been checked before. */
export function countryOf(administration: AdministrationId): CountryCode {
  return administration.slice(0, 2)
}
