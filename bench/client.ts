import { Agent, get } from 'node:http'

export interface Answer {
  readonly status: number
  /** From sending the request to the last byte of the answer, in ms. */
  readonly milliseconds: number
}

/** A client that asks one question at a time, over one connection. */
export class Client {
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  /** @param key an API key, where one is asked for */
  constructor (url: string, key?: string) {
    this.#url = url
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  }

  ask (path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const begun = performance.now()
      get(this.#url + path, { agent: this.#agent, headers: this.#headers }, response => {
        response.resume()
        response.on('end', () => resolve({ status: response.statusCode ?? 0, milliseconds: performance.now() - begun }))
      }).on('error', reject)
    })
  }

  close (): void {
    this.#agent.destroy()
  }
}
