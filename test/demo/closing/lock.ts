import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printed, sallyport } from '../command-line.js';
import type { Desk } from './closing.js';

const LOOSENED = 'test/demo/loosened-office.js';
const COMMITTED = 'src/sallyport.lock.json';

/** A file says what was reviewed; what is loosened or told to models since then shows, and who gains by it. */
export async function lock({ server, ledger }: Desk): Promise<void> {
  ledger.chapter('The lock: what was reviewed');
  const { environment, dataDirectory } = server;
  const file = join(dataDirectory, 'reviewed.lock.json');
  await printed(environment, ['policy', 'lock', '--file', file]);
  const [written, committed] = await Promise.all([readFile(file, 'utf8'), readFile(COMMITTED, 'utf8')]);
  ledger.compareBytes(`policy lock, and ${COMMITTED}`, committed, written);
  const loosened = await sallyport(environment, ['policy', 'check', '--file', file], LOOSENED);
  ledger.compare(
    'policy check, after scopes of crm_update_record and a description were changed',
    DIFFERENCE,
    `exit ${loosened.code}: ${firstParagraph(loosened.out)}`,
  );
}

const DIFFERENCE = [
  'exit 1: tool crm_open_record: says something else to models',
  '  title or description changed: read it again, since a model obeys it',
  'tool crm_update_record: loosened',
  '  gains  who consented to crm:read',
  '  policy.scopes: ["crm:write"] -> ["crm:read"]',
].join('\n');

function firstParagraph(text: string): string {
  return (text.split('\n\n')[0] ?? '').trim();
}
