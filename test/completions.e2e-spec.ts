import { Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import {
  Args,
  Caller,
  CurrentCall,
  handlerContextOf,
  McpCompletion,
  McpPolicy,
  McpPrompt,
  McpResource,
  type Principal,
  type RunningCall,
} from 'sallyport';
import { z } from 'zod';
import { breakAudit } from './support/broken-audit.js';
import { legacyClient, modernClient } from './support/clients.js';
import { TestIssuer } from './support/issuer.js';
import { comparable, ERAS, type Era, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';
import { StdioClient } from './support/stdio.js';

/** The arguments that completers were given. */
const seen: Json[] = [];

class OnlyShortBeginnings implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const value = handlerContextOf(context).call.arguments?.['ticketId'];
    return typeof value === 'string' && value.length < 20;
  }
}

@Injectable()
class Support {
  constructor(private readonly runs: Runs) {}

  @McpPrompt({
    name: 'triage',
    description: 'Triages a ticket.',
    scopes: ['tickets:read'],
    role: 'agent:read-only',
    input: z.object({ ticketId: z.string(), tone: z.string().optional() }),
    auditFields: ['tone'],
  })
  triage(@Args('ticketId') ticketId: string) {
    this.runs.note('prompt');
    return ticketId;
  }

  @McpCompletion({ prompt: 'triage', argument: 'ticketId' })
  @UseGuards(OnlyShortBeginnings)
  tickets(
    @Args('ticketId') beginning: string,
    @Args('tone') tone: unknown,
    @Caller() caller: Principal,
    @Args() all: Json,
  ) {
    seen.push(all);
    this.runs.note(`tickets ${beginning} ${String(tone)} ${caller.tenant}`);
    if (beginning === 'many') return Array.from({ length: 250 }, (_, index) => `T-${index}`);
    if (beginning === 'more') return { values: ['T-1'], total: 9, hasMore: true };
    if (beginning === 'number') return [7];
    if (beginning === 'throw') throw new Error('the store is on fire');
    return [`${beginning}-1`, `${beginning}-2`];
  }

  @McpResource({
    name: 'ticket',
    uri: 'tickets://{tenant}/{id}',
    description: 'A ticket.',
    scopes: ['tickets:read'],
    tenancy: { argument: 'tenant' },
  })
  ticket() {
    this.runs.note('resource');
    return 'a ticket';
  }

  @McpCompletion({ resource: 'ticket', argument: 'id' })
  ids(@Args('id') beginning: string, @CurrentCall() call: RunningCall) {
    this.runs.note(`ids ${beginning} ${call.call.method}`);
    return [`${beginning}7`];
  }

  @McpPrompt({ name: 'greet', description: 'Greets.', public: true, input: z.object({ name: z.string() }) })
  greet() {
    return 'hello';
  }

  @McpCompletion({ prompt: 'greet', argument: 'name' })
  names() {
    this.runs.note('names');
    return ['Ada'];
  }
}

const PERMITTED = { tenant: 'acme', scope: 'tickets:read', roles: ['agent:read-only'] };

function completion(ref: Json, name: string, value: string, known?: Json): { method: string; params: Json } {
  const context = known === undefined ? {} : { context: { arguments: known } };
  return { method: 'completion/complete', params: { ref, argument: { name, value }, ...context } };
}

const triage = (value: string, known?: Json) =>
  completion({ type: 'ref/prompt', name: 'triage' }, 'ticketId', value, known);
const ticket = (value: string, known?: Json) =>
  completion({ type: 'ref/resource', uri: 'tickets://{tenant}/{id}' }, 'id', value, known);

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token(PERMITTED);
});

afterAll(() => issuer.stop());

describe.each(WAYS)('completions on %s, %s', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Support] });
  });

  afterAll(() => server.close());

  const ask = (request: { method: string; params: Json }, as: string | undefined = token) =>
    server.observe(() => server.send({ era, token: as, ...request }));

  it('asks the completer of the argument, and records the attempt before it and the outcome behind it', async () => {
    const { answer, records, ran } = await ask(triage('T', { tone: 'calm' }));
    expect(answer.result?.['completion']).toEqual({ values: ['T-1', 'T-2'], total: 2, hasMore: false });
    expect(ran).toEqual(['tickets T calm acme']);
    expect(records).toMatchObject([
      { method: 'completion/complete', entry: 'triage', decision: 'permit', outcome: 'completed' },
    ]);
    expect(JSON.stringify(records)).not.toContain('T-1');
  });

  it('passes on what is known of arguments that the entry has, and of no others', async () => {
    const { answer, ran, records } = await ask(
      triage('T', { tone: 'calm', owner: 'mallory', constructor: 'x' }),
    );
    expect(answer.result?.['completion']).toMatchObject({ total: 2 });
    expect(ran).toEqual(['tickets T calm acme']);
    expect(Object.keys(seen.at(-1) ?? {})).toEqual(['tone', 'ticketId']);
    expect(records).toHaveLength(1);
    const strange = await ask(completion({ type: 'ref/prompt', name: 'triage' }, '__proto__', 'x'));
    expect(strange.answer.result?.['completion']).toMatchObject({ values: [] });
    expect(strange.ran).toEqual([]);
  });

  it('cuts off what is beyond a hundred values, and says that there are more', async () => {
    const { answer } = await ask(triage('many'));
    expect(answer.result?.['completion']).toMatchObject({ total: 250, hasMore: true });
    const { values } = (answer.result?.['completion'] ?? {}) as { values?: string[] };
    expect(values).toHaveLength(100);
  });

  it('takes the total from the completer', async () => {
    const { answer } = await ask(triage('more'));
    expect(answer.result?.['completion']).toEqual({ values: ['T-1'], total: 9, hasMore: true });
  });

  it.each(['number', 'throw'])('withholds what is no completion (%s)', async (value) => {
    const { answer, records } = await ask(triage(value));
    expect(answer.error).toMatchObject({ code: -32603, data: { reason: 'failed' } });
    expect(answer.text).not.toContain('on fire');
    expect(records).toMatchObject([{ outcome: 'failed' }]);
  });

  it('applies the guards of the completer', async () => {
    const { answer, ran } = await ask(triage('x'.repeat(30)));
    expect(answer.error).toBeDefined();
    expect(ran).toEqual([]);
  });

  it('proposes nothing for an argument that nothing completes', async () => {
    const { answer, ran } = await ask(completion({ type: 'ref/prompt', name: 'triage' }, 'tone', 'c'));
    expect(answer.result?.['completion']).toMatchObject({ values: [] });
    expect(ran).toEqual([]);
  });

  it('serves nobody what is public', async () => {
    const request = completion({ type: 'ref/prompt', name: 'greet' }, 'name', 'A');
    const answer = await server.send({ era, ...request });
    expect(answer.result?.['completion']).toMatchObject({ values: ['Ada'] });
  });

  it('challenges a caller that lacks consent alone, before the completer is asked', async () => {
    const { answer, records, ran } = await ask(
      triage('T'),
      await issuer.token({ ...PERMITTED, scope: 'other' }),
    );
    expect(answer.status).toBe(403);
    expect(answer.error?.data).toMatchObject({ reason: 'insufficient_scope', scopes: ['tickets:read'] });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ decision: 'refuse', reason: 'insufficient_scope' }]);
  });

  it('asks whoever has no credential to sign in, for what exists and for what does not', async () => {
    const { answer, ran } = await server.observe(async () => [
      await server.send({ era, ...triage('T') }),
      await server.send({ era, ...completion({ type: 'ref/prompt', name: 'no-such' }, 'ticketId', 'T') }),
    ]);
    expect(answer.map(({ status }) => status)).toEqual([401, 401]);
    expect(comparable(answer[0]!)).toEqual(comparable(answer[1]!));
    expect(ran).toEqual([]);
  });

  it('answers what role or tenant refuses as what does not exist', async () => {
    const hidden = await ask(triage('T'), await issuer.token({ ...PERMITTED, roles: [] }));
    const homeless = await ask(triage('T'), await issuer.token({ ...PERMITTED, tenant: undefined }));
    const unknown = await ask(completion({ type: 'ref/prompt', name: 'no-such' }, 'ticketId', 'T'));
    const elsewhere = await ask(completion({ type: 'ref/resource', uri: 'no://{such}' }, 'such', 'T'));
    for (const { answer, ran, records } of [hidden, homeless, elsewhere]) {
      expect(comparable(answer)).toEqual(comparable(unknown.answer));
      expect(ran).toEqual([]);
      expect(records).toHaveLength(1);
    }
    expect(unknown.answer.error?.code).toBe(-32602);
  });

  it('decides on the arguments that are known so far: another tenant’s are unknown', async () => {
    const own = await ask(ticket('4', { tenant: 'acme' }));
    expect(own.answer.result?.['completion']).toMatchObject({ values: ['47'] });
    expect(own.ran).toEqual(['ids 4 completion/complete']);
    const foreign = await ask(ticket('4', { tenant: 'globex' }));
    expect(foreign.answer.error?.code).toBe(-32602);
    expect(foreign.ran).toEqual([]);
    expect(foreign.records).toMatchObject([{ decision: 'refuse', reason: 'tenant' }]);
  });

  it.each([
    ['no argument', { ref: { type: 'ref/prompt', name: 'triage' } }],
    ['a number', { ref: { type: 'ref/prompt', name: 'triage' }, argument: { name: 'ticketId', value: 7 } }],
  ])('runs nothing for a malformed request: %s', async (_, params) => {
    const { answer, ran } = await ask({ method: 'completion/complete', params });
    expect([-32602, -32603]).toContain(answer.error?.code);
    expect(ran).toEqual([]);
  });

  it('runs nothing when the attempt cannot be recorded', async () => {
    const broken = await TestServer.start({ issuer, platform, providers: [Support] });
    try {
      await breakAudit(broken, 'its table is gone');
      const answer = await broken.send({ era, token, ...triage('T') });
      expect(answer.status).toBe(503);
      expect(broken.runs.names).toEqual([]);
    } finally {
      await broken.close();
    }
  });
});

it.each(ERAS)('completions work over stdio, with the same decision (%s)', async (era: Era) => {
  const client = await StdioClient.start({ issuer, token, providers: [Support] });
  try {
    if (era === '2025-11-25') await client.initialize();
    const own = await client.observe(() => client.request({ era, ...triage('T') }));
    expect(own.answer.result?.['completion']).toMatchObject({ values: ['T-1', 'T-2'] });
    expect(own.records).toMatchObject([{ via: 'stdio', outcome: 'completed' }]);
    const foreign = await client.request({ era, ...ticket('4', { tenant: 'globex' }) });
    const unknown = await client.request({ era, ...completion({ type: 'ref/prompt', name: 'x' }, 'a', 'b') });
    expect(foreign.error).toEqual(unknown.error);
    expect(client.runs.names).toEqual(['tickets T undefined acme']);
  } finally {
    await client.close();
  }
});

it('serves the official clients of both eras, and tells them of the capability', async () => {
  const server = await TestServer.start({ issuer, providers: [Support] });
  try {
    const params = {
      ref: { type: 'ref/prompt', name: 'triage' },
      argument: { name: 'ticketId', value: 'T' },
    } as const;
    for (const client of [await modernClient(server.url, token), await legacyClient(server.url, token)]) {
      expect(client.getServerCapabilities()?.completions).toEqual({});
      expect((await client.complete(params)).completion.values).toEqual(['T-1', 'T-2']);
      await client.close();
    }
  } finally {
    await server.close();
  }
});

describe('a server without completers', () => {
  it.each(ERAS)(
    'has no values, and looks like one whose completers the caller may not know (%s)',
    async (era) => {
      @Injectable()
      class Plain {
        @McpPrompt({ name: 'plain', description: 'Plain.', scopes: ['tickets:read'] })
        plain() {
          return 'plain';
        }
      }
      const server = await TestServer.start({ issuer, providers: [Plain] });
      try {
        const request = completion({ type: 'ref/prompt', name: 'plain' }, 'a', 'b');
        const answer = await server.send({ era, token, ...request });
        expect(answer.result).toMatchObject({ completion: { values: [] } });
        const absent = await server.send({
          era,
          token,
          ...completion({ type: 'ref/prompt', name: 'no' }, 'a', 'b'),
        });
        expect(absent.error?.code).toBe(-32602);
      } finally {
        await server.close();
      }
    },
  );
});

describe('the boot', () => {
  const bootOf = async (decorate: (target: object) => void) => {
    class Broken {
      complete() {
        return [];
      }

      @McpPrompt({ name: 'p', description: 'P.', scopes: ['a'], input: z.object({ known: z.string() }) })
      prompt() {
        return 'p';
      }
    }
    Injectable()(Broken);
    decorate(Broken.prototype);
    const started = TestServer.start({ issuer, providers: [Broken] });
    return started.then(
      async (server) => {
        await server.close();
        return 'booted';
      },
      (error: Error) => error.message,
    );
  };
  const completing = (options: Json) => (target: object) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, 'complete')!;
    McpCompletion(options as never)(target, 'complete', descriptor);
  };

  it('refuses a completer whose class has a policy, when the entry is of another class of that name', async () => {
    const plain = () => {
      @Injectable()
      class Tools {
        @McpPrompt({ name: 'p', description: 'P.', scopes: ['a'], input: z.object({ known: z.string() }) })
        prompt() {
          return 'p';
        }
      }
      return Tools;
    };
    const guarded = () => {
      @McpPolicy({ role: 'agent:admin' })
      @Injectable()
      class Tools {
        @McpCompletion({ prompt: 'p', argument: 'known' })
        complete() {
          return ['secret'];
        }
      }
      return Tools;
    };
    const starting = TestServer.start({
      issuer,
      providers: [plain()],
      imports: [{ module: class Elsewhere {}, providers: [guarded()] }],
    });
    await expect(starting).rejects.toThrow('which holds for entries alone');
  });

  it('takes a completion of an argument that there is', async () => {
    await expect(bootOf(completing({ prompt: 'p', argument: 'known' }))).resolves.toBe('booted');
  });

  it.each([
    [{ prompt: 'no-such', argument: 'known' }, 'names no prompt'],
    [{ resource: 'p', argument: 'known' }, 'names no prompt and no resource'],
    [{ prompt: 'p', argument: 'other' }, 'names the argument "other"'],
    [{ prompt: 'p' }, 'names the argument "undefined"'],
    [{}, 'names no prompt'],
  ])('refuses %j', async (options, sentence) => {
    await expect(bootOf(completing(options))).resolves.toContain(sentence);
  });
});
