import { randomUUID } from 'node:crypto';
import { SEED } from '../../../src/office/seed/seed.js';
import { describeRefusal, listOf, shown, structured, textOf } from '../answer.js';
import type { Answer, Fields } from '../answer.js';
import { failed, permitted, refused } from '../records.js';
import type { Actor, Stage } from '../stage.js';

const SCOPES = ['crm:read'];
const [ACME] = SEED.acme.records;
const [OWN, OTHER] = SEED.globex.records;
const UNKNOWN = describeRefusal({ status: 200, code: -32602, reason: 'unknown' });

/** Another tenant may be named deep inside the arguments, or in a URI; what it has looks like what there is not. */
export async function anotherTenant(stage: Stage): Promise<void> {
  stage.ledger.chapter(`Gus names a tenant: nested in the arguments, and in a URI (${SCOPES.join(' ')})`);
  const actor = await stage.signedIn('gus', SCOPES);
  await nested(stage, actor);
  await inUri(stage, actor);
}

async function nested(stage: Stage, actor: Actor): Promise<void> {
  const compare = (what: string, second: Fields, expected: string, record = NESTED_REFUSED) =>
    stage.step({
      call: `crm_compare_records: ${what}`,
      actor,
      ask: (talk) =>
        talk.callTool('crm_compare_records', { records: [{ tenant: 'globex', recordId: OWN.id }, second] }),
      summary: namesIn,
      expected,
      record,
    });
  const { compareBytes } = bytes(stage);
  await compare(
    'two of his own',
    { tenant: 'globex', recordId: OTHER.id },
    `HTTP 200: ${OWN.name}, ${OTHER.name}`,
    permitted('crm_compare_records', 'crm:read'),
  );
  const foreign = await compare('the second of acme', { tenant: 'acme', recordId: ACME.id }, UNKNOWN);
  const nobodys = await compare('of no tenant', { tenant: 'initech', recordId: randomUUID() }, UNKNOWN);
  compareBytes(foreign, nobodys);
  // The name is right, and the id is not: then it is the rows that know.
  const disguised = await compare(
    "Acme's id as his own",
    { tenant: 'globex', recordId: ACME.id },
    'HTTP 200, tool error: No such record.',
    failed('crm_compare_records', 'crm:read'),
  );
  const missing = await compare(
    'a random id',
    { tenant: 'globex', recordId: randomUUID() },
    'HTTP 200, tool error: No such record.',
    failed('crm_compare_records', 'crm:read'),
  );
  compareBytes(disguised, missing);
}

const NESTED_REFUSED = refused('crm_compare_records', 'tenant', 'crm:read');

async function inUri(stage: Stage, actor: Actor): Promise<void> {
  const read = (
    what: string,
    uri: string,
    expected: string,
    record = refused('crm_record', 'tenant', 'crm:read'),
  ) =>
    stage.step({
      call: `resources/read ${what}`,
      actor,
      ask: (talk) => talk.readResource(uri),
      summary: (result) => shown(JSON.parse(textOf(result)).name),
      expected,
      record,
    });
  await read(
    'crm://globex/…',
    `crm://globex/${OWN.id}`,
    `HTTP 200: ${OWN.name}`,
    permitted('crm_record', 'crm:read'),
  );
  const foreign = await read('crm://acme/…', `crm://acme/${ACME.id}`, UNKNOWN);
  const nobodys = await read('crm://initech/…', `crm://initech/${randomUUID()}`, UNKNOWN);
  bytes(stage).compareBytes(foreign, nobodys);
}

function bytes({ ledger }: Stage) {
  return {
    compareBytes: (one: Answer, other: Answer) =>
      ledger.compareBytes('both answers, but for the id', one.raw, other.raw),
  };
}

function namesIn(result: Fields): string {
  return listOf(structured(result)['records'])
    .map(({ name }) => shown(name))
    .join(', ');
}
