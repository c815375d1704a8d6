import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './support/free-port.js';

const run = promisify(execFile);
const ROOT = process.cwd();

/** What an application would write; in JavaScript, so that nothing but the built packages is tested. */
const APPLICATION = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { McpTool, SallyportModule, oidc } from 'sallyport';

class GreetingTools { greet() { return 'Hello.'; } }
McpTool({ name: 'greet', description: 'Greets.', public: true, risk: 'read' })(
  GreetingTools.prototype, 'greet', Object.getOwnPropertyDescriptor(GreetingTools.prototype, 'greet'));

export class AppModule {}
Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'better-sqlite3', database: 'app.sqlite' }),
    SallyportModule.forRoot({
      server: { name: 'packed', version: '1.0.0' },
      resource: 'http://127.0.0.1:' + process.env.PORT + '/mcp',
      identity: [oidc({ issuer: 'https://id.example' })],
    }),
  ],
  providers: [GreetingTools],
})(AppModule);
`;

const MAIN = `
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(process.env.PORT, '127.0.0.1');
process.stdout.write('listening');
`;

const REJECTING = `
import { Strategy } from 'passport-custom';
import { IdentityAuthenticator, passportIdentity } from 'sallyport';
const strategy = new Strategy(async () => { throw new Error('the database is down'); });
const authenticator = new IdentityAuthenticator({
  resource: 'http://127.0.0.1/mcp',
  serverName: 'packed',
  sources: [passportIdentity({ name: 'careless', strategy, principal: () => ({}) })],
});
const answer = await authenticator.authenticate({ via: 'http', headers: { authorization: 'Bearer garbage' } });
await new Promise((resolve) => setImmediate(resolve));
process.stdout.write(JSON.stringify(answer));
`;

/** What a team would write to test its server, in strict TypeScript. */
const TYPED_TEST = `
import { signInTo, sallyportMatchers, policyMatrix, type CallOutcome } from '@sallyport/testing';
import type { INestApplicationContext } from '@nestjs/common';

export async function check(app: INestApplicationContext): Promise<string> {
  const as = signInTo(app);
  const outcome: CallOutcome = await as({ tenant: 'acme', roles: ['admin'], signedInSecondsAgo: 5 }).call('greet', {});
  EXPECTATIONS
  return policyMatrix(app);
}
`;

const EXPECTATIONS = `
  expect.extend(sallyportMatchers);
  expect(outcome).toBePermitted();
  expect(outcome).not.toBeRefusedFor('scope');
  expect(outcome).not.toBeHeld();
  // @ts-expect-error: a cause that cannot be
  expect(outcome).toBeRefusedFor('scopes');
`;

/** The same without a test runner. */
const IN_PROCESS = `
import { NestFactory } from '@nestjs/core';
import { signInTo } from '@sallyport/testing';
import { AppModule } from './app.module.js';
const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const { effect, result } = await signInTo(app).anonymous().call('greet');
await app.close();
process.stdout.write(JSON.stringify({ effect, text: result.content[0].text }));
`;

/** Every package of node_modules, one link each, so that ours find their peers as they would when installed. */
async function linkDependencies(target: string): Promise<void> {
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || name === 'sallyport' || name === '@sallyport') continue;
    await symlink(await realpath(join(ROOT, 'node_modules', name)), join(target, name));
  }
}

/** What \`npm pack\` would put in: the manifest and the files it names. */
async function installOurs(target: string): Promise<string[]> {
  const names: string[] = [];
  for (const library of await readdir(join(ROOT, 'libs'), { withFileTypes: true })) {
    if (!library.isDirectory()) continue;
    const source = join(ROOT, 'libs', library.name);
    const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as {
      name: string;
      files: string[];
    };
    const place = join(target, manifest.name);
    await mkdir(dirname(place), { recursive: true });
    for (const file of ['package.json', ...manifest.files]) {
      await cp(join(source, file), join(place, file), { recursive: true });
    }
    names.push(manifest.name);
  }
  return names;
}

describe('the packages, built and installed as an application would', () => {
  let directory: string;
  let names: string[];

  beforeAll(async () => {
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs'], { cwd: ROOT });
    directory = await mkdtemp(join(tmpdir(), 'sallyport-packages-'));
    const modules = join(directory, 'node_modules');
    await mkdir(modules);
    await linkDependencies(modules);
    names = await installOurs(modules);
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
    await writeFile(join(directory, 'app.module.js'), APPLICATION);
    await writeFile(join(directory, 'main.js'), MAIN);
  }, 180_000);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('declare every package they import', async () => {
    for (const library of await readdir(join(ROOT, 'libs'), { withFileTypes: true })) {
      if (library.isDirectory()) await expectDeclared(join(ROOT, 'libs', library.name));
    }
  });

  it('can be imported by their names, and by nothing deeper', async () => {
    for (const name of names) {
      await run(process.execPath, ['--input-type=module', '-e', `await import('${name}')`], {
        cwd: directory,
      });
      const deeper = run(
        process.execPath,
        ['--input-type=module', '-e', `await import('${name}/dist/index.js')`],
        { cwd: directory },
      );
      await expect(deeper).rejects.toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
    }
  });

  it('serve a tool on the default platform, and refuse one that does not exist', async () => {
    const port = await freePort();
    const server = spawn(process.execPath, ['main.js'], {
      cwd: directory,
      env: { ...process.env, PORT: `${port}` },
    });
    try {
      await firstOutput(server);
      expect(await call(port, 'greet')).toMatchObject({
        status: 200,
        text: expect.stringContaining('Hello.'),
      });
      expect(await call(port, 'missing')).toMatchObject({ status: 401 });
    } finally {
      server.kill();
    }
  });

  it('survive a strategy whose verify function rejects, which Passport lets end the process', async () => {
    // In a process of its own: Jest would catch the rejection first.
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', REJECTING], {
      cwd: directory,
    });
    // Above it stands what Nest logs.
    expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toEqual({
      kind: 'failed',
      reason: 'error',
      source: 'careless',
    });
  });

  /** Runs `sallyport`, and says what it printed and how it ended. */
  async function sallyport(...words: string[]): Promise<{ text: string; code: number }> {
    const command = join(directory, 'node_modules/sallyport/dist/cli/main.js');
    const options = { cwd: directory, env: { ...process.env, PORT: '3000' } };
    const child = run(process.execPath, [command, '--app', 'app.module.js', ...words], options);
    return child.then(
      ({ stdout }) => ({ text: stdout, code: 0 }),
      ({ stdout, stderr, code }) => ({ text: `${stdout}${stderr}`, code }),
    );
  }

  it('bring the sallyport command', async () => {
    const { text } = await sallyport('policy', '--json');
    expect(JSON.parse(text)).toMatchObject({
      entries: [{ kind: 'tool', name: 'greet', policy: { public: true } }],
    });
  });

  it('lock a policy, compare with the lock, and explain, with exit codes that scripts can use', async () => {
    expect(await sallyport('policy', 'check')).toMatchObject({
      code: 1,
      text: expect.stringContaining('sallyport policy lock'),
    });
    expect(await sallyport('policy', 'lock')).toMatchObject({ code: 0 });
    expect(await sallyport('policy', 'check')).toMatchObject({ code: 0 });
    const lock = join(directory, 'sallyport.lock.json');
    await writeFile(lock, (await readFile(lock, 'utf8')).replace('public-entries', 'refuse'));
    expect(await sallyport('policy', 'check')).toMatchObject({
      code: 1,
      text: expect.stringContaining('gains  anyone, without signing in'),
    });
    expect(await sallyport('policy', 'explain', '--entry', 'greet')).toMatchObject({ code: 0 });
    expect(await sallyport('policy', 'explain', '--entry', 'missing')).toMatchObject({ code: 2 });
    expect(await sallyport('policy', 'explain', '--entry', 'greet', '--as', 'e.y.z')).toMatchObject({
      code: 1,
    });
  });

  it('let a test call as anybody, without a test runner', async () => {
    await writeFile(join(directory, 'in-process.js'), IN_PROCESS);
    const env = { ...process.env, PORT: '3000', NODE_ENV: 'test' };
    const { stdout } = await run(process.execPath, ['in-process.js'], { cwd: directory, env });
    expect(JSON.parse(stdout)).toEqual({ effect: 'permit', text: 'Hello.' });
  });

  it.each<[string, string[], string]>([
    ['with the types of Jest', ['node', 'jest'], EXPECTATIONS],
    ['without any', ['node'], 'void [outcome, sallyportMatchers];'],
  ])(
    'type check in a strict application %s',
    async (_what, types, expectations) => {
      const source = join(directory, 'typed.ts');
      await writeFile(source, TYPED_TEST.replace('EXPECTATIONS', expectations));
      const config = join(directory, 'tsconfig.json');
      // Declarations are checked as well; those of others are not ours to judge, so they are left out below.
      const compilerOptions = {
        strict: true,
        noEmit: true,
        target: 'ES2023',
        module: 'nodenext',
        exactOptionalPropertyTypes: true,
        types,
      };
      await writeFile(config, JSON.stringify({ compilerOptions, files: [source] }));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const { stdout } = await run(process.execPath, [tsc, '-p', config], { cwd: directory }).catch(
        (error: { stdout: string }) => error,
      );
      const ours = stdout
        .split('\n')
        .filter((line) => /^(typed|node_modules\/(@sallyport|sallyport)\/)/.test(line));
      expect(ours).toEqual([]);
    },
    120_000,
  );
});

/** Imports of the built code against the manifest: a forgotten dependency works here and breaks at the user's. */
async function expectDeclared(library: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const declared = new Set([
    ...Object.keys(manifest['dependencies'] ?? {}),
    ...Object.keys(manifest['peerDependencies'] ?? {}),
  ]);
  const files = (await readdir(join(library, 'dist'), { recursive: true })).filter((file) =>
    file.endsWith('.js'),
  );
  for (const file of files) {
    const code = await readFile(join(library, 'dist', file), 'utf8');
    for (const [, specifier = ''] of code.matchAll(/(?:from|import)\s*\(?['"]([a-z@][a-z0-9@/._-]*)['"]/g)) {
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (specifier.startsWith('node:')) continue;
      expect({ file, name, declared: declared.has(name) }).toEqual({ file, name, declared: true });
    }
  }
}

function firstOutput(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let errors = '';
    server.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    server.stdout?.once('data', () => resolve());
    server.once('exit', (code) => reject(new Error(`The application ended with ${code}: ${errors}`)));
  });
}

async function call(port: number, name: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
  });
  return { status: response.status, text: await response.text() };
}
