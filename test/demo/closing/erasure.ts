import { auditList, readRecords } from '../audit-check.js';
import type { ActualRecord } from '../audit-check.js';
import { printed, together } from '../command-line.js';
import type { Ledger } from '../ledger.js';
import { LOOKS } from './auditor.js';
import type { Desk } from './closing.js';
import { findingsIn, verify } from './tampering.js';

/** A person is forgotten: no record changes, and none says any more who it was. */
export async function erasure({ server, ledger }: Desk, records: readonly ActualRecord[]): Promise<void> {
  ledger.chapter('Lena asked to be forgotten');
  const { environment, url } = server;
  const lena = ['--tenant', 'acme', '--issuer', `${url}/idp`, '--user', 'lena'];
  await printed(environment, ['audit', 'erase', ...lena, '--reason', 'request 17']);
  const [json, verified] = await together([auditList(server, '--json'), verify(environment)]);
  const now = readRecords(json);
  const hers = new Set(records.filter(({ subject }) => subject === 'lena').map(({ id }) => id));
  const names = now.filter(({ id }) => hers.has(id)).map(({ subject }) => subject ?? 'nobody');
  ledger.compare(
    `whom her ${hers.size} records name`,
    `${hers.size} times: erased`,
    `${names.length} times: ${[...new Set(names)].join(' ')}`,
  );
  ledger.compare('her name anywhere', 'no', json.includes('"lena"') ? 'yes' : 'no');
  ledger.compare('audit verify', 'exit 0: nothing', findingsIn(verified, records));
  compareKept(ledger, now);
}

/** What happened since the story ended. */
function compareKept(ledger: Ledger, now: readonly ActualRecord[]): void {
  ledger.chapter('And all of that is recorded');
  const times = (wanted: string, way: string, by?: string) =>
    String(
      now.filter(
        ({ action, via, subject }) =>
          action === wanted && via === way && (by === undefined || subject === by),
      ).length,
    );
  ledger.compare('audit.read over HTTP by Vera', String(LOOKS.vera), times('audit.read', 'http', 'vera'));
  ledger.compare('the same by Priya, refused', String(LOOKS.priya), times('audit.read', 'http', 'priya'));
  ledger.compare('server.stopped', '1', times('server.stopped', 'http'));
  ledger.compare('audit.exported', '2', times('audit.exported', 'cli'));
  ledger.compare('audit.erased', '1', times('audit.erased', 'cli'));
}
