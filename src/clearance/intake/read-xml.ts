import { SaxesParser, type SaxesTagNS } from 'saxes'
import { accept, type Decision, type Problem, refuse } from '../../kernel/index.ts'
import type { IntakeCode } from './codes.ts'
import type { IntakeLimits } from './limits.ts'
import { SourceNode } from './source-tree.ts'

class Stop extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.code)
    this.problem = problem
  }
}

export interface XmlDocument {
  readonly root: SourceNode
  /** The namespace of the root element, empty when it has none. */
  readonly namespace: string
  /** The namespace of the first element of each name, for telling wrapped messages apart. */
  readonly namespaces: ReadonlyMap<string, string>
}

const NAME_LENGTH_MAX = 256
const ATTRIBUTES_MAX = 256

/**
 * Reads an XML document into a tree, strictly.
 *
 * Why: a declaration is data, so whatever makes XML a program or a bomb is refused before it costs anything: document
 * types (and with them every entity but the five of XML itself), processing instructions, encodings other than UTF-8,
 * depth, and texts, attributes and elements over their limits. Elements of namespaces that `belongs` denies are left
 * out of the tree with all they hold.
 *
 * @param text the whole document, decoded
 * @param belongs whether an element of this namespace belongs to the document of that root namespace
 */
export function readXml(
  text: string,
  limits: IntakeLimits,
  belongs: (namespace: string, rootNamespace: string) => boolean,
): Decision<XmlDocument, Problem> {
  const parser = new SaxesParser({ xmlns: true, position: true })
  const namespaces = new Map<string, string>()
  let root: SourceNode | undefined
  let rootNamespace = ''
  let current: SourceNode | undefined
  let depth = 0
  let elements = 0
  let attributesSoFar = 0
  /** Depth at which a foreign element began, or 0 when none is open. */
  let foreignSince = 0
  let start = { line: 1, column: 1 }
  const texts: string[] = []

  const stop = (code: IntakeCode, facts: Problem['facts'] = {}): never => {
    throw new Stop({
      code,
      pointer: current?.pointer ?? '',
      facts: { line: parser.line, column: parser.column + 1, ...facts },
    })
  }
  parser.on('error', () => stop('intake/xml-syntax'))
  parser.on('doctype', () => stop('intake/xml-dtd'))
  parser.on('processinginstruction', () => stop('intake/xml-instruction'))
  parser.on('xmldecl', (decl) => {
    if (decl.encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(decl.encoding)) stop('intake/xml-encoding')
  })
  parser.on('opentagstart', ({ name }) => {
    // The name and one character after it are read by now.
    start = { line: parser.line, column: Math.max(1, parser.column - name.length - 1) }
    elements += 1
    depth += 1
    attributesSoFar = 0
    if (name.length > NAME_LENGTH_MAX) stop('intake/xml-text-too-large', { lengthMax: NAME_LENGTH_MAX })
    if (depth > limits.depthMax) stop('intake/xml-too-deep', { depthMax: limits.depthMax })
    if (elements > limits.valuesMax) stop('intake/too-many-values', { valuesMax: limits.valuesMax })
  })
  parser.on('attribute', () => {
    attributesSoFar += 1
    if (attributesSoFar > ATTRIBUTES_MAX) stop('intake/too-many-values', { attributesMax: ATTRIBUTES_MAX })
  })
  parser.on('opentag', (tag: SaxesTagNS) => {
    const attributes = readAttributes(tag)
    if (root === undefined) {
      root = new SourceNode({ name: tag.local, line: start.line, column: start.column, attributes })
      rootNamespace = tag.uri
      namespaces.set(tag.local, tag.uri)
      current = root
      return
    }
    if (foreignSince > 0 || current === undefined) return
    if (!belongs(tag.uri, rootNamespace)) {
      foreignSince = depth
      return
    }
    settleText(current, true)
    if (!namespaces.has(tag.local)) namespaces.set(tag.local, tag.uri)
    const node = new SourceNode({
      name: tag.local,
      parent: current,
      line: start.line,
      column: start.column,
      attributes,
    })
    current.append(node)
    current = node
  })
  parser.on('closetag', () => {
    if (foreignSince > 0) {
      if (foreignSince === depth) foreignSince = 0
    } else if (current !== undefined) {
      settleText(current, false)
      current = current.parent
    }
    depth -= 1
  })
  const onText = (piece: string) => {
    if (piece.length > limits.textLengthMax) stop('intake/xml-text-too-large', { lengthMax: limits.textLengthMax })
    if (foreignSince === 0 && current !== undefined) texts.push(piece)
  }
  parser.on('text', onText)
  parser.on('cdata', onText)

  function readAttributes(tag: SaxesTagNS): ReadonlyMap<string, string> {
    const attributes = new Map<string, string>()
    for (const attribute of Object.values(tag.attributes)) {
      if (attribute.value.length > limits.textLengthMax)
        stop('intake/xml-text-too-large', { lengthMax: limits.textLengthMax })
      if (attribute.prefix !== 'xmlns' && attribute.name !== 'xmlns')
        attributes.set(attribute.local, attribute.value.trim())
    }
    return attributes
  }

  /** Gives the texts since the last tag to the element they stand in. */
  function settleText(node: SourceNode, childFollows: boolean): void {
    const said = texts.join('').trim()
    texts.length = 0
    if (said === '') return
    if (said.length > limits.textLengthMax) stop('intake/xml-text-too-large', { lengthMax: limits.textLengthMax })
    if (childFollows || node.children.length > 0 || node.text !== undefined) stop('intake/xml-mixed-content')
    node.text = said
  }

  try {
    parser.write(text).close()
  } catch (error) {
    if (error instanceof Stop) return refuse(error.problem)
    throw error
  }
  if (root === undefined) return refuse({ code: 'intake/xml-syntax', pointer: '' })
  return accept({ root, namespace: rootNamespace, namespaces })
}
