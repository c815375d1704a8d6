import { Store } from '@sallyport/store';
import type { DataSourceOptions } from 'typeorm';
import { attempt, call, list, principal, refusal } from '../../../../test/support/audit-events.js';
import { DIALECTS, testDatabases } from '../../../../test/support/test-databases.js';
import type { ApiKeyRecord } from './api-key-record.entity.js';
import { API_KEY_TABLES, ApiKeyStore } from './api-key.store.js';
import { API_KEY_ISSUER } from './api-key.strategy.js';
import { ApiKeyUses } from './api-key.uses.js';
import { newKey } from './key-format.js';

const databases = testDatabases('api_keys');

async function openStore(database: DataSourceOptions): Promise<Store> {
  const name = { of: 'the identity sources', option: 'identityStore', applicationName: 'sallyport-identity' };
  const store = await Store.open(database, name, [API_KEY_TABLES], { migrations: 'run', timeoutMs: 5000 });
  databases.closeAfterTest(() => store.close());
  return store;
}

function record(overrides: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  const { id } = newKey('live');
  return {
    id,
    series: id,
    name: 'nightly export',
    environment: 'live',
    tenant: 'acme',
    scopes: ['crm:read', 'crm:write'],
    roles: ['agent with a blank'],
    ranges: ['192.0.2.0/24'],
    hash: 'a'.repeat(64),
    pepper: '1',
    issuedAt: 1_800_000_000_000,
    issuedByIssuer: 'https://id.acme.example',
    issuedBySubject: 'marco',
    expiresAt: 1_900_000_000_000,
    revokedAt: null,
    replacedBy: null,
    lastUsedAt: null,
    lastUsedEntry: null,
    ...overrides,
  };
}

describe.each(DIALECTS)('the keys in %s', (type) => {
  let store: Store;
  let keys: ApiKeyStore;
  beforeEach(async () => {
    store = await openStore(await databases.fresh(type));
    keys = new ApiKeyStore(store);
  });

  it('have an entity and a migration that agree', async () => {
    const { upQueries } = await store.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('are found as they were added', async () => {
    const [one, other] = [record(), record({ tenant: null, ranges: [], revokedAt: 5 })];
    await keys.add(one);
    await keys.add(other);
    expect(await keys.find(one.id)).toEqual(one);
    expect(await keys.find(other.id)).toEqual(other);
    expect(await keys.find("x' OR '1'='1")).toBeUndefined();
  });

  it('are listed by tenant, the newest first', async () => {
    const old = record({ issuedAt: 1 });
    const young = record({ issuedAt: 2 });
    const [foreign, homeless] = [record({ tenant: 'globex' }), record({ tenant: null })];
    for (const each of [old, young, foreign, homeless]) await keys.add(each);
    const ids = async (tenant: string | null | undefined) => (await keys.list(tenant)).map(({ id }) => id);
    expect(await ids('acme')).toEqual([young.id, old.id]);
    expect(await ids(null)).toEqual([homeless.id]);
    expect(await ids(undefined)).toHaveLength(4);
  });

  it('are revoked once', async () => {
    const { id } = record();
    await keys.add(record({ id }));
    expect([await keys.revoke(id, 7), await keys.revoke(id, 8)]).toEqual([true, false]);
    expect(await keys.find(id)).toMatchObject({ revokedAt: 7 });
  });

  it('have one successor, and none when they are revoked', async () => {
    const [one, other] = [record(), record({ revokedAt: 1 })];
    await keys.add(one);
    await keys.add(other);
    expect([await keys.supersede(one.id, 'b', 9), await keys.supersede(one.id, 'c', 10)]).toEqual([
      true,
      false,
    ]);
    expect(await keys.supersede(other.id, 'd', 9)).toBe(false);
    expect(await keys.find(one.id)).toMatchObject({ replacedBy: 'b', expiresAt: 9 });
  });

  it('tell their last use, whatever order uses are written in', async () => {
    const key = record();
    await keys.add(key);
    await keys.noteUse(key.id, 20, 'crm_open_record');
    await keys.noteUse(key.id, 10, 'crm_update_record');
    expect(await keys.find(key.id)).toMatchObject({ lastUsedAt: 20, lastUsedEntry: 'crm_open_record' });
  });

  it('note the newest use of each key, in few statements, and what is left when the store closes', async () => {
    const [one, other] = [record(), record()];
    await keys.add(one);
    await keys.add(other);
    const uses = new ApiKeyUses(keys);
    store.beforeClose(() => uses.write());
    const caller = (id: string) =>
      principal({ kind: 'api-key', issuer: API_KEY_ISSUER, credential: { kind: 'api-key', id } });
    for (let turn = 1; turn <= 50; turn += 1)
      uses.note(attempt({ at: new Date(turn), call: call({ principal: caller(one.id) }) }));
    uses.note(
      refusal({
        at: new Date(60),
        call: call({ principal: caller(other.id), entry: undefined, target: 'canary' }),
      }),
    );
    uses.note(list());
    uses.note(attempt({ call: call({ principal: undefined }) }));
    const { options } = store.dataSource;
    await store.close();
    const again = new ApiKeyStore(await openStore(options));
    expect(await again.find(one.id)).toMatchObject({ lastUsedAt: 50, lastUsedEntry: 'crm_open_record' });
    expect(await again.find(other.id)).toMatchObject({ lastUsedAt: 60, lastUsedEntry: 'tools/call' });
  });
});
