/** What there is to compare with: Fastify that parses a JSON body and answers it, and does nothing else. */
import Fastify from 'fastify'

const app = Fastify()
app.post('/webhook', async request => request.body)
console.log(JSON.stringify({ msg: `Server listening at ${await app.listen({ host: '127.0.0.1', port: 0 })}` }))
process.once('SIGTERM', () => app.close())
