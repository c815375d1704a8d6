import { randomUUID } from 'node:crypto';
import { fieldsOf, listOf, shown } from '../answer.js';
import type { Fields } from '../answer.js';
import type { ActualRecord } from '../audit-check.js';
import type { Actor, Stage } from '../stage.js';

/** An auditor reads over HTTP, of the own tenant alone. What was asked is recorded before it is answered. */
export async function auditor(stage: Stage, records: readonly ActualRecord[]): Promise<void> {
  const { ledger } = stage;
  ledger.chapter('Vera (acme, auditor) reads the audit over HTTP, with audit:read');
  const vera = await stage.signedIn('vera', ['audit:read']);
  const all = await read(stage, vera, '?limit=200');
  const tenants = new Set(listOf(all.body['records']).map(({ tenant }) => shown(tenant)));
  ledger.compare(
    'GET /audit: tenants of its records',
    'HTTP 200: acme',
    `HTTP ${all.status}: ${[...tenants].join(' ')}`,
  );
  const ofGus = await read(stage, vera, '?user=gus');
  ledger.compare(
    'GET /audit?user=gus',
    'HTTP 200: []',
    `HTTP ${ofGus.status}: ${JSON.stringify(ofGus.body['records'])}`,
  );

  const ofAcme = await read(stage, vera, `/${idOf(records, 'acme')}`);
  const parts = listOf(ofAcme.body['records']).map(({ kind }) => shown(kind));
  ledger.compare(
    'GET /audit/… one call of acme',
    'HTTP 200: attempt, outcome',
    `HTTP ${ofAcme.status}: ${parts.join(', ')}`,
  );
  const ofGlobex = await read(stage, vera, `/${idOf(records, 'globex')}`);
  ledger.compare('GET /audit/… one call of globex', 'HTTP 404', `HTTP ${ofGlobex.status}`);
  const ofNobody = await read(stage, vera, `/${randomUUID()}`);
  ledger.compareBytes('GET /audit/… a random id: the same', ofGlobex.text, ofNobody.text);

  const priya = await stage.signedIn('priya', ['audit:read']);
  const refused = await read(stage, priya, '');
  ledger.compare('GET /audit, Priya (contributor)', 'HTTP 404', `HTTP ${refused.status}`);
}

/** How often Vera and Priya looked, as above. */
export const LOOKS = { vera: 5, priya: 1 };

interface Read {
  readonly status: number;
  readonly text: string;
  readonly body: Fields;
}

async function read({ server }: Stage, { token }: Actor, path: string): Promise<Read> {
  const response = await fetch(`${server.url}/audit${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  return { status: response.status, text, body: fieldsOf(JSON.parse(text)) };
}

function idOf(records: readonly ActualRecord[], of: string): string {
  const found = records.find(({ kind, tenant }) => kind === 'attempt' && tenant === of);
  if (found === undefined) throw new Error(`There is no call of ${of}.`);
  return found.id;
}
