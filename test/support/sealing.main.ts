import 'reflect-metadata';
import type { DataSourceOptions } from 'typeorm';
import { startSealing } from './sealing.js';

/** A process that seals everything there is, says when it begins, and ends. */
const { DATABASE = '', KEY = '', STATE = '', OUT = '' } = process.env;
const database: DataSourceOptions = JSON.parse(DATABASE);
const running = await startSealing(database, { key: KEY, state: { file: STATE } });
process.stdout.write('begins\n');
await running.seal(OUT);
await running.close();
