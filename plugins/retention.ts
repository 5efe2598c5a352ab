import fp from 'fastify-plugin'
import { Retention, type RetentionOptions } from '../src/retention.ts'

/** Removes messages when they are old enough, and forgets the ids of removed ones later, while the service runs. */
export default fp<RetentionOptions>(async (app, options) => {
  const retention = new Retention(app.messages, options, {
    removed (messages, receivedBefore) {
      app.log.info({ removed: messages, received_before: receivedBefore }, 'messages were removed: RETENTION_DAYS are over')
    },
    failed (error) {
      app.log.warn(`messages whose RETENTION_DAYS are over could not be removed, which is tried again every minute: ${error.message}`)
    }
  })
  app.addHook('onListen', async () => retention.start())
  // Before the store is closed, which was opened earlier.
  app.addHook('onClose', () => retention.stop())
}, { name: 'retention', dependencies: ['db'] })
