import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printed, sallyport } from '../command-line.js';
import type { Stage } from '../stage.js';

const COMMITTED = 'src/sallyport.lock.json';

/** A file says what was reviewed; what is loosened or told to models since then shows, and who gains by it. */
export async function lock({ server, ledger }: Stage): Promise<void> {
  ledger.chapter('The lock: what was reviewed');
  const { environment, dataDirectory } = server;
  const file = join(dataDirectory, 'reviewed.lock.json');
  await printed(environment, ['policy', 'lock', '--file', file]);
  const [written, committed] = await Promise.all([readFile(file, 'utf8'), readFile(COMMITTED, 'utf8')]);
  ledger.compareBytes(`policy lock, and ${COMMITTED}`, committed, written);
  const check = (app?: string) => sallyport(environment, ['policy', 'check', '--file', file], app);
  const [same, loosened] = await Promise.all([check(), check('test/demo/loosened-office.js')]);
  ledger.compare(
    'policy check, as it is',
    'exit 0: Nothing differs from reviewed.lock.json.',
    `exit ${same.code}: ${firstParagraph(same.out).replace(file, 'reviewed.lock.json')}`,
  );
  ledger.compare(
    'policy check, after scopes of crm_update_record and a description were changed',
    DIFFERENCE,
    `exit ${loosened.code}: ${firstParagraph(loosened.out)}`,
  );
}

const DIFFERENCE = 'exit 1';

function firstParagraph(text: string): string {
  return (text.split('\n\n')[0] ?? '').trim();
}
