import {
  Catch,
  ForbiddenException,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  BadRequestException,
  type ArgumentMetadata,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { map } from 'rxjs';
import {
  Args,
  Caller,
  CurrentCall,
  handlerContextOf,
  MCP_CONTEXT,
  McpTool,
  Signal,
  type HandlerContext,
  type Principal,
  type RunningCall,
} from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { ERAS, toolCall } from './support/messages.js';
import { Runs, TestServer, type TestServerOptions } from './support/server.js';

const OPEN = { description: 'x', scopes: ['crm:read'], risk: 'read' } as const;

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});
afterAll(async () => issuer.stop());

/** Boots, calls one tool, and closes. */
async function callOn(options: TestServerOptions, name = 'open', args = {}) {
  const server = await TestServer.start({ issuer, ...options });
  try {
    return await server.observe(() => server.send({ token, ...toolCall(name, args) }));
  } finally {
    await server.close();
  }
}

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ ...OPEN, name: 'open' })
  open() {
    this.runs.note('open');
    return 'opened';
  }
}

/** Refuses calls, and lets everything else through: the endpoint itself is a controller as any other. */
@Injectable()
class NoCalls implements CanActivate {
  canActivate(context: ExecutionContext) {
    return context.getType<string>() !== MCP_CONTEXT;
  }
}

@Injectable({ scope: Scope.REQUEST })
class NoCallsPerRequest extends NoCalls {}

@Injectable({ scope: Scope.TRANSIENT })
class NoCallsTransient extends NoCalls {}

/** Refuses only when it was really constructed, and constructed with what it asks for. */
@Injectable({ scope: Scope.REQUEST })
class NoCallsOfAlice implements CanActivate {
  constructor(@Inject(REQUEST) private readonly request: HandlerContext) {}

  canActivate() {
    return this.request.principal?.subject !== 'alice';
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Closed implements CanActivate {
  private readonly closed = true;

  canActivate() {
    return !this.closed;
  }
}

function guardedTools(guard: Type<CanActivate>, scope: Scope) {
  @Injectable({ scope })
  class Guarded {
    constructor(private readonly runs: Runs) {}

    @UseGuards(guard)
    @McpTool({ ...OPEN, name: 'open' })
    open() {
      this.runs.note('open');
      return 'opened';
    }
  }

  @UseGuards(guard)
  @Injectable({ scope })
  class GuardedClass {
    constructor(private readonly runs: Runs) {}

    @McpTool({ ...OPEN, name: 'open' })
    open() {
      this.runs.note('open');
      return 'opened';
    }
  }
  return [Guarded, GuardedClass];
}

const SCOPES = [Scope.DEFAULT, Scope.REQUEST, Scope.TRANSIENT].map((scope): [string, Scope] => [
  Scope[scope] ?? '',
  scope,
]);

describe("A guard of the application's own", () => {
  const GUARDS = [NoCalls, NoCallsPerRequest, NoCallsTransient, NoCallsOfAlice, Closed];
  const cases = SCOPES.flatMap(([name, scope]) =>
    GUARDS.flatMap((guard) =>
      guardedTools(guard, scope).map((tools): [string, string, Type] => [
        guard.name,
        `${tools.name} of scope ${name}`,
        tools,
      ]),
    ),
  );

  it.each(cases)('is asked: %s on %s', async (_guard, _tools, tools) => {
    const { answer, ran, records } = await callOn({ providers: [tools] });
    expect(ran).toEqual([]);
    expect(answer.result).toMatchObject({ isError: true, content: [{ text: 'Forbidden resource' }] });
    expect(records).toMatchObject([{ kind: 'attempt', outcome: 'failed' }]);
  });

  it.each([NoCalls, NoCallsPerRequest, NoCallsTransient])(
    'is asked for every call when it is application-wide: %p',
    async (useClass) => {
      const { answer, ran } = await callOn({ providers: [Tools, { provide: APP_GUARD, useClass }] });
      expect(ran).toEqual([]);
      expect(answer.result).toMatchObject({ isError: true });
    },
  );

  it('is asked when main.ts adds it', async () => {
    const { ran } = await callOn({
      providers: [Tools],
      configure: (app) => app.useGlobalGuards(new NoCalls()),
    });
    expect(ran).toEqual([]);
  });

  it('that cannot be made refuses', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Broken implements CanActivate {
      constructor() {
        throw new Error('no database for the guard');
      }

      canActivate() {
        return true;
      }
    }
    const [tools] = guardedTools(Broken, Scope.DEFAULT);
    const { answer, ran } = await callOn({ providers: [tools as Type] });
    expect(ran).toEqual([]);
    expect(answer.text).not.toContain('no database');
  });
});

/** Says in the result what it has seen. */
@Injectable()
class Stamp implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    if (context.getType<string>() !== MCP_CONTEXT) return next.handle();
    const { principal, call } = handlerContextOf(context);
    const stamp = `${call.entry?.name} for ${principal?.subject} by ${context.getClass().name}.${context.getHandler().name}`;
    return next.handle().pipe(map((value) => `${String(value)}, ${stamp}`));
  }
}

@Injectable({ scope: Scope.REQUEST })
class StampPerRequest extends Stamp {}

/** Writes over every argument it gets to see. */
@Injectable()
class Shout implements PipeTransform {
  transform(value: unknown) {
    return typeof value === 'string' ? value.toUpperCase() : value;
  }
}

@Injectable()
class ShoutInside implements PipeTransform {
  transform(value: unknown) {
    return isRecord(value) ? { ...value, word: 'NEVER' } : value;
  }
}

/** Lets nobody shout, and changes nothing. */
@Injectable()
class NoShouting implements PipeTransform {
  transform(value: unknown) {
    if (typeof value === 'string' && /[A-Z]/.test(value)) throw new BadRequestException('Do not shout.');
    return value;
  }
}

class Wrapped {
  word = '';
}

/** Makes an instance of a class, as a pipe that validates one does. */
@Injectable()
class Wrap implements PipeTransform {
  transform(value: unknown, { data }: ArgumentMetadata) {
    return data === undefined && isRecord(value) ? Object.assign(new Wrapped(), value) : value;
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

@Catch(ForbiddenException)
class Kindly implements ExceptionFilter {
  catch(_: ForbiddenException, host: ArgumentsHost) {
    return `not this time, ${host.getArgByIndex<HandlerContext>(0).principal?.subject}`;
  }
}

@Injectable()
class Decorated {
  @UseInterceptors(Stamp)
  @McpTool({ ...OPEN, name: 'stamped' })
  stamped() {
    return 'done';
  }

  @McpTool({ ...OPEN, name: 'piped', input: z.object({ word: z.string(), count: z.string() }) })
  piped(@Args('word', Shout) word: string, @Args('count', ParseIntPipe) count: number) {
    return { word, count };
  }

  @UseFilters(Kindly)
  @McpTool({ ...OPEN, name: 'filtered' })
  filtered() {
    throw new ForbiddenException('never');
  }

  @McpTool({ ...OPEN, name: 'plain', input: z.object({ word: z.string().default('x') }) })
  plain(@Args('word') word: string) {
    if (word === 'never') throw new ForbiddenException('never');
    return word;
  }
}

@Injectable()
class Handed {
  constructor(private readonly runs: Runs) {}

  @McpTool({ ...OPEN, name: 'whole', input: z.object({ word: z.string() }) })
  whole(@Args() args: Wrapped) {
    this.runs.note('whole');
    return `${args.constructor.name} of ${args.word}`;
  }

  @McpTool({ ...OPEN, name: 'part', input: z.object({ word: z.string() }) })
  part(@Args('word') word: string) {
    this.runs.note('part');
    return word;
  }
}

function textOf(answer: { result: Record<string, unknown> | undefined }): string {
  const content = answer.result?.['content'] as { text: string }[] | undefined;
  return content?.[0]?.text ?? '';
}

describe("Nest's own pipeline runs around a method", () => {
  it('with its interceptors, which see the call', async () => {
    const { answer } = await callOn({ providers: [Decorated] }, 'stamped');
    expect(textOf(answer)).toBe('done, stamped for alice by Decorated.stamped');
  });

  it('with the pipes of its parameters', async () => {
    const { answer } = await callOn({ providers: [Decorated] }, 'piped', { word: 'hey', count: '7' });
    expect(answer.result).toMatchObject({ structuredContent: { word: 'HEY', count: 7 } });
  });

  it('with its filters', async () => {
    const { answer } = await callOn({ providers: [Decorated] }, 'filtered');
    expect(textOf(answer)).toBe('not this time, alice');
  });

  const wide: [string, Provider, { word?: string }, string][] = [
    [
      'interceptors',
      { provide: APP_INTERCEPTOR, useClass: Stamp },
      {},
      'x, plain for alice by Decorated.plain',
    ],
    [
      'interceptors of request scope',
      { provide: APP_INTERCEPTOR, useClass: StampPerRequest },
      {},
      'x, plain for alice by Decorated.plain',
    ],
    ['pipes', { provide: APP_PIPE, useClass: NoShouting }, { word: 'quiet' }, 'quiet'],
    ['pipes that refuse', { provide: APP_PIPE, useClass: NoShouting }, { word: 'LOUD' }, 'Do not shout.'],
    ['filters', { provide: APP_FILTER, useClass: Kindly }, { word: 'never' }, 'not this time, alice'],
  ];
  it.each(wide)('with the application-wide %s', async (_what, provider, args, text) => {
    const { answer } = await callOn({ providers: [Decorated, provider] }, 'plain', args);
    expect(textOf(answer)).toBe(text);
  });

  it('with what main.ts adds', async () => {
    const options: TestServerOptions = {
      providers: [Decorated],
      configure: (app) => app.useGlobalInterceptors(new Stamp()).useGlobalPipes(new NoShouting()),
    };
    const { answer } = await callOn(options, 'plain', { word: 'quiet' });
    expect(textOf(answer)).toBe('quiet, plain for alice by Decorated.plain');
  });

  it('and a pipe may make an instance of a class of the same content', async () => {
    const { answer } = await callOn({ providers: [Handed, { provide: APP_PIPE, useClass: Wrap }] }, 'whole', {
      word: 'hey',
    });
    expect(textOf(answer)).toBe('Wrapped of hey');
  });

  it.each([
    ['part', Shout],
    ['whole', ShoutInside],
  ])('and no pipe of the application changes what was decided on: %s does not run', async (tool, pipe) => {
    const providers = [Handed, { provide: APP_PIPE, useClass: pipe }];
    const { answer, records, ran } = await callOn({ providers }, tool, { word: 'quiet' });
    expect(answer.result).toMatchObject({ isError: true });
    expect(textOf(answer)).toMatch(/^The tool failed\. Reference: /);
    expect({ ran, outcomes: records.map(({ outcome }) => outcome) }).toEqual({
      ran: [],
      outcomes: ['failed'],
    });
    const unpiped = await callOn({ providers: [Handed] }, tool, { word: 'quiet' });
    expect(unpiped.ran).toEqual([tool]);
  });

  it('and a pipe that refuses is an error the model can read', async () => {
    const { answer, records } = await callOn({ providers: [Decorated] }, 'piped', {
      word: 'a',
      count: 'many',
    });
    expect(answer.result).toMatchObject({ isError: true });
    expect(records).toMatchObject([{ outcome: 'failed' }]);
  });
});

describe('A provider of request scope', () => {
  let made = 0;

  @Injectable({ scope: Scope.REQUEST })
  class PerCall {
    readonly serial = (made += 1);

    constructor(@Inject(REQUEST) private readonly request: HandlerContext) {}

    who() {
      return `${this.serial}: ${this.request.principal?.subject}, ${this.request.call.target}`;
    }
  }

  @Injectable()
  class ScopedTools {
    constructor(private readonly perCall: PerCall) {}

    @McpTool({ ...OPEN, name: 'who' })
    who() {
      return this.perCall.who();
    }
  }

  it('is made anew for each call, and can be told of the call', async () => {
    made = 0;
    const server = await TestServer.start({ issuer, providers: [ScopedTools, PerCall] });
    const first = await server.send({ token, ...toolCall('who') });
    const bob = await issuer.token({ sub: 'bob', tenant: 'acme', scope: 'crm:read' });
    const second = await server.send({ token: bob, ...toolCall('who') });
    expect([textOf(first), textOf(second)]).toEqual(['1: alice, who', '2: bob, who']);
    await server.close();
  });
});

const input = z.object({
  name: z.string(),
  limit: z.number().default(10),
  tags: z.array(z.string()).default([]),
  nested: z.object({ deep: z.boolean().default(true) }).prefault({}),
});

@Injectable()
class Curious {
  seen: unknown;

  constructor(private readonly runs: Runs) {}

  @McpTool({ ...OPEN, name: 'all', input, auditFields: ['limit'] })
  all(
    @Args() args: z.output<typeof input>,
    @Args('name') name: string,
    @Args('constructor') inherited: unknown,
    @Caller() caller: Principal,
    @Caller('tenant') whole: Principal,
    @CurrentCall() running: RunningCall,
    @Signal() signal: AbortSignal,
    undecorated: unknown,
  ) {
    this.runs.note('all');
    this.seen = { args, name, inherited, caller, whole, running, signal, undecorated };
    return { args };
  }

  @McpTool({ ...OPEN, name: 'vandal', input })
  vandal(@Args() args: { limit: number; nested: { deep: boolean }; tags: string[] }) {
    for (const damage of [
      () => (args.limit = 99),
      () => (args.nested.deep = false),
      () => args.tags.push('x'),
    ])
      expect(damage).toThrow(TypeError);
    return { args };
  }

  @McpTool({ ...OPEN, name: 'slow' })
  async slow(@CurrentCall() running: RunningCall) {
    await running.reportProgress({ progress: 1, total: 2, message: 'half' });
    await running.reportProgress({ progress: 2, total: 2 });
    return 'whole';
  }
}

describe('What a method may ask for', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, providers: [Curious] });
  });
  afterAll(async () => server.close());

  it('is what was decided on and recorded: one frozen object, defaulted once', async () => {
    const { records } = await server.observe(() =>
      server.send({ token, ...toolCall('all', { name: 'n', unknown: 1 }) }),
    );
    const seen = server.app.get(Curious).seen as Record<string, unknown> & { running: RunningCall };
    expect(seen['args']).toEqual({ name: 'n', limit: 10, tags: [], nested: { deep: true } });
    expect(seen['args']).toBe(seen.running.call.arguments);
    expect(Object.isFrozen(seen.running.call)).toBe(true);
    expect(seen).toMatchObject({ name: 'n', caller: { subject: 'alice', tenant: 'acme' } });
    expect(Object.isFrozen(seen['caller'])).toBe(true);
    expect(seen['caller']).toBe(seen.running.call.principal);
    expect(seen['signal']).toBeInstanceOf(AbortSignal);
    expect([seen['inherited'], seen['undecorated']]).toEqual([undefined, undefined]);
    expect(records).toMatchObject([{ fields: { limit: 10 }, call: seen.running.call.id }]);
  });

  it('cannot be changed by the method', async () => {
    const answer = await server.send({ token, ...toolCall('vandal', { name: 'n' }) });
    expect(answer.result).toMatchObject({ structuredContent: { args: { limit: 10, tags: [] } } });
  });

  it.each([
    ['a missing one', {}],
    ['one of another type', { name: 7 }],
    ['one that is too deep for its schema', { name: 'n', nested: { deep: 'yes' } }],
  ])('was validated before: %s is a result the model can correct', async (_what, args) => {
    const { answer, ran, records } = await server.observe(() =>
      server.send({ token, ...toolCall('all', args) }),
    );
    expect(ran).toEqual([]);
    expect(answer.result).toMatchObject({ isError: true });
    expect(records).toMatchObject([{ kind: 'refusal', decision: 'refuse', reason: 'invalid_arguments' }]);
  });

  it.each([['n'], 'n', 7, true])('runs with an object of arguments or not at all: %j', async (args) => {
    const message = { token, method: 'tools/call', params: { name: 'all', arguments: args } };
    const { answer, ran, records } = await server.observe(() => server.send(message));
    expect(ran).toEqual([]);
    expect(answer.error).toMatchObject({ code: -32602 });
    expect(records).toMatchObject([{ kind: 'refusal', decision: 'refuse', reason: 'invalid_arguments' }]);
  });

  it.each(ERAS)('reports its progress to a client that asked for it, in %s', async (era) => {
    const params = { name: 'slow', _meta: { progressToken: 'p-1' } };
    const answer = await server.send({ era, token, method: 'tools/call', params });
    expect(answer.messages.map(({ method, params }) => [method, params])).toEqual([
      ['notifications/progress', { progressToken: 'p-1', progress: 1, total: 2, message: 'half' }],
      ['notifications/progress', { progressToken: 'p-1', progress: 2, total: 2 }],
      [undefined, undefined],
    ]);
    expect(answer.result).toMatchObject({ content: [{ text: 'whole' }] });
  });

  it.each(ERAS)('reports no progress to one that did not, in %s', async (era) => {
    const answer = await server.send({ era, token, ...toolCall('slow') });
    expect(answer.messages).toHaveLength(1);
  });
});
