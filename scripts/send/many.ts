/** Deliveries under way at once. */
const CONCURRENCY = 16

export interface Many {
  /** How many messages, and how many of them a delivery. */
  readonly count: number
  readonly batch: number
  /** Each delivery is made so many times. */
  readonly times: number
}

/**
 * Delivers many messages, tells on standard error how far it is, once a second, and how often each status was answered.
 *
 * @param make the message of that place
 * @param post delivers messages and resolves with the status
 * @returns what the process exits with
 */
export async function sendMany<Message> ({ count, batch, times }: Many, make: (place: number) => Message, post: (messages: Message[]) => Promise<number>): Promise<0 | 1> {
  const statuses = new Map<number, number>()
  let begun = 0
  let done = 0
  const progress = setInterval(() => console.error(`${done} of ${count}`), 1000)

  const lane = async (): Promise<void> => {
    while (begun < count) {
      const first = begun
      begun += batch
      const messages = Array.from({ length: Math.min(batch, count - first) }, (_, n) => make(first + n))
      for (let left = times; left > 0; left--) {
        const status = await post(messages)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      done += messages.length
    }
  }
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  } finally {
    clearInterval(progress)
  }

  console.log([...statuses].map(([status, answers]) => `${answers} × ${status}`).join(', '))
  return statuses.size === 1 && statuses.has(200) ? 0 : 1
}
