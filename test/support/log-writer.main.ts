import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { attempt } from './audit-events.js';
import { startLog } from './audit-log.js';

/**
 * A process that records without pause until its input ends. Says the id of each record that is durable, and its role
 * whenever that changes.
 */
const { DATABASE = '', KEY = '', STATE = '', PAUSE_MS = '5' } = process.env;
const database: DataSourceOptions = JSON.parse(DATABASE);
const log = await startLog(database, { key: KEY, state: { file: STATE } });

const over = new AbortController();
process.stdin.resume().on('end', () => over.abort());

let role: string | undefined;
const watch = setInterval(() => {
  const now = log.log.status?.role;
  if (now !== role) process.stdout.write(`role ${now}\n`);
  role = now;
}, 20);

while (!over.signal.aborted) {
  const events = Array.from({ length: 5 }, () => attempt());
  await log.record(...events);
  process.stdout.write(events.map(({ id }) => `recorded ${id}\n`).join(''));
  await sleep(Number(PAUSE_MS));
}
clearInterval(watch);
await log.close();
