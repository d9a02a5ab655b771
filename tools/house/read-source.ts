import ts from 'typescript'

/** One import, re-export or dynamic import of a file. */
export interface SourceImport {
  readonly specifier: string
  readonly names: readonly string[]
  /** Erased before anything runs. */
  readonly typeOnly: boolean
  readonly line: number
}

export interface SourcePlace {
  readonly line: number
  readonly what: string
}

/** What the rules need to know of a source file. */
export interface SourceFacts {
  readonly imports: readonly SourceImport[]
  /** Uses of the clock, randomness and the environment through globals. */
  readonly worldly: readonly SourcePlace[]
  /** `expect(…)` whose result nobody asks anything of. */
  readonly expectsNothing: readonly SourcePlace[]
  /** Tests in whose body nothing is expected. */
  readonly provesNothing: readonly SourcePlace[]
  /** `.only`, `.skip` and the like. */
  readonly selective: readonly SourcePlace[]
  /** Values of members called `code`, and codes given to a Fault: what somebody will be told. */
  readonly codes: readonly SourcePlace[]
}

const worldlyCalls = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'Temporal.Now',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
])
const worldlyMembers = new Set(['process.env', 'process.argv', 'process.stdout', 'process.stderr', 'Temporal.Now'])
const testWords = new Set(['test', 'it', 'clause'])
const selectiveWords = new Set(['only', 'skip', 'todo', 'fails'])
/** What proves something beside `expect`: a property that holds, a typed claim. */
const proving = /^(expect|assert)/

/** Reads a TypeScript file as the compiler does, so that comments and strings are not mistaken for code. */
export function readSource(path: string, text: string): SourceFacts {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
  const imports: SourceImport[] = []
  const worldly: SourcePlace[] = []
  const expectsNothing: SourcePlace[] = []
  const selective: SourcePlace[] = []
  const codes: SourcePlace[] = []
  const tests: ts.CallExpression[] = []
  const shadowed = localNames(file)

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const found = readImport(node, lineOf(node))
      if (found) imports.push(found)
    }
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText(file)
      const [first] = node.arguments
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword && first && ts.isStringLiteral(first))
        imports.push({ specifier: first.text, names: [], typeOnly: false, line: lineOf(node) })
      if (worldlyCalls.has(called) && !shadowed.has(called)) worldly.push({ line: lineOf(node), what: called })
      if (called === 'expect' && ts.isExpressionStatement(statementOf(node)) && !isAsked(node))
        expectsNothing.push({ line: lineOf(node), what: 'expect' })
      if (testWords.has(rootName(node.expression))) tests.push(node)
    }
    if (ts.isPropertyAssignment(node) && node.name.getText(file) === 'code')
      for (const literal of stringsIn(node.initializer)) codes.push({ line: lineOf(literal), what: literal.text })
    if (ts.isNewExpression(node) && node.expression.getText(file) === 'Fault' && node.arguments?.[0])
      for (const literal of stringsIn(node.arguments[0])) codes.push({ line: lineOf(literal), what: literal.text })
    if (ts.isNewExpression(node) && node.expression.getText(file) === 'Date' && (node.arguments?.length ?? 0) === 0)
      worldly.push({ line: lineOf(node), what: 'new Date()' })
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText(file)
      if (worldlyMembers.has(text)) worldly.push({ line: lineOf(node), what: text })
      if (selectiveWords.has(node.name.text) && ['test', 'it', 'describe', 'clause'].includes(rootName(node)))
        selective.push({ line: lineOf(node), what: text })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)

  const provers = findProvers(file)
  const provesNothing = tests
    .filter((call) => {
      const body = call.arguments.find((argument) => ts.isArrowFunction(argument) || ts.isFunctionExpression(argument))
      return body !== undefined && !proves(body, provers)
    })
    .map((call) => ({ line: lineOf(call), what: call.expression.getText(file).split('\n')[0] ?? '' }))
  return { imports, worldly, expectsNothing, provesNothing, selective, codes }
}

/** The string literals of an expression: one, or both sides of a choice. */
function stringsIn(node: ts.Expression): readonly ts.StringLiteral[] {
  if (ts.isStringLiteral(node)) return [node]
  if (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)) return stringsIn(node.expression)
  return ts.isConditionalExpression(node) ? [...stringsIn(node.whenTrue), ...stringsIn(node.whenFalse)] : []
}

function readImport(node: ts.ImportDeclaration | ts.ExportDeclaration, line: number): SourceImport | undefined {
  const { moduleSpecifier } = node
  if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return undefined
  const clause = ts.isImportDeclaration(node) ? node.importClause : undefined
  const bindings = ts.isImportDeclaration(node) ? clause?.namedBindings : node.exportClause
  const elements =
    bindings && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings))
      ? [...(bindings.elements as ts.NodeArray<ts.ImportSpecifier | ts.ExportSpecifier>)]
      : []
  const runtime = elements.filter(({ isTypeOnly }) => !isTypeOnly)
  const wholeIsType = ts.isImportDeclaration(node)
    ? clause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    : node.isTypeOnly
  const onlyTypes = elements.length > 0 && runtime.length === 0 && clause?.name === undefined
  const whole = [...(clause?.name ? ['default'] : []), ...(bindings && ts.isNamespaceImport(bindings) ? ['*'] : [])]
  return {
    specifier: moduleSpecifier.text,
    names: [...whole, ...runtime.map(({ name, propertyName }) => (propertyName ?? name).text)],
    typeOnly: wholeIsType || onlyTypes,
    line,
  }
}

/** `test.each(x)(…)` and `describe.skip` both begin with their root name. */
function rootName(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node) || ts.isTaggedTemplateExpression(node))
    return rootName(ts.isTaggedTemplateExpression(node) ? node.tag : node.expression)
  return ''
}

function statementOf(node: ts.Node): ts.Node {
  const { parent } = node
  return ts.isAwaitExpression(parent) || ts.isVoidExpression(parent) ? parent.parent : parent
}

/** Whether a matcher is called on the expectation. */
function isAsked(node: ts.CallExpression): boolean {
  return ts.isPropertyAccessExpression(node.parent)
}

/** Names declared in the file that hide a global of the same name. */
function localNames(file: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if ((ts.isImportSpecifier(node) || ts.isFunctionDeclaration(node)) && node.name) names.add(node.name.text)
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name)) names.add(node.name.text)
    if (ts.isParameter(node) && ts.isIdentifier(node.name)) names.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return names
}

/** Functions of the file that expect something, directly or through one another. */
function findProvers(file: ts.SourceFile): ReadonlySet<string> {
  const bodies = new Map<string, ts.Node>()
  const collect = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name && node.body) bodies.set(node.name.text, node.body)
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer)
      bodies.set(node.name.text, node.initializer)
    ts.forEachChild(node, collect)
  }
  collect(file)
  const provers = new Set<string>()
  for (let before = -1; before !== provers.size; ) {
    before = provers.size
    for (const [name, body] of bodies) if (proves(body, provers)) provers.add(name)
  }
  return provers
}

function proves(body: ts.Node, provers: ReadonlySet<string>): boolean {
  let found = false
  const visit = (node: ts.Node): void => {
    if (found) return
    if (ts.isCallExpression(node)) {
      const name = ts.isPropertyAccessExpression(node.expression)
        ? node.expression.name.text
        : ts.isIdentifier(node.expression)
          ? node.expression.text
          : ''
      if (proving.test(name) || provers.has(name)) found = true
    }
    ts.forEachChild(node, visit)
  }
  visit(body)
  return found
}
