import { TENANT_SETTING } from './tenant-setting.js';
import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/** Settings by which PostgreSQL would read the next statement otherwise than {@link tokenize} does. */
const READING = ['standard_conforming_strings', 'client_encoding'];

/**
 * Only this library says on PostgreSQL whose rows a transaction sees. A name that is put together in the statement, as in
 * `set_config('sallyport' || '.tenant', …)`, could be that of any setting.
 *
 * @throws TenancyError `unscopable`
 */
export function refuseSettings(statement: string, tokens: readonly Token[]): void {
  const text = statement.toLowerCase();
  if (text.includes(TENANT_SETTING) || tokens.some((_, index) => isTenantSetting(tokens, index)))
    throw unscopable('the setting that names the tenant');
  if (
    READING.some((name) => text.includes(name)) ||
    (tokens[0]?.name === 'set' && tokens[1]?.name === 'names')
  )
    throw unscopable('a setting by which statements are read');
  if (tokens.some(({ name }, index) => name === 'set_config' && !isPlainSetting(tokens, index)))
    throw unscopable('set_config without the name of the setting as a plain text');
  if (tokens.some(({ name }) => name === 'pg_settings') && tokens.some(({ name }) => name === 'update'))
    throw unscopable('a change of settings');
}

/** `"sallyport"."tenant"`, or with anything between that is no word. */
function isTenantSetting(tokens: readonly Token[], at: number): boolean {
  const parts = tokens.slice(at, at + 3).map(({ name }) => name);
  return parts.join('') === TENANT_SETTING;
}

/** `set_config('app.user', …`, where the name is all there is to it. */
function isPlainSetting(tokens: readonly Token[], at: number): boolean {
  const [opens, name, comma] = tokens.slice(at + 1, at + 4);
  return opens?.text === '(' && name?.text.startsWith("'") === true && comma?.text === ',';
}
