import promClient, { type CounterConfiguration, type LabelValues } from '@prometheus-io/client'

/**
 * A counter for the hot path: counting is one look into a map, and the labels are prepared once for each combination.
 * The client's own counter would check and join them anew for every request. It gets the numbers when it is scraped.
 */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, { readonly labels: LabelValues<Label>, value: number }>()
  readonly #names: readonly Label[]

  constructor (names: readonly Label[], configuration: Omit<CounterConfiguration<Label>, 'labelNames' | 'collect'>) {
    const counts = this.#counts
    this.#names = names
    // eslint-disable-next-line no-new
    new promClient.Counter<Label>({
      ...configuration,
      labelNames: [...names],
      collect () {
        this.reset()
        for (const { labels, value } of counts.values()) this.inc(labels, value)
      }
    })
  }

  /** @param values one a label, in their order */
  add (count: number, ...values: string[]): void {
    const key = values.join(' ')
    const known = this.#counts.get(key)
    if (known !== undefined) known.value += count
    else this.#counts.set(key, { labels: this.#labelled(values), value: count })
  }

  #labelled (values: readonly string[]): LabelValues<Label> {
    return Object.fromEntries(this.#names.map((name, index) => [name, values[index]])) as LabelValues<Label>
  }
}
