import t from 'tap'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { now } from '../../../src/clock.ts'
import { isMessage, type Committed, type Committer, type Row } from '../../../src/storage/committer.ts'
import { GroupCommit, type GroupCommitLimits } from '../../../src/storage/group-commit.ts'
import { StoreUnavailable } from '../../../src/storage/errors.ts'
import type { SaveCourse, SaveResult } from '../../../src/storage/message-store.ts'
import { message } from './suite/common.ts'

const LIMITS: GroupCommitLimits = { enough: 3, groupSize: 3, fairSize: 3, groupsInFlight: 1, rows: 10, bytes: 10_000 }

/** What the committer tells of each transaction: more than one group. */
const TRANSACTION = { begun: 1, ended: 2, rows: 7 }

interface Call {
  readonly ids: string[]
  readonly resolve: (outcomes: (SaveResult | Error)[]) => void
  readonly reject: (error: Error) => void
}

/** A committer that does nothing by itself: the test ends each call. */
function recorder (): { committer: Committer, calls: Call[] } {
  const calls: Call[] = []
  const commit = (rows: readonly Row[]): Promise<Committed> => new Promise((resolve, reject) => {
    const ids = rows.filter(isMessage).map(each => each.message_id)
    calls.push({ ids, resolve: outcomes => resolve({ outcomes, ...TRANSACTION }), reject })
  })
  return { committer: { commit }, calls }
}

const save = (commits: GroupCommit, id: string): Promise<SaveResult> => commits.save(message({ message_id: id }))

/** What became of each. */
const settled = async (saves: Promise<SaveResult>[]): Promise<string[]> =>
  (await Promise.allSettled(saves)).map(each => each.status === 'fulfilled' ? each.value : each.reason.message)

t.test('a lone save is sent at the end of the turn, and told its outcome', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const saved = save(commits, 'a')
  t.equal(commits.depth, 1)
  t.strictSame(calls, [])
  await turn()
  t.strictSame(calls[0]?.ids, ['a'])
  calls[0]?.resolve(['duplicate'])
  t.equal(await saved, 'duplicate')
  t.equal(commits.depth, 0)
})

t.test('saves of one turn are one group; a full group does not wait for the end of the turn', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, groupsInFlight: 2 })
  const saves = ['a', 'b', 'c', 'd'].map(id => save(commits, id))
  t.strictSame(calls.map(({ ids }) => ids), [['a', 'b', 'c']])
  await turn()
  t.strictSame(calls.map(({ ids }) => ids), [['a', 'b', 'c'], ['d']])
  calls[1]?.resolve(['created'])
  calls[0]?.resolve(['created', 'duplicate', 'created'])
  t.strictSame(await settled(saves), ['created', 'duplicate', 'created', 'created'])
})

t.test('enough is sent at once, and what gathers meanwhile is one larger group', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, enough: 2, groupSize: 4, fairSize: 4 })
  const saves = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(id => save(commits, id))
  for (const [index, group] of [['a', 'b'], ['c', 'd', 'e', 'f'], ['g']].entries()) {
    t.strictSame(calls[index]?.ids, group)
    calls[index]?.resolve(group.map(() => 'created'))
    await turn()
    await turn()
  }
  t.strictSame(await settled(saves), saves.map(() => 'created'))
  t.equal(calls.length, 3)
})

t.test('what comes while a group is under way gathers, and is sent when that has ended', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const saves = ['a'].map(id => save(commits, id))
  await turn()
  for (const id of ['b', 'c', 'd', 'e']) {
    saves.push(save(commits, id))
    await turn()
  }
  t.strictSame(calls.map(({ ids }) => ids), [['a']])
  for (const [index, group] of [['a'], ['b', 'c', 'd'], ['e']].entries()) {
    t.strictSame(calls[index]?.ids, group)
    calls[index]?.resolve(group.map(() => 'created'))
    await Promise.all(saves.slice(0, 1))
    await turn()
  }
  t.strictSame(await settled(saves), saves.map(() => 'created'))
  t.equal(calls.length, 3)
})

t.test('a large group leaves their share to those after it', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, enough: 1, groupSize: 100, fairSize: 2, groupsInFlight: 2, rows: 100 })
  const saves = Array.from({ length: 12 }, (_, number) => save(commits, `m${number}`))
  const end = async (...numbers: number[]): Promise<void> => {
    for (const number of numbers) calls[number]?.resolve(calls[number].ids.map(() => 'created'))
    await turn()
    await turn()
  }
  await end(0)
  await end(1, 2)
  t.strictSame(calls.map(({ ids }) => ids.length), [1, 1, 5, 3, 2], 'two that end in the same turn are followed by two')
  await end(3, 4)
  t.strictSame(await settled(saves), saves.map(() => 'created'))
})

t.test('where many wait, more groups than usual are under way; where few do, they are not', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, enough: 1, groupSize: 100, fairSize: 3, groupsAhead: 1 })
  const saves = Array.from({ length: 6 }, (_, number) => save(commits, `m${number}`))
  t.strictSame(calls.map(({ ids }) => ids.length), [1, 3], 'two wait')
  calls[0]?.resolve(['created'])
  await Promise.all(saves.slice(0, 1))
  await turn()
  t.equal(calls.length, 2, 'the group under way is the usual one now')
  calls[1]?.resolve(['created', 'created', 'created'])
  await Promise.all(saves.slice(0, 4))
  await turn()
  calls[2]?.resolve(['created', 'created'])
  t.strictSame(await settled(saves), saves.map(() => 'created'))
})

t.test('an error for one message refuses that save only', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const saves = ['a', 'b', 'c'].map(id => save(commits, id))
  const cause = new Error('too big')
  calls[0]?.resolve(['created', cause, 'duplicate'])
  t.strictSame(await settled(saves), ['created', 'the database refused the message', 'duplicate'])
  await t.rejects(async () => { await saves[1] }, new StoreUnavailable('the database refused the message', { cause }))
})

t.test('a commit that fails refuses its whole group, and no other', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const saves = ['a', 'b', 'c', 'd'].map(id => save(commits, id))
  const refused = settled(saves.slice(0, 3))
  calls[0]?.reject(new Error('disk full'))
  t.strictSame(await refused, Array(3).fill('the database could not store the message'))
  await turn()
  calls[1]?.resolve(['created'])
  t.equal(await saves[3], 'created')
  t.equal(commits.depth, 0)
})

t.test('a commit that fails also refuses what has waited for longer than it may', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, patience: 100 })
  const first = save(commits, 'a')
  await turn()
  const early = [save(commits, 'b'), save(commits, 'c')]
  await delay(150)
  const late = save(commits, 'd')
  calls[0]?.reject(new Error('timeout'))
  t.strictSame(await settled([first, ...early]), Array(3).fill('the database could not store the message'))
  t.equal(commits.depth, 1)
  await turn()
  t.strictSame(calls[1]?.ids, ['d'])
  calls[1]?.resolve(['created'])
  t.equal(await late, 'created')
  t.equal(commits.depth, 0)
})

t.test('more saves than may wait are refused at once, and taken again when there is room', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, rows: 2 })
  const saves = ['a', 'b'].map(id => save(commits, id))
  await t.rejects(save(commits, 'c'), new StoreUnavailable('too many saves are waiting'))
  t.equal(commits.depth, 2)
  await turn()
  calls[0]?.resolve(['created', 'created'])
  await Promise.all(saves)
  const later = save(commits, 'c')
  await turn()
  calls[1]?.resolve(['created'])
  t.equal(await later, 'created')
})

t.test('more bytes than may wait are refused at once, and given back with the outcome', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, bytes: 1000 })
  const long = (id: string): Promise<SaveResult> => commits.save(message({ message_id: id, text: 'x'.repeat(300) }))
  const first = long('a')
  await t.rejects(long('b'), new StoreUnavailable('too many saves are waiting'))
  const withoutText = commits.save(message({ message_id: 'c', text: null }))
  t.equal(commits.depth, 1, 'not even a text fits any more')
  await t.rejects(withoutText, StoreUnavailable)
  await turn()
  calls[0]?.reject(new Error('gone'))
  await t.rejects(first, StoreUnavailable)
  const again = long('b')
  await turn()
  calls[1]?.resolve(['created'])
  t.equal(await again, 'created')
})

t.test('closing refuses further saves, and waits for those that were accepted', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const saves = ['a', 'b', 'c', 'd'].map(id => save(commits, id))
  let closed = false
  const closing = commits.close().then(() => { closed = true })
  await t.rejects(save(commits, 'e'), new StoreUnavailable('the store is closed'))
  calls[0]?.resolve(['created', 'created', 'created'])
  await Promise.all(saves.slice(0, 3))
  await turn()
  t.notOk(closed)
  calls[1]?.resolve(['created'])
  await closing
  t.equal(await saves[3], 'created')
  t.equal(commits.depth, 0)
})

t.test('closing with nothing under way is done at once', async t => {
  const { committer, calls } = recorder()
  await new GroupCommit(committer, LIMITS).close()
  t.strictSame(calls, [])
})

t.test('a delivery of many rows is never split, and is told the outcome of each', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, enough: 10 })
  const many = (...ids: string[]): Promise<readonly SaveResult[]> => commits.saveAll(ids.map(id => message({ message_id: id })))
  const saves = [many('a', 'b'), many('c', 'd', 'e', 'f'), many('g')]
  t.equal(commits.depth, 7)
  await turn()
  t.strictSame(calls[0]?.ids, ['a', 'b', 'c', 'd', 'e', 'f'], 'the group was not full before the second')
  calls[0]?.resolve(['created', 'duplicate', 'created', 'created', 'created', 'duplicate'])
  t.strictSame(await Promise.all(saves.slice(0, 2)), [['created', 'duplicate'], ['created', 'created', 'created', 'duplicate']])
  await turn()
  calls[1]?.resolve(['created'])
  t.strictSame(await saves[2], ['created'])
  t.equal(commits.depth, 0)
  t.strictSame(await commits.saveAll([]), [], 'nothing is stored at once')
})

t.test('a delivery of which the database refused one row is not acknowledged', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const refused = commits.saveAll(['a', 'b'].map(id => message({ message_id: id })))
  const other = save(commits, 'c')
  await turn()
  const cause = new Error('too big')
  calls[0]?.resolve(['created', cause, 'created'])
  await t.rejects(refused, new StoreUnavailable('the database refused the message', { cause }))
  t.equal(await other, 'created')
  t.equal(commits.depth, 0)
})

t.test('a delivery larger than the bounds is taken while nothing else waits', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, rows: 2, bytes: 1000 })
  const large = commits.saveAll(['a', 'b', 'c'].map(id => message({ message_id: id, text: 'x'.repeat(1000) })))
  await t.rejects(save(commits, 'd'), new StoreUnavailable('too many saves are waiting'))
  await turn()
  calls[0]?.resolve(['created', 'created', 'created'])
  t.strictSame(await large, ['created', 'created', 'created'])
})

t.test('who asks is told how a save went, before its outcome: how long it waited, and the transaction', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, LIMITS)
  const told: unknown[] = []
  const watcher = { saved: (course: SaveCourse) => { told.push(course) } }
  const begin = now()
  const saves = [commits.save(message({ message_id: 'a' }), watcher), commits.saveAll([message({ message_id: 'b' })], watcher), commits.save(message({ message_id: 'c' }))]
  saves.forEach(each => each.then(result => told.push(result)))
  calls[0]?.resolve(['created', 'duplicate', 'created'])
  await Promise.all(saves)
  t.match(told, [{ ...TRANSACTION, failed: false }, { ...TRANSACTION, failed: false }, 'created', ['duplicate'], 'created'])
  const { accepted } = told[0] as SaveCourse
  t.ok(accepted >= begin && accepted <= now())
})

t.test('of a transaction that failed it is told how long it was under way; of one that never began, nothing', async t => {
  const { committer, calls } = recorder()
  const commits = new GroupCommit(committer, { ...LIMITS, rows: 3 })
  const told: SaveCourse[] = []
  const watcher = { saved: (course: SaveCourse) => { told.push(course) } }
  const outcomes = settled(['a', 'b', 'c', 'd'].map(id => commits.save(message({ message_id: id }), watcher)))
  const sent = now()
  await delay(20)
  calls[0]?.reject(new Error('the disk is full'))
  t.match(await outcomes, ['the database could not store the message', 'the database could not store the message', 'the database could not store the message', 'too many saves are waiting'])
  t.match(told, [{ rows: 3, failed: true }, { rows: 3, failed: true }, { rows: 3, failed: true }])
  t.equal(told.length, 3)
  for (const { accepted, begun, ended } of told) t.ok(accepted <= begun && begun <= sent && ended - sent >= 19, 'in the order of time')
})
