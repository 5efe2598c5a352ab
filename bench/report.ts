import { cpus, totalmem } from 'node:os'

/** What a script of the bench found out, for people and for docs/benchmarks.md. */
export interface Report {
  readonly title: string
  /** How it was measured, in sentences of Markdown. */
  readonly method: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** What was aimed at and what was reached, a line each. */
  readonly findings: readonly string[]
}

/** Prints a report: as JSON where `--json` is among the arguments, else as Markdown. */
export function print (report: Report): void {
  console.log(process.argv.includes('--json') ? JSON.stringify(report) : toMarkdown(report))
}

export function toMarkdown ({ title, method, columns, rows, findings }: Report): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [
    `## ${title}`, '',
    method, '',
    line(columns), line(columns.map((_, column) => column === 0 ? '---' : '---:')), ...rows.map(line), '',
    ...findings.map(finding => `- ${finding}`), ''
  ].join('\n')
}

/** The machine and the program that measures, in one sentence. */
export function machine (): string {
  const { length, 0: cpu } = cpus()
  return `${length} × ${cpu?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `${process.platform} ${process.arch}, Node.js ${process.version}`
}

/** Tells whoever waits; standard output is for the report. */
export function progress (text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)
}

/** In ms; NaN where there was no answer of the kind. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function latencyOf (all: readonly number[]): Latency {
  const sorted = Float64Array.from(all).sort()
  return { p50: quantileOf(sorted, 0.5), p99: quantileOf(sorted, 0.99), max: quantileOf(sorted, 1) }
}

export function median (numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

export function quantile (numbers: readonly number[], part: number): number {
  return quantileOf(Float64Array.from(numbers).sort(), part)
}

function quantileOf (sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

/** With so many digits behind the point. */
export function round (number: number, digits = 0): number {
  return Number(number.toFixed(digits))
}
