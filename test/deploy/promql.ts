/** What an expression asks of the metrics, by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql'

export interface Question {
  readonly selectors: readonly Selector[]
  /** Labels by which series are grouped, or told from each other. */
  readonly groupedBy: readonly string[]
}

export interface Selector {
  readonly metric: string
  /** Label, operator and value of each matcher. */
  readonly matchers: readonly (readonly [string, string, string])[]
}

/** @throws when it is no PromQL */
export function read (expression: string): Question {
  const selectors: { metric: string, matchers: [string, string, string][] }[] = []
  const groupedBy: string[] = []
  parser.parse(expression).iterate({
    enter ({ type, name, from, to, node }) {
      const text = expression.slice(from, to)
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expression}`)
      if (name === 'VectorSelector') selectors.push({ metric: '', matchers: [] })
      const selector = selectors.at(-1)
      if (name === 'Identifier' && selector !== undefined) selector.metric = text
      if (name === 'UnquotedLabelMatcher') selector?.matchers.push(['', '', ''])
      const matcher = selector?.matchers.at(-1)
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') groupedBy.push(text)
      else if (name === 'LabelName' && matcher !== undefined) matcher[0] = text
      if (name === 'MatchOp' && matcher !== undefined) matcher[1] = text
      if (name === 'StringLiteral' && matcher !== undefined) matcher[2] = text.slice(1, -1)
    }
  })
  return { selectors, groupedBy }
}
