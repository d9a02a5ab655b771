/** Readable pages of the interface, made from its OpenAPI document: what it answers is what it says of itself. */
import { type Html, html, type Reader, readerOf, sendPage, table } from '../http/html.ts'
import type { HttpServer } from '../http/server.ts'
import { scopes } from '../identity/tokens.ts'
import { version } from '../version.ts'

const documentPath = '/api/v1/openapi.json'
const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

interface Schema {
  readonly type?: string | readonly string[]
  readonly $ref?: string
  readonly description?: string
  readonly format?: string
  readonly pattern?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly security?: ReadonlyArray<Readonly<Record<string, readonly string[]>>>
  readonly parameters?: ReadonlyArray<{
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: Schema
  }>
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

interface OpenApi {
  readonly info: { readonly description?: string }
  readonly tags?: ReadonlyArray<{ readonly name: string; readonly description?: string }>
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Listed {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export function registerDocsPage(app: HttpServer): void {
  app.get('/api/v1/docs', { schema: { hide: true } }, async (request, reply) => {
    const reader = readerOf(request)
    const content = docsContent(reader, app.swagger() as unknown as OpenApi)
    return sendPage(reply, reader, { title: reader.text('docsTitle'), path: '/api/v1/docs', content, version })
  })
}

function docsContent(reader: Reader, document: OpenApi): Html {
  const { text, rich } = reader
  const operations = operationsOf(document)
  const tags = (document.tags ?? []).map((tag) => ({
    ...tag,
    operations: operations.filter(({ operation }) => operation.tags?.includes(tag.name)),
  }))
  return html`<p>${rich('docsLead', { path: html`<a href="${documentPath}">${documentPath}</a>` })}</p>
<p lang="en">${document.info.description}</p>

<h2>${text('docsAccess')}</h2>
<p>${text('docsAccessText')}</p>
${table(
  text('docsAccess'),
  [text('docsScope'), text('docsAllows')],
  Object.entries(scopes).map(([scope, allows]) => [
    html`<code>${scope}</code>`,
    html`<span lang="en">${allows}</span>`,
  ]),
  { empty: text('none'), underHeading: true },
)}
<h2>${text('docsProblems')}</h2>
<p>${text('docsProblemsText')}</p>

<h2>${text('docsContents')}</h2>
<nav aria-label="${text('docsContents')}">
<dl>${tags.map(
    (tag) =>
      html`<div><dt lang="en">${tag.name}</dt><dd>${tag.operations.map(
        (each) =>
          html`<div><a href="#${each.id}"><code>${each.method} ${each.path}</code></a> <span class="quiet" lang="en">${each.operation.summary}</span></div>`,
      )}</dd></div>`,
  )}</dl>
</nav>
${tags.map(
  (tag) => html`<h2 lang="en">${tag.name}</h2>
<p class="quiet" lang="en">${tag.description}</p>
${tag.operations.map((each) => operationContent(reader, each))}`,
)}`
}

function operationsOf(document: OpenApi): readonly Listed[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method): Listed[] => {
      const operation = item[method]
      if (!operation) return []
      return [{ id: operation.operationId ?? `${method}${path}`, method: method.toUpperCase(), path, operation }]
    }),
  )
}

function operationContent({ text }: Reader, { id, method, path, operation }: Listed): Html {
  const scope = operation.security?.flatMap((each) => Object.values(each).flat())[0]
  const parameters = operation.parameters ?? []
  const body = Object.entries(operation.requestBody?.content ?? {})
  const answers = Object.entries(operation.responses ?? {})
  return html`<section aria-labelledby="${id}">
<h3 id="${id}"><span class="method">${method}</span> <code>${path}</code></h3>
<p lang="en">${operation.summary}</p>
${operation.description ? html`<p class="quiet" lang="en">${operation.description}</p>` : null}
<p>${text('docsScope')}: ${scope ? html`<code>${scope}</code>` : text('docsNoScope')}</p>
${
  parameters.length > 0
    ? table(
        `${text('docsParameters')}: ${id}`,
        ['docsName', 'docsIn', 'docsForm', 'docsDescription'].map((key) => text(key)),
        parameters.map((each) => [
          html`<code>${each.name}</code>`,
          each.in,
          html`<span lang="en">${formOf(each.schema)}</span>${each.required ? html`, ${text('docsRequired')}` : null}`,
          html`<span lang="en">${each.description ?? each.schema?.description}</span>`,
        ]),
        { empty: text('none') },
      )
    : null
}
${body.map(([mediaType, { schema }]) => schemaContent(`${text('docsBody')}: ${id}, ${mediaType}`, text, schema))}
${answers
  .filter(([status]) => /^2/.test(status))
  .flatMap(([status, { description, content }]) =>
    Object.entries(content ?? {}).map(([mediaType, { schema }]) =>
      schema?.properties
        ? schemaContent(`${text('docsAnswers')}: ${id}, ${status}, ${mediaType}`, text, schema)
        : html`<p>${text('docsAnswers')}: ${status}, <code>${mediaType}</code> <span class="quiet" lang="en">${description}</span></p>`,
    ),
  )}
</section>`
}

function schemaContent(caption: string, text: Reader['text'], schema: Schema | undefined): Html {
  const rows = membersOf(schema ?? {}, '').map(({ name, schema: member, required }) => [
    html`<code>${name}</code>`,
    html`<span lang="en">${formOf(member)}</span>${required ? html`, ${text('docsRequired')}` : null}`,
    html`<span lang="en">${member.description}</span>`,
  ])
  if (rows.length === 0) return html`<p>${caption} <span lang="en">${formOf(schema)}</span></p>`
  return table(
    caption,
    ['docsName', 'docsForm', 'docsDescription'].map((key) => text(key)),
    rows,
    { empty: text('none') },
  )
}

/** The members of an object, those of nested objects and list items after it, by their path. */
function membersOf(
  schema: Schema,
  before: string,
): ReadonlyArray<{ readonly name: string; readonly schema: Schema; readonly required: boolean }> {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = `${before}${name}`
    const inner = member.anyOf?.find((each) => each.properties) ?? member
    const required = schema.required?.includes(name) ?? false
    const nested = inner.items ? membersOf(inner.items, `${path}[].`) : membersOf(inner, `${path}.`)
    return [{ name: path, schema: member, required }, ...nested]
  })
}

/** What a value looks like, in a few words. */
function formOf(schema: Schema | undefined): string {
  if (!schema) return 'any'
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? 'any'
  if (schema.const !== undefined) return `"${String(schema.const)}"`
  if (schema.enum) return schema.enum.map((each) => `"${String(each)}"`).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(formOf).join(' | ')
  if (schema.type === 'array') return `list of ${formOf(schema.items)}`
  const type = [schema.type ?? 'any'].flat().join(' | ')
  const bounds = [
    schema.format,
    schema.minimum === undefined ? undefined : `from ${schema.minimum}`,
    schema.maxLength === undefined ? undefined : `at most ${schema.maxLength} characters`,
  ].filter((each) => each !== undefined)
  return bounds.length === 0 ? type : `${type} (${bounds.join(', ')})`
}
