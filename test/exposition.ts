/** Prometheus' text format. https://prometheus.io/docs/instrumenting/exposition_formats/ */
import type { Test } from 'tap'

/** Samples by their whole name, labels included, as `name{a="b"}`. */
export type Samples = Map<string, number>

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
export const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`)
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"'
const SAMPLE = new RegExp(`^(${NAME})((?:\\{${LABEL}(?:,${LABEL})*\\})?) (\\S+)$`)

/** What may follow the family's name in a sample, by type. */
const SUFFIXES: Readonly<Record<string, RegExp>> = { histogram: /_(bucket|sum|count)$/, summary: /_(sum|count)$/ }

/** Reads the text format strictly; whatever is not in it fails the test. */
export function parse (t: Test, text: string): Samples {
  const types = new Map<string, string>()
  const samples: Samples = new Map()
  let family = ''
  t.match(text, /\n$/)
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = COMMENT.exec(line) ?? []
    if (keyword === 'HELP') family = name
    if (keyword === 'TYPE') {
      t.notOk(types.has(name), `one TYPE for ${name}`)
      t.equal(name, family)
      types.set(name, rest)
    }
    if (keyword !== undefined) continue

    const [, metric = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    const suffix = SUFFIXES[types.get(family) ?? ''] ?? /^$/
    if (metric.replace(suffix, '') !== family) t.fail(`${line} stands in the family ${family}`)
    // As Go's ParseFloat reads it, which minds no letter case.
    const number = Number(value.replace(/^([+-]?)inf$/i, '$1Infinity'))
    if (Number.isNaN(number) && !/^nan$/i.test(value)) t.fail(`no number: ${line}`)
    if (samples.has(`${metric}${labels}`)) t.fail(`twice: ${line}`)
    samples.set(`${metric}${labels}`, number)
  }
  return samples
}
