import { CookieJar } from './cookie-jar.js';

describe('CookieJar', () => {
  const jarWith = (...lines: string[]) => {
    const jar = new CookieJar();
    jar.store(new Headers(lines.map((line): [string, string] => ['set-cookie', line])));
    return jar;
  };
  const sent = (jar: CookieJar, path: string) => jar.header(new URL(path, 'http://127.0.0.1:3000'));

  it.each([
    ['/idp', '/idp', true],
    ['/idp', '/idp/auth', true],
    ['/idp', '/idpx', false],
    ['/idp/', '/idp/auth', true],
    ['/', '/anything', true],
    ['/sign-in/one', '/sign-in/other', false],
  ])('sends a cookie of %s to %s: %s', (cookiePath, path, is) => {
    expect(sent(jarWith(`name=value; path=${cookiePath}; httponly`), path)).toBe(
      is ? 'name=value' : undefined,
    );
  });

  it('sends the cookie of the longer path first', () => {
    expect(sent(jarWith('name=short; path=/', 'name=long; path=/idp'), '/idp/auth')).toBe(
      'name=long; name=short',
    );
  });

  it('replaces a cookie of the same name and path, and forgets an expired one', () => {
    const jar = jarWith('name=old; path=/', 'name=new=with=signs; path=/');
    expect(sent(jar, '/')).toBe('name=new=with=signs');
    jar.store(new Headers([['set-cookie', 'name=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT']]));
    expect(sent(jar, '/')).toBeUndefined();
  });
});
