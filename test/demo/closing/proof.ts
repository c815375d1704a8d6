import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActualRecord } from '../audit-check.js';
import { printed, sallyport, together } from '../command-line.js';
import type { Desk } from './closing.js';

/** One record and its proof, for somebody who has neither server nor database: a public key is enough. */
export async function proof({ server, ledger }: Desk, records: readonly ActualRecord[]): Promise<void> {
  ledger.chapter('The proof of one record, checked with the public key alone');
  const { environment, dataDirectory } = server;
  const { id } = records.find(({ action }) => action === 'key.issued') ?? { id: '' };
  const base = join(dataDirectory, 'evidence');
  const advice = await printed(environment, ['audit', 'prove', id, '--out', base]);
  const [, key = ''] = /--key '([^']+)'/.exec(advice) ?? [];
  const leaf = await readFile(`${base}.json`, 'utf8');
  const forged = join(dataDirectory, 'forged.json');
  await writeFile(forged, leaf.replace('key.issued', 'key.issueD'));
  const check = async (file: string) => {
    const offline = { PATH: environment['PATH'] ?? '' };
    const { code, out } = await sallyport(offline, [
      'audit',
      'check-proof',
      file,
      `${base}.tlog-proof`,
      '--key',
      key,
    ]);
    return `exit ${code}: ${out.startsWith('The proof holds') ? 'it holds' : 'it does not hold'}`;
  };
  const [good, bad] = await together([check(`${base}.json`), check(forged)]);
  ledger.compare('audit check-proof, of a key.issued', 'exit 0: it holds', good);
  ledger.compare('the same, one letter changed', 'exit 1: it does not hold', bad);
}
