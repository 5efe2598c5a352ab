import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { LogOutput } from '../../src/log-output.ts'

/** A pipe that nobody reads from but by `read`, which takes all that is in it. */
function pipe (t: Test): { descriptor: number, read: () => string } {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  // For both directions: it then opens at once.
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(descriptor))
  const room = Buffer.alloc(1024 * 1024)
  return {
    descriptor,
    read () {
      let text = ''
      try {
        for (;;) text += room.toString('utf8', 0, readSync(descriptor, room))
      } catch {
        // It is empty.
      }
      return text
    }
  }
}

const flushed = (output: LogOutput): Promise<void> => new Promise(resolve => output.flush(resolve))
const line = (number: number): string => `{"number":${number},"text":"é${'x'.repeat(100)}"}\n`
const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, index) => line(from + index)).join('')

t.test('lines are written soon, whole and in their order', async t => {
  const file = join(t.testdir(), 'log')
  const output = new LogOutput(openSync(file, 'w'))
  for (let number = 0; number < 1000; number++) output.write(line(number))
  await flushed(output)
  t.equal(readFileSync(file, 'utf8'), lines(0, 1000))
  output.write(line(1000))
  while (readFileSync(file, 'utf8') !== lines(0, 1001)) await delay(5)
  await flushed(output)
})

t.test('who reads late has every line, and held up nothing', async t => {
  const { descriptor, read } = pipe(t)
  const output = new LogOutput(descriptor, 60_000)
  for (let number = 0; number < 5000; number++) output.write(line(number))
  let text = ''
  const reading = (async () => {
    while (text.length < lines(0, 5000).length) {
      await delay(10)
      text += read()
    }
  })()
  await flushed(output)
  await reading
  t.equal(text, lines(0, 5000))
})

t.test('at the end a reader is waited for, but not for ever, and what is there is whole', async t => {
  const { descriptor, read } = pipe(t)
  const output = new LogOutput(descriptor, 50)
  for (let number = 0; number < 5000; number++) output.write(line(number))
  await flushed(output)
  const before = read()
  t.ok(before.length > 0 && before.length < lines(0, 5000).length)
  output.end()
  const text = before + read()
  t.ok(text.length > before.length, 'what there is room for at the very end is written')
  t.ok(lines(0, 5000).startsWith(text), 'nothing is missing from between')
})

t.test('what waits when the process exits is written then', async t => {
  const file = join(t.testdir(), 'log')
  const output = new LogOutput(openSync(file, 'w'))
  for (let number = 0; number < 500; number++) output.write(line(number))
  output.end()
  t.equal(readFileSync(file, 'utf8'), lines(0, 500))
})

t.test('a disk that is full holds up nothing', async t => {
  const output = new LogOutput(openSync('/dev/full', 'w'), 50)
  output.write(line(0))
  await t.resolves(flushed(output))
  t.doesNotThrow(() => output.end())
})

t.test('when the reader has gone nothing is kept for it', async t => {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const output = new LogOutput(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), 60_000)
  closeSync(reader)
  for (let number = 0; number < 5000; number++) output.write(line(number))
  await t.resolves(flushed(output))
})
