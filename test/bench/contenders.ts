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
  readonly credential: boolean;
}

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
      credential: false,
    },
    sallyport('fastify', 'Sallyport on Fastify', surroundings, { tools }),
    sallyport('express', 'Sallyport on Express', surroundings, { tools, platform: 'express' }),
  ];
}

/** Rows that say where the time goes. */
function explaining(tools: number, surroundings: Surroundings): Contender[] {
  return [
    sallyport('fastify-memory', 'Fastify, audit in memory', surroundings, { tools, audit: 'memory' }),
    sallyport('fastify-public', 'Fastify, public tools, no token', surroundings, {
      tools,
      access: 'public',
    }),
    {
      id: 'node',
      label: 'node:http, same answer, no MCP',
      tools,
      entry: './servers/node.main.js',
      settings: { tools },
      credential: false,
    },
  ];
}

function sallyport(
  id: string,
  label: string,
  { issuer, resource, directory }: Surroundings,
  changes: Pick<SallyportSettings, 'tools'> & Partial<SallyportSettings>,
): Contender {
  const database = join(directory, `${id}-${changes.tools}.sqlite`);
  const settings: SallyportSettings = {
    platform: 'fastify',
    access: 'guarded',
    audit: 'durable',
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
    credential: settings.access === 'guarded',
  };
}
