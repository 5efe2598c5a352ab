import type { Registry } from '@prometheus-io/client'
import { DELIVERY_RESULTS, ITEM_KINDS, type DeliveryResult } from '../src/delivery.ts'
import { REFUSALS } from '../src/signature/verifier.ts'
import type { Delivery } from './signature.ts'
import { Tally } from './tally.ts'

/** What is counted of deliveries by their provider. */
export class DeliveryTallies {
  readonly #bySource
  readonly #verified
  readonly #refused
  readonly #items

  constructor (registers: Registry[]) {
    this.#bySource = new Tally(['source', 'result'], { name: 'webhook_deliveries_total', help: 'Deliveries by provider and by what became of them', registers })
    this.#verified = new Tally(['source', 'secret'], {
      name: 'webhook_verified_total', help: 'Deliveries whose signature was right, by provider and by the secret it was made with', registers
    })
    this.#refused = new Tally(['source', 'reason'], {
      name: 'webhook_refused_total', help: 'Deliveries whose signature was not right, by provider and reason', registers
    })
    this.#items = new Tally(['source', 'kind'], { name: 'webhook_items_total', help: 'What the deliveries held that were answered 200, by provider and kind', registers })
  }

  /** Makes every count of these providers be there from the start, at 0. */
  begin (sources: readonly string[]): void {
    for (const source of sources) {
      for (const result of DELIVERY_RESULTS) this.#bySource.add(0, source, result)
      for (const secret of ['current', 'previous']) this.#verified.add(0, source, secret)
      for (const reason of REFUSALS) this.#refused.add(0, source, reason)
      for (const kind of ITEM_KINDS) this.#items.add(0, source, kind)
    }
  }

  count ({ source, refusal, secret, items }: Delivery, result: DeliveryResult): void {
    this.#bySource.add(1, source, result)
    if (refusal !== undefined) this.#refused.add(1, source, refusal)
    if (secret !== undefined) this.#verified.add(1, source, secret === 0 ? 'current' : 'previous')
    if (items !== undefined) for (const kind of ITEM_KINDS) this.#items.add(items[kind], source, kind)
    else if (result === 'created' || result === 'duplicate') this.#items.add(1, source, 'message')
  }
}
