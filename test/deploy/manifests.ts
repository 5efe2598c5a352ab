/** What a Kubernetes of today would say to a manifest. */
import { join } from 'node:path'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import ts from 'typescript'

const MODULES: Readonly<Record<string, readonly [string, new (data: any) => { validate (): void }]>> = {
  Service: ['kubernetes-models/v1/Service', Service],
  Deployment: ['kubernetes-models/apps/v1/Deployment', Deployment],
  StatefulSet: ['kubernetes-models/apps/v1/StatefulSet', StatefulSet],
  PodDisruptionBudget: ['kubernetes-models/policy/v1/PodDisruptionBudget', PodDisruptionBudget],
  ServiceMonitor: ['@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor', ServiceMonitor],
  PrometheusRule: ['@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule', PrometheusRule]
}

export interface Manifest { readonly apiVersion: string, readonly kind: string, readonly metadata: { readonly name: string }, readonly spec: any }

/** Everything that is wrong with these manifests. */
export function faults (manifests: readonly Manifest[]): string[] {
  return [...manifests.flatMap(faultOfValues), ...faultsOfFields(manifests)]
}

/** By the schemas: what must be there, and of which form. They let unknown fields pass. */
function faultOfValues (manifest: Manifest): string[] {
  const [, Kind] = MODULES[manifest.kind] ?? []
  if (Kind === undefined) return [`${manifest.kind} is of no known kind`]
  try {
    new Kind(manifest).validate()
    return []
  } catch (error) {
    return [`${manifest.kind}: ${(error as Error).message}`]
  }
}

/** By the types, which let no unknown field pass in a literal: a field that is misspelt protects nobody. */
function faultsOfFields (manifests: readonly Manifest[]): string[] {
  const file = join(import.meta.dirname, 'literals.ts')
  const source = manifests.filter(({ kind }) => kind in MODULES).map((manifest, index) =>
    `export const m${index}: import('${MODULES[manifest.kind]?.[0]}').I${manifest.kind} = ${JSON.stringify(manifest)}`).join('\n')
  const options: ts.CompilerOptions = {
    strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.NodeNext
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = name => name === file || fileExists(name)
  host.getSourceFile = (name, version, ...rest) => name === file ? ts.createSourceFile(name, source, version) : getSourceFile(name, version, ...rest)
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}
