import type { NamedText, Station } from '../../src/clearance/model.ts'

export const zh = (text: string): NamedText => ({ text, language: 'zh' })
export const ru = (text: string): NamedText => ({ text, language: 'ru' })
export const kk = (text: string): NamedText => ({ text, language: 'kk' })
export const en = (text: string): NamedText => ({ text, language: 'en' })

/** ESR codes stand only where a published list gives them with a right check digit; other stations go by name. */
export const stations = {
  dostyk: { esr: '708507', unLocode: 'KZDOS', name: ru('Достык (эксп.)'), country: 'KZ' },
  altynkol: { esr: '707701', name: ru('Алтынколь (эксп.)'), country: 'KZ' },
  saryagash: { esr: '704101', unLocode: 'KZSRY', name: ru('Сарыагаш (эксп.)'), country: 'KZ' },
  lugovaya: { esr: '704402', name: ru('Луговая (эксп.)'), country: 'KZ' },
  iletsk: { esr: '666501', name: ru('Илецк I (эксп.)'), country: 'KZ' },
  keles: { esr: '720104', name: ru('Келес (эксп.)'), country: 'UZ' },
  almaty: { unLocode: 'KZALA', name: ru('Алматы I'), country: 'KZ' },
  kostanay: { name: ru('Костанай'), country: 'KZ' },
  aktogay: { name: ru('Актогай'), country: 'KZ' },
  alashankou: { unLocode: 'CNAKL', name: zh('阿拉山口'), country: 'CN' },
  khorgos: { unLocode: 'CNHRS', name: zh('霍尔果斯'), country: 'CN' },
  xian: { name: zh('新筑'), country: 'CN' },
  chongqing: { unLocode: 'CNCQI', name: zh('团结村'), country: 'CN' },
  urumqi: { unLocode: 'CNURM', name: zh('乌西'), country: 'CN' },
  yiwu: { unLocode: 'CNYIU', name: zh('义乌西'), country: 'CN' },
  duisburg: { unLocode: 'DEDUI', name: { text: 'Duisburg', language: 'de' }, country: 'DE' },
  malaszewicze: { unLocode: 'PLMAA', name: { text: 'Małaszewicze', language: 'pl' }, country: 'PL' },
  minsk: { unLocode: 'BYMSQ', name: ru('Колядичи'), country: 'BY' },
  vorsino: { name: ru('Ворсино'), country: 'RU' },
  siberia: { name: ru('Лена-Восточная'), country: 'RU' },
  tashkent: { name: ru('Чукурсай'), country: 'UZ' },
  bishkek: { unLocode: 'KGFRU', name: ru('Аламедин'), country: 'KG' },
} as const satisfies Record<string, Station>

/** Offices in the style of each side's numbering; only 55300 (Dostyk) and 55302 (Korgas) were seen in a source. */
export const offices = {
  xian: '9001',
  chongqing: '8001',
  yiwu: '2925',
  lianyungang: '2301',
  alashankou: '9404',
  khorgos: '9402',
  dostyk: '55300',
  korgas: '55302',
  kostanay: '51101',
  balkhash: '51207',
  irkutsk: '10607040',
} as const
