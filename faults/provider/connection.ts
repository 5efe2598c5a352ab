import { connect, type Socket } from 'node:net'
import { isWhole } from '../../bench/answer.ts'

export interface ConnectionEvents {
  /** It is open, and nothing is under way on it. */
  free (): void
  /** @param latency from writing the request to the end of its answer, in ms */
  answered (number: number, answer: string, latency: number): void
  /** @param number of the message that was under way, if one was */
  closed (number: number | undefined): void
}

/** A keep-alive connection with one request under way at most. It speaks HTTP by itself, for the same reason as bench/load.ts. */
export class Connection {
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  #number: number | undefined
  #begun = 0
  #answer = ''

  constructor (port: number, events: ConnectionEvents) {
    this.#events = events
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1')
    this.#socket.on('connect', () => this.#free())
    this.#socket.on('data', data => this.#read(String(data)))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => events.closed(this.#number))
  }

  send (number: number, request: Buffer): void {
    this.#number = number
    this.#begun = performance.now()
    this.#socket.write(request)
  }

  destroy (): void {
    this.#socket.destroy()
  }

  #read (data: string): void {
    this.#answer += data
    const answer = this.#answer
    if (!isWhole(answer) || this.#number === undefined) return
    this.#events.answered(this.#number, answer, performance.now() - this.#begun)
    this.#answer = ''
    this.#number = undefined
    if (/\r\nconnection: close\r\n/i.test(answer)) this.#socket.end()
    else this.#free()
  }

  #free (): void {
    if (!this.#socket.destroyed) this.#events.free()
  }
}
