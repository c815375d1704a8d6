import { gatekeepingFor, isAllowedHost, isAllowedOrigin, isLoopback } from './origin-and-host.js';

const remote = gatekeepingFor(
  new URL('https://mcp.acme.example:8443/mcp'),
  ['alias.example', '[2001:db8::1]'],
  ['https://app.example', 'https://app.example:8443/'],
);
const local = gatekeepingFor(new URL('http://localhost:3000/mcp'));

describe('isAllowedHost', () => {
  it.each([
    'mcp.acme.example',
    'mcp.acme.example:8443',
    'mcp.acme.example:1',
    'MCP.Acme.Example',
    'alias.example',
    '[2001:db8::1]:80',
  ])('answers to %s', (host) => {
    expect(isAllowedHost(host, remote)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'acme.example',
    'evil.example',
    'mcp.acme.example.evil.example',
    'evil-mcp.acme.example',
    'mcp.acme.example@evil.example',
    'evil.example#mcp.acme.example',
    'evil.example/mcp.acme.example',
    'mcp.acme.example.',
    'mcp.acme.example:99999',
    'mcp.acme.example:80:80',
    'mcp.acme.example, evil.example',
    'mcp.acme.example\u00ad',
    'localhost',
    '127.0.0.1',
    '[::1]',
    ' ',
  ])('does not answer to %j', (host) => {
    expect(isAllowedHost(host, remote)).toBe(false);
  });

  it.each(['localhost', 'localhost:1', '127.0.0.1:80', '[::1]'])('on loopback answers to %s', (host) => {
    expect(isAllowedHost(host, local)).toBe(true);
  });

  it.each(['127.0.0.2', '0.0.0.0', 'localhost.evil.example', '127.0.0.1.nip.io', '169.254.169.254'])(
    'on loopback does not answer to %s (DNS rebinding)',
    (host) => {
      expect(isAllowedHost(host, local)).toBe(false);
    },
  );
});

describe('isAllowedOrigin', () => {
  it.each([undefined, 'https://mcp.acme.example:8443', 'https://app.example', 'https://app.example:8443'])(
    'lets %s in',
    (origin) => {
      expect(isAllowedOrigin(origin, remote)).toBe(true);
    },
  );

  it.each([
    '',
    'null',
    'https://mcp.acme.example',
    'http://app.example',
    'https://app.example:444',
    'https://app.example/',
    'https://app.example.evil.example',
    'https://APP.example',
    'https://app.example, https://evil.example',
    'http://localhost:3000',
    'file://',
    '*',
  ])('keeps %j out', (origin) => {
    expect(isAllowedOrigin(origin, remote)).toBe(false);
  });

  it.each(['http://localhost:6274', 'https://127.0.0.1:1', 'http://[::1]:80'.replace(':80', '')])(
    'on loopback lets %s in',
    (origin) => {
      expect(isAllowedOrigin(origin, local)).toBe(true);
    },
  );

  it.each([
    'null',
    'http://localhost.evil.example',
    'http://localhost:1/x',
    'http://evil@localhost',
    'localhost',
  ])('on loopback keeps %s out', (origin) => {
    expect(isAllowedOrigin(origin, local)).toBe(false);
  });
});

it('isLoopback knows the names of this machine, and no others', () => {
  expect(['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'].every(isLoopback)).toBe(true);
  expect(['127.0.0.2', '::1', '0.0.0.0', 'localhost.', ''].some(isLoopback)).toBe(false);
});
