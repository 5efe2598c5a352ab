/** So many may work at once; the others wait in turn. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor (count: number) {
    this.#free = count
  }

  async run<Result> (work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
