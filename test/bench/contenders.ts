import { join } from 'node:path';
import type { Plan } from './plan.js';
import type { PlainSettings, SallyportSettings } from './servers/settings.js';

/** One server under test: one row of the table. */
export interface Contender {
  readonly id: string;
  readonly label: string;
  readonly tools: number;
  /** Entry file beside this one. */
  readonly entry: `./servers/${string}.main.js`;
  readonly settings: PlainSettings | SallyportSettings;
  readonly credential: Credential;
  /** What it is asked. Default: calls of its tools, by turns. */
  readonly asked?: 'lists';
}

/** What calls carry. `garbage` is refused: with 401 by one who judges it, with 429 by one who had too much of it. */
export type Credential = 'none' | 'token' | 'key' | 'garbage';

/** What all servers of one run share. */
export interface Surroundings {
  readonly issuer: string;
  readonly resource: string;
  /** Where databases go. */
  readonly directory: string;
}

/** Everything is compared to this one with the same number of tools. */
export const BASELINE = 'sdk';
export const CATALOG_SIZES = [20, 200] as const;

/** In the order in which they take their turns. */
export function contenders(surroundings: Surroundings, { explain }: Pick<Plan, 'explain'>): Contender[] {
  const [few, many] = CATALOG_SIZES;
  return [
    ...compared(few, surroundings),
    ...(explain ? explaining(few, surroundings) : []),
    ...compared(many, surroundings),
  ];
}

function compared(tools: number, surroundings: Surroundings): Contender[] {
  return [
    {
      id: BASELINE,
      label: 'SDK handler, no authorization',
      tools,
      entry: './servers/sdk.main.js',
      settings: { tools },
      credential: 'none',
    },
    sallyport('fastify', 'Sallyport on Fastify', surroundings, { tools }),
    sallyport('express', 'Sallyport on Express', surroundings, { tools, platform: 'express' }),
  ];
}

/** Rows that say where the time goes. */
function explaining(tools: number, surroundings: Surroundings): Contender[] {
  return [
    sallyport('fastify-memory', 'Fastify, audit in memory', surroundings, { tools, audit: 'memory' }),
    {
      id: 'node',
      label: 'node:http, same answer, no MCP',
      tools,
      entry: './servers/node.main.js',
      settings: { tools },
      credential: 'none',
    },
  ];
}

export function sallyport(
  id: string,
  label: string,
  { issuer, resource, directory }: Surroundings,
  changes: Pick<SallyportSettings, 'tools'> & Partial<SallyportSettings>,
  credential: Credential = 'token',
): Contender {
  const database = join(directory, `${id}-${changes.tools}.sqlite`);
  const settings: SallyportSettings = {
    platform: 'fastify',
    access: 'guarded',
    audit: 'durable',
    keys: false,
    tokenCache: 'default',
    failureLimit: 'default',
    issuer,
    resource,
    database,
    ...changes,
  };
  return {
    id,
    label,
    tools: changes.tools,
    entry: './servers/sallyport.main.js',
    settings,
    credential,
  };
}
