import { TENANT_SETTING } from './tenant-setting.js';
import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/**
 * Settings that a transaction may have for itself. All others could change whose rows are seen, what a name means, or how
 * the next statement is read. One with a dot in its name belongs to an extension or to the application.
 */
const OWN_SETTINGS = new Set([
  'application_name',
  'idle_in_transaction_session_timeout',
  'jit',
  'lock_timeout',
  'plan_cache_mode',
  'statement_timeout',
  'synchronous_commit',
  'timezone',
  'transaction_timeout',
  'work_mem',
]);

/**
 * Only this library says on PostgreSQL whose rows a transaction sees, and no setting outlives the transaction that made
 * it. A name that is put together in the statement, as in `set_config('sallyport' || '.tenant', …)`, could be any.
 *
 * @throws TenancyError `unscopable`
 */
export function refuseSettings(statement: string, tokens: readonly Token[]): void {
  if (statement.toLowerCase().includes(TENANT_SETTING) || tokens.some((_, at) => isTenantSetting(tokens, at)))
    throw unscopable('the setting that names the tenant');
  if (tokens.some(({ name }) => name === 'pg_settings')) throw unscopable('the settings of PostgreSQL');
  if (tokens.some(({ name }, at) => name === 'set_config' && !setsOwn(tokens, at)))
    throw unscopable(
      "another set_config than of a setting of the transaction's own, as in set_config('app.user', …, true)",
    );
}

/** May a transaction have this setting for itself? The name is in lower case. */
export function isOwnSetting(name: string): boolean {
  return OWN_SETTINGS.has(name) || (/^\w+(\.\w+)+$/.test(name) && !name.startsWith('sallyport.'));
}

/** `"sallyport"."tenant"`, or with anything between that is no word. */
function isTenantSetting(tokens: readonly Token[], at: number): boolean {
  const parts = tokens.slice(at, at + 3).map(({ name }) => name);
  return parts.join('') === TENANT_SETTING;
}

/** `set_config('app.user', …, true)`: the name is a plain text, and the setting ends with the transaction. */
function setsOwn(tokens: readonly Token[], at: number): boolean {
  const [opens, name, comma] = tokens.slice(at + 1, at + 4);
  if (opens?.text !== '(' || name?.text.startsWith("'") !== true || comma?.text !== ',') return false;
  const closes = tokens.findIndex(
    ({ text, depth }, index) => index > at && text === ')' && depth === opens.depth,
  );
  const [before, last] = tokens.slice(closes - 2, closes);
  const endsWithTransaction =
    before?.text === ',' && before.depth === opens.depth + 1 && last?.name === 'true';
  return endsWithTransaction && isOwnSetting(name.name);
}
