import { sallyport, type Contender, type Surroundings } from './contenders.js';

const TOOLS = 200;
const BASELINES = new Set(['lists-open', 'lists-open-recorded']);

/** `tools/list` for the bearer of a token: every tool is public, or each is decided on. Both pairs show the same. */
export function listContenders(surroundings: Surroundings): Contender[] {
  const row = (id: string, label: string, changes: Changes): Contender => ({
    ...sallyport(id, label, surroundings, { tools: TOOLS, ...changes }),
    asked: 'lists',
  });
  return [
    row('lists-open', 'HTTP: public, nothing recorded', { access: 'public', audit: 'off' }),
    row('lists-decided', 'HTTP: decided, nothing recorded', { audit: 'off' }),
    row('lists-open-recorded', 'HTTP: public, recorded', { access: 'public' }),
    row('lists-decided-recorded', 'HTTP: decided, recorded', {}),
  ];
}

export function isListBaseline(id: string): boolean {
  return BASELINES.has(id);
}

type Changes = Partial<Parameters<typeof sallyport>[3]>;
