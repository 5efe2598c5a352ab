import type { ServerResponse } from 'node:http'
import type { Sink } from './stream.ts'

/** An answer whose head is written. */
export function sinkOf (response: ServerResponse): Sink {
  return {
    write: (bytes, taken) => { response.write(bytes, taken) },
    end: () => { response.end() },
    destroy: () => { response.destroy() }
  }
}
