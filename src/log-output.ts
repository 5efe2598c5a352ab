import { write, writeSync } from 'node:fs'

/** How long a line may wait for others, in ms, and how many characters of them are written at once. */
const WAIT = 20
const ENOUGH = 16_000
/** Characters that wait because nobody reads the output, or because its disk is full. What comes then is dropped. */
const BACKLOG = 64 * 1024 * 1024
/** How long after a write that failed the same is tried again, in ms. */
const RETRY = 50
/** How long is waited at the end for whoever reads the output, in ms. */
const PATIENCE = 2000
/** How long a write that is under way when the process exits may take to end, in ms. */
const UNDER_WAY = 20

/**
 * Writes lines to an open file off the event loop, many at a time: each once, whole, and in their order. Who does not read them holds up
 * nothing, and a disk that is full does not either: they are written when there is room again.
 *
 * A library could do it. pino's own, at exit, writes beside what is under way, waits for a reader for ever, and ends the process when the disk
 * is full.
 */
export class LogOutput {
  readonly #file: number
  readonly #patience: number
  /** Lines that wait to be written, in pieces. */
  #waiting: string[] = []
  /** The piece that lines are added to. */
  #lines = ''
  #timer: NodeJS.Timeout | undefined
  /** What is left of the piece that is being written. */
  #piece: Buffer | undefined
  /** Whether a thread is at it just now, and not waiting for another try. */
  #underWay = false
  #length = 0
  #waiters: (() => void)[] = []

  /**
   * @param file its descriptor. Of a pipe, it must be one that never blocks
   * @param patience how long {@link flush} waits at most, in ms
   */
  constructor (file: number, patience = PATIENCE) {
    this.#file = file
    this.#patience = patience
  }

  write (line: string): void {
    if (this.#length > BACKLOG) return
    this.#length += line.length
    this.#lines += line
    if (this.#lines.length >= ENOUGH) this.#pass()
    else this.#timer ??= setTimeout(() => this.#pass(), WAIT)
  }

  /** Calls `done` when everything is written, and when that takes too long. */
  flush (done: () => void): void {
    this.#pass()
    if (this.#piece === undefined) return done()
    const timer = setTimeout(done, this.#patience)
    this.#waiters.push(() => {
      clearTimeout(timer)
      done()
    })
  }

  /** Writes what still waits, when the process is about to exit. What is not read by then is lost. */
  end (): void {
    if (this.#underWay) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, UNDER_WAY)
      this.#piece = undefined
    }
    const rest = Buffer.concat([this.#piece ?? Buffer.alloc(0), Buffer.from(this.#waiting.join('') + this.#lines)])
    try {
      for (let written = 0; written < rest.length;) written += writeSync(this.#file, rest, written)
    } catch {
      // Nobody reads it, or the disk is full.
    }
  }

  #pass (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines !== '') this.#waiting.push(this.#lines)
    this.#lines = ''
    if (this.#piece === undefined) this.#next()
  }

  #next (): void {
    const lines = this.#waiting.shift()
    this.#piece = lines === undefined ? undefined : Buffer.from(lines)
    if (lines === undefined) return this.#waiters.splice(0).forEach(done => done())
    this.#length -= lines.length
    this.#put(this.#piece as Buffer)
  }

  #put (piece: Buffer): void {
    this.#underWay = true
    write(this.#file, piece, (error, written) => {
      this.#underWay = false
      this.#piece = piece.subarray(written)
      if (error?.code === 'EPIPE') this.#forget()
      else if (error !== null) setTimeout(() => this.#put(piece), RETRY).unref()
      else if (written < piece.length) this.#put(this.#piece)
      else this.#next()
    })
  }

  /** Whoever read it is gone. */
  #forget (): void {
    this.#waiting = []
    this.#length = this.#lines.length
    this.#next()
  }
}
