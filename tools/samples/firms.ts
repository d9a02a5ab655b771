import type { NamedText, Party } from '../../src/clearance/model.ts'
import { newBin, newIin, newInn, uscc } from './identifiers.ts'
import { kk, ru, zh } from './places.ts'
import { Random } from './random.ts'

/** All firms are invented. Register numbers are well-formed and lie in ranges that the registers do not issue. */
const random = new Random(20210204)

function chinese(text: string): Party {
  return { name: zh(text), id: uscc(random.digits(7)), kind: 'company', country: 'CN' }
}
function kazakh(name: NamedText): Party {
  return { name, id: newBin(random), kind: 'company', country: 'KZ' }
}
function russian(text: string): Party {
  return { name: ru(text), id: newInn(random), kind: 'company', country: 'RU' }
}
function other(name: NamedText, country: string): Party {
  return { name, kind: 'company', country }
}

export const firms = {
  cars: chinese('西安云岭新能源汽车销售有限公司'),
  climate: chinese('陕西清岚制冷设备有限公司'),
  furniture: chinese('西安木禾家居有限公司'),
  tiles: chinese('铜川赤陶建材有限公司'),
  parts: chinese('宝鸡驰原汽配贸易有限公司'),
  solar: chinese('西安曜日光伏科技有限公司'),
  parcels: chinese('西安丝桥跨境电子商务有限公司'),
  postOffice: chinese('西安示例邮件交换站'),
  optics: chinese('西安测远光电仪器有限公司'),
  shoes: chinese('成都行云鞋业有限公司'),
  agents: [
    '西安驼铃外贸综合服务有限公司',
    '西安广陌进出口有限公司',
    '义乌顺陌供应链管理有限公司',
    '义乌百汇集拼贸易有限公司',
  ].map(chinese),
  laptops: chinese('重庆翼山计算机有限公司'),
  networks: chinese('重庆通渝网络设备有限公司'),
  gearboxes: chinese('重庆江津传动件有限公司'),
  chargers: chinese('重庆两渡电源科技有限公司'),
  toys: chinese('重庆童谷玩具有限公司'),
  batteries: chinese('重庆锂川储能有限公司'),
  medical: chinese('重庆仁渡医疗器械有限公司'),
  forwarderCn: chinese('渝新驿国际货运代理有限公司'),
  steel: chinese('义乌固业钢构有限公司'),
  cables: chinese('金华铜线电缆有限公司'),
  televisions: chinese('义乌视野电子有限公司'),
  footwear: chinese('温州步禾鞋业有限公司'),
  plastics: chinese('台州塑品日用有限公司'),
  excavators: chinese('徐州掘岳工程机械有限公司'),
  transitCn: chinese('连云港陆海过境物流有限公司'),
  grainCn: chinese('西安禾丰粮油进口有限公司'),
  smelterCn: chinese('新疆北麓铜业有限公司'),
  alloyCn: chinese('甘肃砾石铁合金贸易有限公司'),
  timberCn: chinese('阿拉山口松原木业有限公司'),
  paperCn: chinese('乌鲁木齐素笺纸业有限公司'),
  winesCn: chinese('成都琥珀酒业贸易有限公司'),
  pharmaCn: chinese('重庆百川医药有限公司'),
  pumpsCn: chinese('西安渭流泵业有限公司'),
  railCn: { id: '0033', kind: 'company', country: 'CN' },

  carsKz: kazakh(kk('«Жетіжол Авто» ЖШС')),
  climateKz: kazakh(ru('ТОО «Самал Климат»')),
  furnitureKz: kazakh(ru('ТОО «Ақүй Мебель»')),
  tilesKz: kazakh(ru('ТОО «Қыш Плитка»')),
  partsKz: kazakh(ru('ТОО «Доңғалақ Запчасть»')),
  bazaarKz: kazakh(kk('«Базаржолы» ЖШС')),
  solarKz: kazakh(kk('«Күншуақ Энерго» ЖШС')),
  opticsKz: kazakh(ru('ТОО «Көкжиек Прибор»')),
  entrepreneurKz: {
    name: ru('ИП «Аяқкиім Көктем»'),
    id: newIin(random),
    kind: 'individual-entrepreneur',
    country: 'KZ',
  },
  railKz: { id: '0027', kind: 'company', country: 'KZ' },
  steelKz: kazakh(ru('ТОО «Арқа Сталь Трейд»')),
  grain: kazakh(ru('ТОО «Торғай Астық Экспорт»')),
  concentrate: kazakh(ru('ТОО «Аягоз Медь»')),
  copper: kazakh(ru('АО «Балқаш Катод»')),
  alloy: kazakh(ru('ТОО «Хромтау Сплав»')),
  oil: kazakh(ru('ТОО «Шығыс Май»')),
  defence: kazakh(ru('АО «Сарыжаз Технология»')),

  timber: russian('ООО «Усть-Кутский сосновый двор»'),
  consolidatorRu: russian('ООО «Калуга Контейнер Сервис»'),
  gearboxesRu: russian('ООО «Редукторная база»'),
  chargersBy: other(ru('ООО «Минский блок питания»'), 'BY'),
  forwarderDe: other({ text: 'Rheinhafen Spedition Beispiel GmbH', language: 'de' }, 'DE'),
  forwarderPl: other({ text: 'Bugowa Spedycja Przykład Sp. z o.o.', language: 'pl' }, 'PL'),
  steelUz: other(ru('ООО «Чирчик Металл Курилиш»'), 'UZ'),
  tradeUz: other({ text: '«Anhor Savdo» MChJ', language: 'uz' }, 'UZ'),
  tradeKg: other(ru('ОсОО «Аламедин Соода»'), 'KG'),
  machinesKr: other({ text: '한빛고개기계 주식회사', language: 'ko' }, 'KR'),
  pulpSe: other({ text: 'Norrbacka Exempel Massa AB', language: 'sv' }, 'SE'),
  whisky: other({ text: 'Glen Nowhere Distillers Ltd', language: 'en' }, 'GB'),
  pharma: other({ text: 'Musterbach Arzneimittel GmbH', language: 'de' }, 'DE'),
  pumps: other({ text: 'Pumpenwerk Niemandsfeld GmbH', language: 'de' }, 'DE'),
} as const satisfies Record<string, Party | Party[]>
