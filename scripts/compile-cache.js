/**
 * Lets Node.js keep the compiled code of the program, its types stripped, from one start to the next. Loaded before the program
 * (`node --import`), so that it holds for all of it, its threads included. Where the folder cannot be written, what is there already is used.
 *
 * JavaScript, since it is loaded before there is a cache: for one file of TypeScript each thread would hold the compiler, 10 MB.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'letterbox'))
