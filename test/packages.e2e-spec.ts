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

  it('bring the sallyport command', async () => {
    const command = join(directory, 'node_modules/sallyport/dist/cli/main.js');
    const environment = { ...process.env, PORT: '3000' };
    const { stdout } = await run(process.execPath, [command, '--app', 'app.module.js', 'policy', '--json'], {
      cwd: directory,
      env: environment,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      entries: [{ kind: 'tool', name: 'greet', policy: { public: true } }],
    });
  });
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
    for (const [, specifier = ''] of code.matchAll(/(?:from|import)\s*\(?['"]([^'"./\n][^'"\n]*)['"]/g)) {
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
