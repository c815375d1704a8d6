import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ServerProcess } from '../support/server-process.js';
import { printed } from './command-line.js';
import type { Explained } from './explainer.js';
import type { Stage } from './stage.js';

const nullable = z.string().nullable();

const check = z.object({ name: z.string(), passed: z.boolean(), detail: z.string() });

const record = z.object({
  id: z.string(),
  argumentsDigest: nullable,
  policyVersion: nullable,
  checks: z.array(check).nullable(),
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
  Omit<ActualRecord, 'server' | 'resource' | 'scopesGranted' | 'scopesRequired' | NotForeseen>
> & { readonly scopesGranted: readonly string[]; readonly scopesRequired: readonly string[] };

/** What nobody could write down beforehand. */
type NotForeseen = 'id' | 'argumentsDigest' | 'policyVersion' | 'checks';

const SERVER = 'sallyport-office';

/**
 * Reads the audit with the command line and compares: one record for each call of the story, in its order, and no other.
 */
export async function checkAudit(stage: Stage): Promise<ActualRecord[]> {
  const { server, ledger, tokens } = stage;
  ledger.chapter('The audit');
  const json = await auditList(server, '--json');
  const all = readRecords(json);
  compareLives(stage, all);
  const actual = all.filter((row) => !isHousekeeping(row));
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

/** Each process says when it begins to serve and when it ends. The server itself goes on. */
function compareLives({ ledger, client }: Stage, all: readonly ActualRecord[]): void {
  const lives = (wanted: string, way: string) =>
    all.filter(({ action, via }) => action === wanted && via === way).length;
  // A client of 2025 has a process for its sessions as well, which is gone by now.
  const beside = client.sessions ? 1 : 0;
  ledger.compare(
    'servers that started, and stopped',
    `${1 + beside}, ${beside}`,
    `${lives('server.started', 'http')}, ${lives('server.stopped', 'http')}`,
  );
  const started = lives('server.started', 'stdio');
  ledger.compare(
    'processes over stdio that started, and have not stopped',
    'some, 0',
    [started > 0 ? 'some' : 'none', started - lives('server.stopped', 'stdio')].join(', '),
  );
}

/** That a server began or ended, or was seeded, and what the command line has read: no part of the story. */
const HOUSEKEEPING = ['server.started', 'server.stopped', 'tenancy.crossed'];

function isHousekeeping({ action, via }: ActualRecord): boolean {
  return action !== null && (HOUSEKEEPING.includes(action) || (action === 'audit.read' && via === 'cli'));
}

/** What `sallyport audit list --json` prints. */
export function readRecords(json: string): ActualRecord[] {
  return z.array(record).parse(JSON.parse(json));
}

/** The part of it that nobody could make: the signature of a token, the secret of a key. */
function holds(text: string, token: string): boolean {
  const separator = token.startsWith('sp_') ? '_' : '.';
  return text.includes(token.slice(token.lastIndexOf(separator) + 1));
}

/** `sallyport audit list`, in the surroundings of the server. */
export function auditList({ environment }: ServerProcess, ...options: string[]): Promise<string> {
  return printed(environment, ['audit', 'list', '--limit', '1000', ...options]);
}

/** The reason and every check of each refusal, as `policy explain` gave them and as the record has them. */
export function checkExplanations({ ledger }: Stage, records: readonly ActualRecord[]): void {
  ledger.chapter('Why: what policy explain said of each refusal, and what its record says');
  for (const [at, explained] of ledger.explanations) {
    const { entry, kind } = ledger.records[at] ?? { entry: null, kind: 'no record' };
    const found = records[at];
    const got = found === undefined ? 'no record' : why(found);
    ledger.compare(`record ${at + 1}: ${entry ?? kind}`, why(explained), got);
  }
}

/** The checks that failed are told; a digest stands for all of it. */
function why({ reason, checks, policyVersion }: Explained): string {
  if (checks === null || checks.length === 0) return reason ?? '-';
  // It is another second when the question is asked again.
  const sentences = checks.map((one) => ({ ...one, detail: one.detail.replace(AGE, 'it was long ago') }));
  const failed = sentences.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`);
  const digest = createHash('sha256')
    .update(JSON.stringify([sentences, policyVersion]))
    .digest('hex');
  return [reason ?? '-', ...failed, `(all ${checks.length} checks: ${digest.slice(0, 8)})`].join('\n');
}

const AGE = /it was \d+ seconds ago/;

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
