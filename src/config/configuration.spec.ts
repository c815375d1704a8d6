import { ConfigModule } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import { ConfigurationError } from './configuration.error.js';
import { configuration, readConfiguration } from './configuration.js';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfiguration(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

/** What a production server must be given. */
const SECRETS = {
  API_KEY_PEPPER: 'p'.repeat(32),
  AUDIT_SECRET: 's'.repeat(32),
  AUDIT_LOG_KEY: 'PRIVATE+KEY+x',
};

describe('readConfiguration', () => {
  it('needs nothing', () => {
    expect(readConfiguration({})).toEqual({
      environment: 'development',
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://127.0.0.1:3000',
      resource: 'http://127.0.0.1:3000/mcp',
      oidcIssuer: undefined,
      database: { kind: 'sqlite', path: 'data/sallyport.sqlite' },
      dataDirectory: 'data',
      apiKeyPepper: undefined,
      sessions: false,
    });
  });

  it('takes an empty variable as unset', () => {
    expect(readConfiguration({ PORT: '', PUBLIC_URL: '', OIDC_ISSUER: '', NODE_ENV: '' })).toEqual(
      readConfiguration({}),
    );
  });

  it('is frozen', () => {
    const read = readConfiguration({ DATABASE_URL: 'sqlite::memory:' });
    expect(Object.isFrozen(read)).toBe(true);
    expect(Object.isFrozen(read.database)).toBe(true);
  });

  it('reads a production server', () => {
    const read = readConfiguration({
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PORT: '8080',
      PUBLIC_URL: 'https://MCP.acme.example/',
      OIDC_ISSUER: 'https://acme.okta.example/oauth2/default/',
      DATABASE_URL: 'postgres://office:secret@db/office',
      DATA_DIR: '/var/lib/office',
      API_KEY_PEPPER: 'p'.repeat(32),
      AUDIT_SECRET: 's'.repeat(32),
      AUDIT_LOG_KEY: 'PRIVATE+KEY+x',
    });
    expect(read).toEqual({
      environment: 'production',
      host: '0.0.0.0',
      port: 8080,
      publicUrl: 'https://mcp.acme.example',
      resource: 'https://mcp.acme.example/mcp',
      oidcIssuer: 'https://acme.okta.example/oauth2/default/',
      database: { kind: 'postgres', url: 'postgres://office:secret@db/office' },
      dataDirectory: '/var/lib/office',
      apiKeyPepper: 'p'.repeat(32),
      auditSecret: 's'.repeat(32),
      auditLogKey: 'PRIVATE+KEY+x',
      sessions: false,
    });
  });

  it.each([
    [{ HOST: '::1', PORT: '80' }, 'http://[::1]/mcp'],
    [{ HOST: 'localhost' }, 'http://localhost:3000/mcp'],
    [{ PUBLIC_URL: 'http://localhost:4000' }, 'http://localhost:4000/mcp'],
    [{ PUBLIC_URL: 'https://mcp.acme.example:443/' }, 'https://mcp.acme.example/mcp'],
  ])('%j is the resource %s', (environment, resource) => {
    expect(readConfiguration(environment).resource).toBe(resource);
  });

  it.each([
    ['sqlite::memory:', { kind: 'sqlite', path: ':memory:' }],
    ['sqlite:/var/office.sqlite', { kind: 'sqlite', path: '/var/office.sqlite' }],
    ['postgresql://db/office', { kind: 'postgres', url: 'postgresql://db/office' }],
  ])('reads the database %s', (DATABASE_URL, database) => {
    expect(readConfiguration({ DATABASE_URL }).database).toEqual(database);
  });

  it('keeps the default database in DATA_DIR', () => {
    expect(readConfiguration({ DATA_DIR: 'elsewhere' }).database).toEqual({
      kind: 'sqlite',
      path: 'elsewhere/sallyport.sqlite',
    });
  });

  it.each([
    ['NODE_ENV', 'Production'],
    ['NODE_ENV', 'staging'],
    ['HOST', 'http://localhost'],
    ['HOST', 'two words'],
    ['PORT', '0'],
    ['PORT', '65536'],
    ['PORT', '3000x'],
    ['PORT', '-1'],
    ['PORT', ' 3000'],
    ['PUBLIC_URL', 'mcp.acme.example'],
    ['PUBLIC_URL', 'http://mcp.acme.example'],
    ['PUBLIC_URL', 'http://127.0.0.1.acme.example'],
    ['PUBLIC_URL', 'https://mcp.acme.example/office'],
    ['PUBLIC_URL', 'https://mcp.acme.example/?x=1'],
    ['PUBLIC_URL', 'https://user:hunter2@mcp.acme.example'],
    ['PUBLIC_URL', 'ftp://mcp.acme.example'],
    ['OIDC_ISSUER', 'http://idp.acme.example'],
    ['OIDC_ISSUER', 'https://idp.acme.example?tenant=1'],
    ['OIDC_ISSUER', 'https://idp.acme.example#'],
    ['OIDC_ISSUER', 'https://hunter2@idp.acme.example'],
    ['OIDC_ISSUER', 'idp'],
    ['DATABASE_URL', 'mysql://root:hunter2@db/office'],
    ['DATABASE_URL', 'postgres://root:hunter2@db'],
    ['DATABASE_URL', 'postgres:///office'],
    ['DATABASE_URL', 'sqlite:'],
    ['DATABASE_URL', 'sqlite://data/office.sqlite'],
    ['DATABASE_URL', 'data/office.sqlite'],
    ['DATABASE_OWNER_URL', 'sqlite:data/office.sqlite'],
    ['DATABASE_OWNER_URL', 'postgres://root:hunter2@db/office'],
    ['DATA_DIR', 'a\0b'],
    ['API_KEY_PEPPER', 'hunter2'],
    ['AUDIT_SECRET', 'hunter2'],
    ['AUDIT_LOG_KEY', 'hunter2'],
  ])('refuses %s=%s with one sentence that does not repeat the value', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: write .+\\.$`))]);
    expect(problems.join('')).not.toContain('hunter2');
  });

  it('refuses the development identity provider in production, whatever else is wrong', () => {
    const refused =
      "The development identity provider is refused in production: set OIDC_ISSUER to your provider's issuer URL.";
    expect(problemsOf({ NODE_ENV: 'production', ...SECRETS })).toEqual([refused]);
    expect(problemsOf({ NODE_ENV: 'production', OIDC_ISSUER: '', PORT: 'x' })).toContain(refused);
  });

  it.each(['API_KEY_PEPPER', 'AUDIT_SECRET', 'AUDIT_LOG_KEY'])('asks for %s in production', (name) => {
    const production = { NODE_ENV: 'production', OIDC_ISSUER: 'https://acme.okta.example', ...SECRETS };
    expect(problemsOf({ ...production, [name]: '' })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: write .*(openssl|new-key)`)),
    ]);
  });

  it('asks for PUBLIC_URL when the server listens beyond loopback', () => {
    expect(problemsOf({ HOST: '0.0.0.0' })).toEqual([expect.stringMatching(/^PUBLIC_URL: write/)]);
  });

  it('names every problem at once', () => {
    const problems = problemsOf({ NODE_ENV: 'production', PORT: 'x', DATABASE_URL: 'y', PUBLIC_URL: 'z' });
    expect(problems).toHaveLength(7);
    expect(new ConfigurationError(problems).message.split('\n')).toHaveLength(8);
  });
});

describe('configuration', () => {
  it('is a Nest provider', async () => {
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forFeature(configuration)],
    }).compile();
    expect(module.get(configuration.KEY)).toEqual(readConfiguration(process.env));
  });
});
