import { isPlainObject, type CallArguments } from '@sallyport/mcp';

/**
 * Whether the argument at this path names the tenant. A list on the way is walked through: each of its items has to, and an
 * empty list names nobody. What is missing, or is no text, does not.
 *
 * @example
 * namesTenant({ customers: [{ tenant: 'acme' }, { tenant: 'globex' }] }, 'customers.tenant', 'acme'); // false
 */
export function namesTenant(values: CallArguments, path: string, tenant: string): boolean {
  return everyValueIs(values, path.split('.'), tenant);
}

/** Own members only, so that no path leads into a prototype. */
function everyValueIs(value: unknown, path: readonly string[], tenant: string): boolean {
  if (Array.isArray(value))
    return value.length > 0 && value.every((item) => everyValueIs(item, path, tenant));
  const [name, ...rest] = path;
  if (name === undefined) return value === tenant;
  return isPlainObject(value) && Object.hasOwn(value, name) && everyValueIs(value[name], rest, tenant);
}

/**
 * The same, while a client still completes the arguments (`completion/complete`): of `completing` only the beginning is
 * there. Another that is not there yet names nobody. They are texts, side by side.
 */
export function mayNameTenant(
  values: CallArguments,
  path: string,
  tenant: string,
  completing: string,
): boolean {
  const value = Object.hasOwn(values, path) ? values[path] : undefined;
  return path === completing ? typeof value === 'string' && tenant.startsWith(value) : value === tenant;
}
