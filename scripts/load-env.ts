/**
 * Adds a .env of the working directory to the environment; a variable that is set already wins. Loaded before the program
 * by the npm scripts (`node --import`): unlike Node.js's own option, it says nothing when there is no .env.
 */
import { existsSync } from 'node:fs'

if (existsSync('.env')) process.loadEnvFile('.env')
