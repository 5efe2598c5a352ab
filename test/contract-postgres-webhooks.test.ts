import t from 'tap'
import { isOfWebhooks, onPostgres } from './contract.ts'

await onPostgres(t, isOfWebhooks)
