import type { INestApplicationContext } from '@nestjs/common';
import {
  callInProcess,
  explainCall,
  listInProcess,
  madeUpPrincipal,
  policyMatrixText,
  type EntryKind,
  type Explanation,
  type InProcessCall,
  type PrincipalFacts,
} from 'sallyport';
import { ListRefused, outcomeOf, type CallOutcome } from './call-outcome.js';

/** What can be listed. */
export type ListName = 'tools' | 'resources' | 'templates' | 'prompts';

/** Somebody who calls the application under test. */
export interface TestCaller {
  /** Calls a tool: through the gate, recorded, and run when it is permitted. */
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<CallOutcome>;
  /** Reads a resource by its URI. */
  read(uri: string): Promise<CallOutcome>;
  /** Gets a prompt; its arguments are strings. */
  prompt(name: string, args?: Readonly<Record<string, string>>): Promise<CallOutcome>;
  /**
   * The names this caller is shown, in the order they are shown.
   *
   * @throws ListRefused when the list itself is refused
   */
  list(what: ListName): Promise<readonly string[]>;
  /** Why a call would run or be refused; nothing runs, and nothing is recorded. `kind` is `tool` unless it is said. */
  explain(target: string, args?: Readonly<Record<string, unknown>>, kind?: EntryKind): Promise<Explanation>;
}

/** Signs somebody in by facts instead of a credential; what is left out they do not have. */
export interface SignIn {
  (facts: PrincipalFacts): TestCaller;
  /** Somebody without a credential. */
  anonymous(): TestCaller;
}

/**
 * Calls an application within this process as anybody. Only the credential is left out: the gate decides and records, and
 * the pipeline runs, as with every other call. Refused in production.
 *
 * @param app a `TestingModule`, an application, or an application context with the `SallyportModule`
 * @example
 * const as = signInTo(app);
 * const outcome = await as({ tenant: 'acme', roles: ['agent:read-only'], scopes: ['crm:read'] }).call('crm_open_record', { recordId });
 * expect(outcome).toBePermitted();
 */
export function signInTo(app: INestApplicationContext): SignIn {
  if (process.env['NODE_ENV'] === 'production')
    throw new Error('signInTo() makes callers up, so it is refused with NODE_ENV=production.');
  return Object.assign((facts: PrincipalFacts) => callerOf(app, facts), {
    anonymous: () => callerOf(app, undefined),
  });
}

/**
 * Which role, and which scope, reaches which entry, of those that exist at this moment: what classes declare, and what was
 * registered. Readable text that is the same for the same policy.
 *
 * @example expect(await policyMatrix(app)).toMatchSnapshot();
 */
export async function policyMatrix(app: INestApplicationContext): Promise<string> {
  await app.init();
  return policyMatrixText(app);
}

const METHODS = {
  tools: 'tools/list',
  resources: 'resources/list',
  templates: 'resources/templates/list',
  prompts: 'prompts/list',
} as const;

function callerOf(app: INestApplicationContext, facts: PrincipalFacts | undefined): TestCaller {
  // Made for each call, so that a sign-in some seconds ago is that old at every one.
  const made = (call: Omit<InProcessCall, 'as'>): InProcessCall => ({
    ...call,
    as: facts === undefined ? undefined : madeUpPrincipal(facts),
  });
  const run = async (call: Omit<InProcessCall, 'as'>): Promise<CallOutcome> => {
    await app.init();
    return outcomeOf(await callInProcess(app, made(call)));
  };
  return {
    call: (target, args) => run({ kind: 'tool', target, arguments: args }),
    read: (target) => run({ kind: 'resource', target }),
    prompt: (target, args) => run({ kind: 'prompt', target, arguments: args }),
    list: async (what) => {
      await app.init();
      const { as } = made({ kind: 'tool', target: '' });
      const listed = await listInProcess(app, as, METHODS[what]);
      if ('error' in listed) throw new ListRefused(listed);
      return listed.map(({ name }) => String(name));
    },
    explain: async (target, args, kind = 'tool') => {
      await app.init();
      return explainCall(app, made({ kind, target, arguments: args }));
    },
  };
}
