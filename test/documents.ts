/** The project's documents, parsed as GitHub shows them (CommonMark with tables). */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import GithubSlugger from 'github-slugger'
import MarkdownIt from 'markdown-it'

export const ROOT = join(import.meta.dirname, '..')

export interface Document {
  /** From the root of the project. */
  readonly path: string
  /** Where links and pictures lead, as they are written. */
  readonly links: readonly string[]
  /** What follows `#` in links to its headings. */
  readonly anchors: ReadonlySet<string>
  /** Everything in backticks within a line. */
  readonly code: readonly string[]
  /** The cells of each row of each table, as Markdown; the head is the first row. */
  readonly tables: readonly (readonly (readonly string[])[])[]
  /** Blocks of code by their language. */
  readonly blocks: readonly { readonly language: string, readonly text: string }[]
}

const markdown = new MarkdownIt()

export function readDocuments (): Document[] {
  return globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort().map(readDocument)
}

function readDocument (path: string): Document {
  const tokens = markdown.parse(readFileSync(join(ROOT, path), 'utf8'), {})
  const inline = tokens.flatMap(({ children }) => children ?? [])
  const slugger = new GithubSlugger()
  const headings = tokens.filter((_, index) => tokens[index - 1]?.type === 'heading_open')
  return {
    path,
    links: inline.flatMap(({ attrs }) => (attrs ?? []).flatMap(([name, value]) => ['href', 'src'].includes(name) ? [decodeURIComponent(String(value))] : [])),
    anchors: new Set(headings.map(({ children }) => slugger.slug((children ?? []).map(({ content }) => content).join('')))),
    code: inline.flatMap(({ type, content }) => type === 'code_inline' ? [content] : []),
    tables: tablesOf(tokens),
    blocks: tokens.flatMap(({ type, info, content }) => type === 'fence' ? [{ language: info.trim(), text: content }] : [])
  }
}

function tablesOf (tokens: ReturnType<typeof markdown.parse>): string[][][] {
  const tables: string[][][] = []
  for (const [index, { type, content }] of tokens.entries()) {
    if (type === 'table_open') tables.push([])
    if (type === 'tr_open') tables.at(-1)?.push([])
    if (type === 'inline' && /^t[dh]_open$/.test(tokens[index - 1]?.type ?? '')) tables.at(-1)?.at(-1)?.push(content)
  }
  return tables
}

/** What is in backticks in a piece of Markdown. */
export function codeIn (text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** The table whose head begins with this cell. */
export function tableOf ({ path, tables }: Document, head: string): (readonly string[])[] {
  const table = tables.find(([first]) => first?.[0] === head)
  if (table === undefined) throw new Error(`${path} has no table of each ${head}`)
  return table.slice(1)
}
