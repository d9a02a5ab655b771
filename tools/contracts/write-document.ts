import type {
  AnnexesIndexFile,
  CheckpointsFile,
  CodeListAnnex,
  ConditionsFile,
  DataItemsFile,
  DocumentLanguage,
  LockFile,
  MessageTerms,
  MethodFile,
  RegulationFile,
  RequirementsFile,
  RuleTerms,
  TextsFile,
} from '../../src/clearance/index.ts'

/** Everything a readable document is made from. */
export interface DocumentContent {
  readonly status: 'draft' | 'frozen'
  readonly bodyDigest: string
  readonly conditions: ConditionsFile
  readonly messages: readonly MessageTerms[]
  readonly rules: readonly RuleTerms[]
  readonly regulation: RegulationFile
  readonly method: MethodFile
  readonly requirements: RequirementsFile
  readonly lock: LockFile
  readonly annexes: AnnexesIndexFile['annexes']
  readonly dataItems: DataItemsFile
  readonly checkpoints: CheckpointsFile
  readonly codeLists: readonly CodeListAnnex[]
}

type Cell = string | number

/** A cell keeps to its cell: a bar or a line end in a text would break the table. */
const cellText = (cell: Cell) =>
  String(cell)
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ')
const code = (text: string) => `\`${text}\``

function table(heads: readonly string[], rows: ReadonlyArray<readonly Cell[]>): string {
  const line = (cells: readonly Cell[]) => `| ${cells.map(cellText).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

/** The word of a text, or an error that names it: a document with a hole must not come out. */
function wordOf(words: Readonly<Record<string, string>>, name: string, where: string): string {
  const word = words[name]
  if (word === undefined) throw new Error(`The texts lack ${where}.${name}`)
  return word
}

/**
 * Writes the readable document of a version in one language. The same content gives the same bytes.
 *
 * @throws Error when the texts lack a word
 */
export function writeDocument(content: DocumentContent, texts: TextsFile): string {
  const language: DocumentLanguage = texts.language
  const label = (name: string) => wordOf(texts.labels, name, 'labels')
  const value = (name: string) => wordOf(texts.values, name, 'values')
  const yes = (is: boolean) => value(is ? 'yes' : 'no')
  const list = (items: readonly string[]) => (items.length === 0 ? value('none') : items.join(', '))
  const source = (text: string) => (text === 'default, not treaty' ? value('default') : text)
  const paragraphs = (name: string) => {
    const found = texts.paragraphs[name]
    if (!found) throw new Error(`The texts lack paragraphs.${name}`)
    return found.join('\n\n')
  }
  const parametersOf = (parameters: Readonly<Record<string, unknown>> | undefined) =>
    Object.entries(parameters ?? {})
      .map(([name, parameter]) => `${name} = ${[parameter].flat().join(', ')}`)
      .join('; ')

  const regulationValue = (name: keyof RegulationFile): string => {
    const { regulation } = content
    if (name === 'goals')
      return regulation.goals.value
        .map(({ percent, minutesBeforeHandOver }) =>
          value('goal').replace('{percent}', String(percent)).replace('{minutes}', String(minutesBeforeHandOver)),
        )
        .join('; ')
    if (name === 'systemHours') {
      const { days, from, to } = regulation.systemHours.value
      return `${value(days)} ${from}–${to}`
    }
    if (name === 'contactHours') {
      const { days, from, to, zones } = regulation.contactHours.value
      return `${value(days)} ${from}–${to} (${zones.map((at) => `${at.administration}: ${at.zone}`).join(', ')})`
    }
    if (name === 'sendAfter' || name === 'retryJitter') return value(regulation[name].value)
    return String(regulation[name].value)
  }

  const validity = (from: string | null, until: string | null) =>
    from === null && until === null
      ? value('withoutBound')
      : [from && `${value('from')} ${from}`, until && `${value('until')} ${until}`].filter(Boolean).join(' ')

  const requirementsOf = (section: 'software' | 'hardware' | 'protection') =>
    table(
      [label('requirement'), label('parameters'), label('source')],
      content.requirements.requirements
        .filter((requirement) => requirement.section === section)
        .map(({ id, parameters, source: from }) => [
          wordOf(texts.requirements, id, 'requirements'),
          parametersOf(parameters),
          source(from),
        ]),
    )

  const { conditions, lock } = content
  const approvalRow = (side: string): Cell[] => [side, '', '', '', '', '']
  const parts = [
    `# ${texts.title}`,
    `${label('version')} ${conditions.version} · ${label(content.status)}`,
    `${label('bodyDigest')}: ${code(content.bodyDigest)}`,
    paragraphs('preface'),
    `## 1. ${label('general')}`,
    paragraphs('general'),
    conditions.sides
      .map((side) => `- **${side.administration}** — ${side.party[language]}; ${side.authorisedBody[language]}`)
      .join('\n'),
    `### ${label('content')}`,
    table(
      [label('subject'), label('clauses'), label('files')],
      conditions.content.map(({ subject, clauses, files }) => [
        wordOf(texts.subjects, subject, 'subjects'),
        list(clauses),
        files.map(code).join(', '),
      ]),
    ),
    `### ${label('standards')}`,
    table(
      [label('name'), label('edition'), label('usedFor'), label('source')],
      conditions.standards.map((standard) => [
        standard.name,
        standard.edition === 'not fixed' ? '–' : standard.edition,
        standard.usedFor[language],
        source(standard.source),
      ]),
    ),
    `## 2. ${label('messages')}`,
    paragraphs('messages'),
    table(
      [label('type'), label('version'), label('name'), label('holds'), label('schema')],
      content.messages.map(({ type, version, schema }) => {
        const words = texts.messages[type]
        if (!words) throw new Error(`The texts lack messages.${type}`)
        return [type, version, words.name, words.holds, code(`${schema}.schema.json`)]
      }),
    ),
    table(
      [
        label('type'),
        label('clauses'),
        label('listed'),
        label('sentBy'),
        label('about'),
        label('answered'),
        label('functionCode'),
        label('priority'),
        label('expiryDays'),
      ],
      content.messages.map((terms) => [
        terms.type,
        list(terms.legalBasis),
        yes(terms.onlyIfListed),
        value(terms.sentBy),
        list(terms.about),
        yes(terms.answered),
        terms.functionCode ?? value('none'),
        terms.priority,
        terms.expiryDays,
      ]),
    ),
    `## 3. ${label('rules')}`,
    paragraphs('rules'),
    table(
      [label('code'), label('level'), label('meaning'), label('parameters'), label('clauses')],
      content.rules.map((rule) => [
        code(rule.code),
        value(rule.level),
        wordOf(texts.rules, rule.code, 'rules'),
        parametersOf(rule.parameters),
        (rule.clauses ?? []).join(', '),
      ]),
    ),
    `## 4. ${label('regulation')}`,
    paragraphs('regulation'),
    table(
      [label('subject'), label('value'), label('source')],
      Object.entries(content.regulation).map(([name, stated]) => [
        wordOf(texts.regulation, name, 'regulation'),
        regulationValue(name as keyof RegulationFile),
        source(stated.source),
      ]),
    ),
    `## 5. ${label('method')}`,
    paragraphs('method'),
    table(
      [label('channel'), label('enabled'), label('protocol'), label('transport'), label('clauses')],
      content.method.channels.map((channel) => [
        value(channel.channel),
        yes(channel.enabled),
        `${channel.protocol} ${channel.protocolVersion}`,
        list(channel.transport),
        list(channel.clauses),
      ]),
    ),
    `## 6. ${label('requirements')}`,
    paragraphs('requirements'),
    `### ${label('software')}`,
    requirementsOf('software'),
    `### ${label('hardware')}`,
    requirementsOf('hardware'),
    `### ${label('protection')}`,
    requirementsOf('protection'),
    `### ${label('retention')}`,
    table(
      [label('class'), label('years'), label('source')],
      content.requirements.retention.map((kept) => [kept.class, kept.years, source(kept.source)]),
    ),
    `### ${label('nationalSuites')}`,
    ...content.requirements.nationalSuitesRequired.map((suite) => `- ${suite}`),
    paragraphs('nationalSuites'),
    `## 7. ${label('lock')}`,
    paragraphs('lock'),
    table(
      [label('channel'), label('enabled'), label('meaning'), label('clauses')],
      [
        [
          value('lock'),
          yes(lock.enabled),
          lock.enabled
            ? `${lock.layout.name} ${lock.layout.version}, ${code(lock.layout.digest)}`
            : wordOf(texts.reasons, lock.reason, 'reasons'),
          list(lock.clauses),
        ],
      ],
    ),
    `## 8. ${label('annexes')}`,
    paragraphs('annexes'),
    table(
      [label('annex'), label('edition'), label('digest')],
      content.annexes.map(({ name, edition, digest }) => [name, edition, code(digest)]),
    ),
    `### ${label('dataItems')}`,
    paragraphs('dataItems'),
    ...dataItemTables(content, texts),
    `### ${label('checkpoints')}`,
    paragraphs('checkpoints'),
    table(
      [
        label('checkpoint'),
        label('country'),
        label('station'),
        label('esr'),
        label('unLocode'),
        label('gauge'),
        label('offices'),
        label('validity'),
      ],
      content.checkpoints.checkpoints.flatMap(({ id, places, validFrom, validUntil }) =>
        places.map((place) => [
          id,
          place.country,
          place.name[language],
          place.esr ?? '',
          place.unLocode ?? '',
          place.gauge,
          place.customsOffices.map((at) => (at.confirmed ? at.id : `${at.id} (${value('unconfirmed')})`)).join(', '),
          validity(validFrom, validUntil),
        ]),
      ),
    ),
    `### ${label('codeLists')}`,
    paragraphs('codeLists'),
    table(
      [label('name'), label('edition'), label('asOf'), label('entries'), label('source')],
      content.codeLists.map((codes) => [
        code(codes.list),
        codes.edition,
        codes.asOf,
        codes.codes?.length ?? codes.entries?.length ?? 0,
        codes.source,
      ]),
    ),
    `## 9. ${label('amendment')}`,
    paragraphs('amendment'),
    `## 10. ${label('approval')}`,
    paragraphs('approval'),
    table(
      [label('side'), label('person'), label('post'), label('date'), label('approvedDigest'), label('signature')],
      conditions.sides.map((side) => approvalRow(side.administration)),
    ),
  ]
  return `${parts.join('\n\n')}\n`
}

/** One table per body. An element within one that is off is off with it. */
function dataItemTables({ dataItems, messages }: DocumentContent, texts: TextsFile): string[] {
  const label = (name: string) => wordOf(texts.labels, name, 'labels')
  const value = (name: string) => wordOf(texts.values, name, 'values')
  const off = dataItems.items.filter(({ on }) => !on).map(({ schema, path }) => `${schema}${path}`)
  const isOn = (place: string) => !off.some((closed) => place === closed || place.startsWith(`${closed}/`))
  return [...new Set(dataItems.items.map(({ schema }) => schema))].flatMap((schema) => [
    `#### ${code(schema)}: ${messages
      .filter((terms) => terms.schema === schema)
      .map(({ type }) => type)
      .join(', ')}`,
    table(
      [
        label('element'),
        label('wcoId'),
        label('wcoDmVersion'),
        label('presence'),
        label('state'),
        label('group'),
        label('decision'),
        label('description'),
      ],
      dataItems.items
        .filter((item) => item.schema === schema)
        .map((item) => [
          code(item.path),
          item.wcoId ?? '',
          item.wcoDmVersion ?? '',
          value(item.presence),
          value(isOn(`${item.schema}${item.path}`) ? 'on' : 'off'),
          item.group ?? '',
          item.decisionRef ?? '',
          item.description[texts.language],
        ]),
    ),
  ])
}
