import { isIP } from 'node:net';

import { isPlainObject } from '@sallyport/mcp';

import { CLASSES, EVERY_CLASS, OBJECTS, PATTERNS, type OcsfTable } from './ocsf-1.8.fixture.js';

interface Attribute {
  readonly type: string;
  readonly isList: boolean;
  readonly isRequired: boolean;
  readonly profile: string | undefined;
  readonly values: ReadonlySet<number> | undefined;
}

/** What is wrong with an event by the schema, each with its path; empty: it is valid. */
export function ocsfProblems(event: unknown): string[] {
  if (!isPlainObject(event)) return ['the event is no object'];
  const { class_uid: uid, activity_id: activity, category_uid: category, type_uid: type } = event;
  const table = typeof uid === 'number' ? CLASSES[uid] : undefined;
  if (typeof uid !== 'number' || table === undefined)
    return [`class_uid: ${String(uid)} is no class of the table`];
  const attributes = `${EVERY_CLASS} ${table.attributes}`;
  return [
    ...objectProblems(event, { ...table, attributes }, '', profilesOf(event)),
    ...(category === Math.floor(uid / 1000) ? [] : ['category_uid: is not that of the class']),
    ...(type === uid * 100 + Number(activity) ? [] : ['type_uid: is not class_uid * 100 + activity_id']),
  ];
}

function profilesOf({ metadata }: Record<string, unknown>): ReadonlySet<unknown> {
  const profiles = isPlainObject(metadata) ? metadata['profiles'] : undefined;
  return new Set(Array.isArray(profiles) ? profiles : []);
}

function objectProblems(
  value: Record<string, unknown>,
  table: OcsfTable,
  path: string,
  profiles: ReadonlySet<unknown>,
): string[] {
  const attributes = attributesOf(table.attributes);
  const missing = [...attributes]
    .filter(([, { isRequired, profile }]) => isRequired && (profile === undefined || profiles.has(profile)))
    .filter(([name]) => value[name] === undefined)
    .map(([name]) => `${path}${name}: is required`);
  const { atLeastOne } = table;
  const none = atLeastOne?.every((name) => value[name] === undefined) === true;
  return [
    ...missing,
    ...(none ? [`${path}: has none of ${atLeastOne.join(', ')}`] : []),
    ...Object.entries(value).flatMap(([name, member]) =>
      memberProblems(member, attributes.get(name), `${path}${name}`, profiles),
    ),
  ];
}

function memberProblems(
  value: unknown,
  attribute: Attribute | undefined,
  path: string,
  profiles: ReadonlySet<unknown>,
): string[] {
  if (attribute === undefined) return [`${path}: is no attribute`];
  const { profile, isList, values } = attribute;
  if (profile !== undefined && !profiles.has(profile)) return [`${path}: needs the profile ${profile}`];
  if (values !== undefined && !values.has(Number(value)))
    return [`${path}: ${String(value)} is no value of it`];
  if (!isList) return valueProblems(value, attribute.type, path, profiles);
  if (!Array.isArray(value)) return [`${path}: is no list`];
  return value.flatMap((item, index) => valueProblems(item, attribute.type, `${path}[${index}]`, profiles));
}

function valueProblems(value: unknown, type: string, path: string, profiles: ReadonlySet<unknown>): string[] {
  if (type === 'object') return isPlainObject(value) ? [] : [`${path}: is no object`];
  if (type === 'json_t') return [];
  if (type.endsWith('_t')) return isOfType(value, type) ? [] : [`${path}: is no ${type}`];
  const table = OBJECTS[type];
  if (table === undefined) return [`${path}: ${type} is not in the table`];
  return isPlainObject(value)
    ? objectProblems(value, table, `${path}.`, profiles)
    : [`${path}: is no object`];
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'integer_t':
    case 'long_t':
    case 'timestamp_t':
      return Number.isSafeInteger(value);
    case 'port_t':
      return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
    case 'boolean_t':
      return typeof value === 'boolean';
    case 'ip_t':
      return typeof value === 'string' && isIP(value) !== 0;
    default:
      return typeof value === 'string' && (PATTERNS[type]?.test(value) ?? true);
  }
}

const TOKEN = /^(\w+):(\w+)(\[\])?([!*])?(?:@(\w+))?(?:\{([\d,]+)\})?$/;

function attributesOf(text: string): Map<string, Attribute> {
  return new Map(text.trim().split(/\s+/).map(attributeOf));
}

function attributeOf(token: string): [string, Attribute] {
  const [, name, type, list, requirement, profile, values] = TOKEN.exec(token) ?? [];
  if (name === undefined || type === undefined) throw new Error(`The table of OCSF holds ${token}.`);
  return [
    name,
    {
      type,
      isList: list !== undefined,
      isRequired: requirement === '!',
      profile,
      values: values === undefined ? undefined : new Set(values.split(',').map(Number)),
    },
  ];
}
