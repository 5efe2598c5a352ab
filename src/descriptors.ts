import { readFileSync } from 'node:fs'

/**
 * How many files and sockets this process may have open at once; undefined where the system does not tell, or sets no limit.
 * Node.js has raised it to what it may by itself.
 *
 * @param limits as Linux writes them: https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html
 */
export function descriptorLimit (limits = '/proc/self/limits'): number | undefined {
  try {
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync(limits, 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
