/** The files of deploy/, read as those read them whom they are for. */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parse } from 'yaml'

export const DEPLOY = join(import.meta.dirname, '..', '..', 'deploy')

export const textOf = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8')

export const yamlOf = (path: string): any => parse(textOf(path))

/** Where a program of the system is; undefined where it is not installed. */
export function program (name: string): string | undefined {
  return (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, name)).find(file => existsSync(file))
}

export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string, readonly runbook: string }
}

export const alerts: readonly Alert[] = yamlOf('prometheus/rules.yml').groups.flatMap((group: { rules: Alert[] }) => group.rules)

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: { readonly uid: string }
  readonly gridPos: { readonly x: number, readonly y: number, readonly w: number, readonly h: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly refId: string, readonly expr: string, readonly legendFormat: string, readonly datasource: { readonly uid: string } }[]
}

export const dashboard: { readonly panels: readonly Panel[], readonly annotations: { readonly list: readonly { readonly expr: string, readonly datasource: { uid: string } }[] } } =
  JSON.parse(textOf('grafana/dashboards/letterbox.json'))

/** Every expression of the dashboard, as Grafana sends it when it shows half an hour. */
export const shown: readonly { readonly title: string, readonly expr: string, readonly legend: string }[] = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat: legend }) => ({ title, expr: expr.replaceAll('$__rate_interval', '1m'), legend })))
