import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from './program.js';

const APPLICATIONS = 'test/support/locked-applications.ts';
// Read when the applications are loaded, which is with the first command.
const lockOfLocked = join(mkdtempSync(join(tmpdir(), 'sallyport-policy-')), 'lock.json');
process.env['TEST_LOCK_FILE'] = lockOfLocked;

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-policy-'));
  file = join(directory, 'sallyport.lock.json');
});

/** Runs `sallyport policy …`, and says what it printed and left as its exit code. */
function policy(application: string, ...words: string[]): Promise<{ text: string; code: number }> {
  return sallyport(application, 'policy', ...words);
}

async function sallyport(application: string, ...words: string[]): Promise<{ text: string; code: number }> {
  const printed: string[] = [];
  let code = 0;
  const program = createProgram({ print: (text) => printed.push(text), setExitCode: (set) => (code = set) });
  program.exitOverride().configureOutput({ writeErr: () => undefined });
  await program.parseAsync(['--app', `${APPLICATIONS}#${application}`, ...words], { from: 'user' });
  return { text: printed.join('\n'), code };
}

function facts(content: object | string): string {
  const path = join(directory, 'facts.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('sallyport policy', () => {
  it('lists every entry, with or without its name', async () => {
    const listed = await policy('AppModule', 'list');
    expect(listed.text).toContain('crm_open');
    expect(await policy('AppModule')).toEqual(listed);
    const { entries } = JSON.parse((await policy('AppModule', '--json')).text) as { entries: unknown[] };
    expect(entries).toHaveLength(2);
  });

  it('prints who reaches what', async () => {
    const { text } = await policy('AppModule', 'matrix');
    expect(text).toMatch(/crm_open +- +- +P +P +-$/m);
    const { roles } = JSON.parse((await policy('AppModule', 'matrix', '--json')).text) as { roles: object };
    expect(roles).toMatchObject({ columns: expect.arrayContaining(['agent:admin']) });
  });
});

describe('sallyport policy explain', () => {
  it('ends with 0 for a permit', async () => {
    const as = facts({ tenant: 'acme', roles: ['agent:admin'], scopes: ['crm:read'] });
    const { text, code } = await policy('AppModule', 'explain', '--entry', 'crm_open', '--as', as);
    expect(text).toMatch(/^PERMIT {2}tool crm_open/);
    expect(code).toBe(0);
  });

  it('ends with 2 for a refusal, with the checks, what is told, and what would help', async () => {
    const as = facts({ tenant: 'acme', roles: ['agent:read-only'], scopes: [] });
    const { text, code } = await policy('AppModule', 'explain', '--entry', 'crm_open', '--as', as);
    expect(text).toMatch(/^REFUSE {2}tool crm_open {2}for role$/m);
    expect(text).toMatch(/FAILED +role +asks for agent:contributor; the principal holds agent:read-only/);
    expect(text).toContain('HTTP 200 unknown: There is no such tool, resource or prompt.');
    expect(text).toContain('The organization has to give agent:contributor (or agent:admin).');
    expect(text).toContain('The user has to consent to crm:read.');
    expect(code).toBe(2);
  });

  it('explains a caller without a credential when nobody is named', async () => {
    const { text, code } = await policy('AppModule', 'explain', '--entry', 'crm_open', '--json');
    expect(JSON.parse(text)).toMatchObject({
      effect: 'refuse',
      reason: 'authentication_required',
      told: { status: 401 },
    });
    expect(code).toBe(2);
    expect((await policy('AppModule', 'explain', '--entry', 'docs_search')).code).toBe(0);
  });

  it('explains arguments that do not match, and names that do not exist', async () => {
    const as = facts({ tenant: 'acme', roles: ['agent:admin'], scopes: ['crm:read'] });
    const wrong = await policy(
      'AppModule',
      'explain',
      '--entry',
      'crm_open',
      '--as',
      as,
      '--args',
      '{"a":1}',
    );
    expect(wrong).toMatchObject({ code: 2, text: expect.stringContaining('for invalid_arguments') });
    const unknown = await policy('AppModule', 'explain', '--entry', 'crm_close', '--as', as);
    expect(unknown).toMatchObject({ code: 2, text: expect.stringContaining('for unknown_entry') });
  });

  it('says that arguments were left out where it refuses for them', async () => {
    const as = facts({ tenant: 'acme', scopes: ['crm:read'] });
    const words = ['explain', '--entry', 'crm_note', '--as', as];
    const without = await policy('WithArguments', ...words);
    expect(without.text).toContain('for invalid_arguments');
    expect(without.text).toContain("None were given: write --args '{");
    const wrong = await policy('WithArguments', ...words, '--args', '{"note":7}');
    expect(wrong.text).toContain('for invalid_arguments');
    expect(wrong.text).not.toContain('None were given');
  });

  it.each<[string, string[]]>([
    ['by its name', ['--entry', 'page']],
    ['by its name and kind', ['--entry', 'page', '--kind', 'resource']],
    ['by its template', ['--entry', 'docs://{slug}']],
  ])('asks for the URI of a resource that is named %s', async (_what, words) => {
    await expect(policy('WithArguments', 'explain', ...words)).rejects.toThrow(
      /say --entry 'docs:\/\/\{slug\}', with values for/,
    );
  });

  it('says that there is no such entry to whoever did not say who calls', async () => {
    const { text } = await policy('AppModule', 'explain', '--entry', 'crm_opne');
    expect(text).toContain('for authentication_required');
    expect(text).toContain('Correct the name or URI: sallyport policy lists every entry.');
  });

  it.each<[string, string[], RegExp]>([
    [
      'a token that is not good',
      ['--as', 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.'],
      /The credential is refused.*401 invalid_token/s,
    ],
    [
      'what is no credential at all',
      ['--as', 'nobody'],
      /get a new one, or give facts.*If a file was meant/s,
    ],
    ['a file that is not there', ['--as', 'no-such-file.json'], /names no file that is here: name one with/],
    ['a path to nowhere', ['--as', '/no/such/facts'], /names no file that is here: name one with/],
    ['a directory', ['--as', '.'], /cannot be read \(EISDIR\): name a file/],
    ['an empty credential', ['--as', ''], /--as is empty: give facts such as/],
    ['arguments that are no JSON', ['--args', '{recordId: 7}'], /--args is no JSON: write --args '\{/],
    ['arguments said twice', ['--args', '{"a":1,"a":2}'], /--args is no JSON: .* the same key twice/],
    ['arguments that are no object', ['--args', '[]'], /--args is no JSON object: write --args '\{/],
    ['nothing', ['--entry', ''], /--entry is empty: say the name/],
  ])('does not explain %s, and never quotes it', async (_what, words, message) => {
    const explaining = policy('AppModule', 'explain', '--entry', 'crm_open', ...words);
    await expect(explaining).rejects.toThrow(message);
    await expect(explaining).rejects.not.toThrow(/eyJ|recordId: 7/);
  });

  it.each<[string, object | string, RegExp]>([
    [
      'claims of a token',
      { iss: 'https://id.example', sub: 'lena', scope: 'crm:read' },
      /describe no principal.*unknown members.*write \{ "tenant"/s,
    ],
    ['names that cannot be', { roles: 'agent:admin' }, /describe no principal/],
    ['broken JSON', '{ "tenant": ', /--as is no JSON: write \{ "tenant"/],
    ['lists', '[]', /--as is no JSON object: write \{ "tenant"/],
    ['empty files', ' \n', /--as is empty: give facts such as/],
  ])('takes no %s for facts', async (_what, content, message) => {
    await expect(
      policy('AppModule', 'explain', '--entry', 'crm_open', '--as', facts(content)),
    ).rejects.toThrow(message);
  });
});

describe('sallyport policy lock and check', () => {
  it('finds no difference to what was locked, and writes the same file again', async () => {
    expect((await policy('AppModule', 'lock', '--file', file)).text).toContain('2 entries');
    const written = readFileSync(file, 'utf8');
    expect(await policy('AppModule', 'check', '--file', file)).toMatchObject({
      code: 0,
      text: `Nothing differs from ${file}.`,
    });
    await policy('AppModule', 'lock', '--file', file);
    expect(readFileSync(file, 'utf8')).toBe(written);
  });

  it('ends with 1 and says who gains what', async () => {
    await policy('AppModule', 'lock', '--file', file);
    const { text, code } = await policy('Loosened', 'check', '--file', file);
    expect(text).toMatch(
      /^tool crm_open: loosened\n {2}gains {2}who hold agent:read-only\n {2}policy.roles: /,
    );
    expect(text).toContain(`sallyport policy lock --file ${file}`);
    expect(code).toBe(1);
    const json = await policy('Loosened', 'check', '--file', file, '--json');
    expect(JSON.parse(json.text)).toMatchObject({
      unchanged: false,
      entries: [{ name: 'crm_open', access: 'loosened', gains: ['who hold agent:read-only'] }],
    });
    expect(json.code).toBe(1);
  });

  it('finds a description that changed', async () => {
    await policy('AppModule', 'lock', '--file', file);
    const { text, code } = await policy('Poisoned', 'check', '--file', file);
    expect(text).toMatch(/^tool crm_open: says something else to models$/m);
    expect(code).toBe(1);
  });

  it('names the command to run when there is no lock, or none that can be written', async () => {
    await expect(policy('AppModule', 'check', '--file', file)).rejects.toThrow(
      /There is no lock file .* here: write it with: sallyport policy lock --file/,
    );
    await expect(policy('AppModule', 'check', '--file', directory)).rejects.toThrow(
      /cannot be read \(EISDIR\): name another/,
    );
    const nowhere = join(directory, 'missing', 'lock.json');
    await expect(policy('AppModule', 'lock', '--file', nowhere)).rejects.toThrow(
      /cannot be written \(ENOENT\)/,
    );
  });
});

describe('an application with a lock', () => {
  it('is opened by commands although it differs, so that it can be locked; doctor says that it does not boot', async () => {
    await policy('Loosened', 'lock', '--file', lockOfLocked);
    const doctor = await sallyport('Locked', 'doctor');
    expect(doctor).toMatchObject({ code: 1, text: expect.stringContaining('policy_lock') });
    expect(await policy('Locked', 'check')).toMatchObject({
      code: 1,
      text: expect.stringContaining('tightened'),
    });
    expect((await policy('Locked', 'lock')).text).toContain(lockOfLocked);
    expect(await policy('Locked', 'check')).toMatchObject({ code: 0 });
    expect(await sallyport('Locked', 'doctor')).toMatchObject({ code: 0 });
  });

  it('boots with a warning of the doctor where that was asked for', async () => {
    await policy('Loosened', 'lock', '--file', lockOfLocked);
    const { text, code } = await sallyport('Warned', 'doctor', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ level: 'warning', code: 'policy_lock' })]),
    });
  });
});

describe('an application that cannot be looked at', () => {
  it.each<[string, string, RegExp]>([
    ['is not there', 'dist/none.js', /There is no file .*: build the application, or correct --app/],
    ['is a directory', 'test', /is no module: name the file, as in --app dist\/app\.module\.js#AppModule/],
    ['is a text', 'README.md', /is no module: name the file/],
    ['has no such export', `${APPLICATIONS}#Nothing`, /exports no module named Nothing: say --app/],
    ['exports a function', `${APPLICATIONS}#noClass`, /exports no module named noClass: say --app/],
    ['throws', `${APPLICATIONS}#Broken`, /does not start: its own fault\nStart the server itself/],
    ['is no server', `${APPLICATIONS}#Unguarded`, /Unguarded imports no SallyportModule.*correct --app/],
  ])('says what to write when it %s', async (_what, app, message) => {
    const program = createProgram({ print: () => undefined, setExitCode: () => undefined });
    await expect(program.parseAsync(['--app', app, 'policy'], { from: 'user' })).rejects.toThrow(message);
  });
});
