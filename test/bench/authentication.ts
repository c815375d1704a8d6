import { sallyport, type Contender, type Surroundings } from './contenders.js';
import type { Plan } from './plan.js';

const TOOLS = 20;

/** The server of the first table on Fastify; the baseline comes first. Each is a process of its own. */
export function authenticationContenders(surroundings: Surroundings, { explain }: Plan): Contender[] {
  const row = (id: string, label: string, credential: Contender['credential'], changes: Changes = {}) =>
    sallyport(`auth-${id}`, label, surroundings, { tools: TOOLS, ...changes }, credential);
  return [
    row('none', 'public tools, no credential', 'none', { access: 'public' }),
    row('cached', 'JWT, verified before', 'token'),
    row('uncached', 'JWT, verified every time', 'token', { tokenCache: 'off' }),
    row('key', 'API key', 'key', { keys: true }),
    row('garbage', 'garbage, over the limit', 'garbage'),
    ...(explain ? [row('judged', 'garbage, limit lifted', 'garbage', { failureLimit: 'lifted' })] : []),
  ];
}

type Changes = Partial<Parameters<typeof sallyport>[3]>;
