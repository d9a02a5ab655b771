import { describe, expect, test } from 'vitest'
import { defaultLimits } from './limits.ts'
import { readXml } from './read-xml.ts'

const all = () => true
const read = (text: string, limits = defaultLimits) => readXml(text, limits, all)
const codeOf = (text: string, limits = defaultLimits) => {
  const result = read(text, limits)
  return result.ok ? 'ok' : result.refusal.code
}

describe('readXml', () => {
  test('reads names without prefixes, texts trimmed, attributes, and where each element stands', () => {
    const result = read('<p:a xmlns:p="urn:x" y="1">\n  <p:b> t &amp; &#x41;<![CDATA[<c>]]> </p:b>\n  <p:b/>\n</p:a>')
    if (!result.ok) throw new Error(result.refusal.code)
    const { root, namespace } = result.value
    expect(namespace).toBe('urn:x')
    expect(root.attributes.get('y')).toBe('1')
    const [first, second] = root.named('b')
    expect(first?.text).toBe('t & A<c>')
    expect([first?.line, first?.column, first?.pointer]).toEqual([2, 3, '/a/b[1]'])
    expect([second?.text, second?.pointer]).toEqual([undefined, '/a/b[2]'])
  })

  test('leaves out elements of namespaces that do not belong, with all they hold', () => {
    const text = '<a xmlns="urn:x"><f:g xmlns:f="urn:f"><b>1</b>text</f:g><b>2</b></a>'
    const result = readXml(text, defaultLimits, (namespace, root) => namespace === root)
    expect(result.ok && result.value.root.children.map(({ name, text: said }) => [name, said])).toEqual([['b', '2']])
  })

  test.each([
    ['a document type', '<!DOCTYPE a><a/>', 'intake/xml-dtd'],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>', 'intake/xml-dtd'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'intake/xml-dtd'],
    ['a parameter entity', '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost/x"> %p;]><a/>', 'intake/xml-dtd'],
    ['an entity nobody declared', '<a>&x;</a>', 'intake/xml-syntax'],
    ['a processing instruction', '<?xml-stylesheet href="x"?><a/>', 'intake/xml-instruction'],
    ['another encoding', '<?xml version="1.0" encoding="windows-1251"?><a/>', 'intake/xml-encoding'],
    ['text beside elements', '<a>text<b/></a>', 'intake/xml-mixed-content'],
    ['text after elements', '<a><b/>text</a>', 'intake/xml-mixed-content'],
    ['an open element', '<a><b></a>', 'intake/xml-syntax'],
    ['a second root', '<a/><b/>', 'intake/xml-syntax'],
    ['a prefix nobody bound', '<p:a/>', 'intake/xml-syntax'],
    ['an attribute twice', '<a x="1" x="2"/>', 'intake/xml-syntax'],
    ['a control character', '<a>\u0001</a>', 'intake/xml-syntax'],
    ['nothing', '', 'intake/xml-syntax'],
    ['a name without end', `<${'a'.repeat(300)}/>`, 'intake/xml-text-too-large'],
  ])('refuses %s', (_what, text, code) => {
    expect(codeOf(text)).toBe(code)
  })

  test('takes the limits themselves and refuses one more', () => {
    const limits = { ...defaultLimits, depthMax: 3, valuesMax: 4, textLengthMax: 5 }
    expect(codeOf('<a><b><c>12345</c></b></a>', limits)).toBe('ok')
    expect(codeOf('<a><b><c><d/></c></b></a>', limits)).toBe('intake/xml-too-deep')
    expect(codeOf('<a><b/><b/><b/></a>', limits)).toBe('ok')
    expect(codeOf('<a><b/><b/><b/><b/></a>', limits)).toBe('intake/too-many-values')
    expect(codeOf('<a>123456</a>', limits)).toBe('intake/xml-text-too-large')
    expect(codeOf('<a>123<!-- -->456</a>', limits)).toBe('intake/xml-text-too-large')
    expect(codeOf('<a x="123456"/>', limits)).toBe('intake/xml-text-too-large')
  })

  test('says where it stopped, by line and column', () => {
    const result = read('<a>\n  <b>\n</a>')
    expect(result.ok ? undefined : result.refusal).toMatchObject({ pointer: '/a', facts: { line: 3 } })
  })
})
