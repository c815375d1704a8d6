import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { builtFile } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import type { Stage } from './stage.js';

const nullable = z.string().nullable();

const record = z.object({
  kind: z.string(),
  via: z.string(),
  address: nullable,
  protocol: nullable,
  server: z.string(),
  resource: z.string(),
  principalKind: nullable,
  issuer: nullable,
  subject: nullable,
  tenant: nullable,
  client: nullable,
  credential: nullable,
  scopesGranted: z.array(z.string()),
  scopesRequired: z.array(z.string()),
  entry: nullable,
  decision: nullable,
  reason: nullable,
  outcome: nullable,
  action: nullable,
  target: nullable,
});

export type ActualRecord = z.output<typeof record>;

/** What the audit should say of one call. Server and resource are the same in all of them. */
export type ExpectedRecord = Readonly<
  Omit<ActualRecord, 'server' | 'resource' | 'scopesGranted' | 'scopesRequired'>
> & { readonly scopesGranted: readonly string[]; readonly scopesRequired: readonly string[] };

const SERVER = 'sallyport-office';

/**
 * Reads the audit with the command line and compares: one record for each call of the story, in its order, and no other.
 */
export async function checkAudit({ server, ledger, tokens }: Stage): Promise<ActualRecord[]> {
  ledger.chapter('The audit');
  const json = await auditList(server, '--json');
  const all = z.array(record).parse(JSON.parse(json));
  const starts = all.filter(({ action, via }) => action === 'server.started' && via === 'http');
  ledger.compare('starts of the server', '1', String(starts.length));
  const actual = all.filter(({ action }) => !isHousekeeping(action));
  ledger.compare('records', String(ledger.records.length), String(actual.length));
  ledger.records.forEach((expected, index) => {
    const found = actual[index];
    const wanted = columnsOf({ ...expected, server: SERVER, resource: server.resource });
    const got = found === undefined ? undefined : columnsOf(found);
    ledger.compare(
      `record ${index + 1}: ${expected.entry ?? expected.action ?? expected.kind}`,
      sentence(wanted, wanted, got),
      got === undefined ? 'no record' : sentence(got, wanted, got),
    );
  });
  for (const extra of actual.slice(ledger.records.length)) {
    ledger.compare('a record more', 'no record', `${extra.kind} ${extra.entry ?? extra.action ?? ''}`);
  }
  const leaked = tokens.filter((token) => holds(json, token) || holds(server.output(), token));
  ledger.compare('tokens in the audit or in the log', '0', String(leaked.length));
  return actual;
}

/** That a server began or ended, was seeded, or that somebody has read the audit: no part of the story. */
const HOUSEKEEPING = ['server.started', 'server.stopped', 'tenancy.crossed', 'audit.read'];

function isHousekeeping(action: string | null): boolean {
  return action !== null && HOUSEKEEPING.includes(action);
}

/** The part of it that nobody could make: the signature of a token, the secret of a key. */
function holds(text: string, token: string): boolean {
  const separator = token.startsWith('sp_') ? '_' : '.';
  return text.includes(token.slice(token.lastIndexOf(separator) + 1));
}

/** `sallyport audit list`, in the surroundings of the server. */
export async function auditList(server: ServerProcess, ...options: string[]): Promise<string> {
  const cli = builtFile('libs/sallyport/src/cli/main.js');
  const app = builtFile('src/app.module.js');
  const parameters = [cli, '--app', app, 'audit', 'list', '--limit', '200', ...options];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    env: { ...server.environment },
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

type Columns = Readonly<Record<string, string>>;

function columnsOf(row: ExpectedRecord & Pick<ActualRecord, 'server' | 'resource'>): Columns {
  return {
    decision: row.decision ?? '-',
    reason: row.reason ?? '-',
    outcome: row.outcome ?? '-',
    user: row.subject ?? 'nobody',
    'kind of caller': row.principalKind ?? '-',
    issuer: row.issuer ?? '-',
    tenant: row.tenant ?? '-',
    client: row.client ?? '-',
    credential: row.credential ?? '-',
    'scopes required': row.scopesRequired.toSorted().join(' ') || '-',
    'scopes granted': row.scopesGranted.toSorted().join(' ') || '-',
    server: row.server,
    resource: row.resource,
    entry: row.entry ?? '-',
    action: row.action ?? '-',
    target: row.target ?? '-',
    kind: row.kind,
    via: row.via,
    address: row.address ?? '-',
    protocol: row.protocol ?? '-',
  };
}

/** The columns that tell the story; the others are compared as well, and named where they differ. */
const SHOWN = ['decision', 'reason', 'outcome', 'user', 'tenant', 'scopes required'];

function sentence(row: Columns, wanted: Columns, got: Columns | undefined): string {
  const differing = Object.keys(wanted).filter((name) => got !== undefined && wanted[name] !== got[name]);
  const named = differing.filter((name) => !SHOWN.includes(name)).map((name) => `${name}: ${row[name]}`);
  return [
    SHOWN.map((name) => row[name])
      .filter((value) => value !== '-')
      .join(' · '),
    ...named,
  ].join('\n');
}
