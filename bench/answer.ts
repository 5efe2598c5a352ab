/** Whether an answer of HTTP/1.1 is there to its end, which its length tells or, of one in chunks, an empty chunk. */
export function isWhole (answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n')
  if (head === -1) return false
  const [, length] = /content-length: *(\d+)/i.exec(answer) ?? []
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length >= head + 4 + Number(length)
}
