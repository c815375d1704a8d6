import fc from 'fast-check';
import { isTemplate, matchTemplate, resourceUriFault, templatesOverlap } from './resource-uri.js';

describe('matchTemplate', () => {
  it.each([
    ['docs://{slug}', 'docs://intro', { slug: 'intro' }],
    ['docs://{slug}', 'docs://a%20b', { slug: 'a b' }],
    ['docs://{slug}', 'docs://%C3%A9', { slug: 'é' }],
    ['docs://{slug}', 'docs://...', { slug: '...' }],
    ['crm://{tenant}/records/{id}', 'crm://acme/records/7', { tenant: 'acme', id: '7' }],
    ['docs://a.b/{slug}', 'docs://a.b/c', { slug: 'c' }],
  ])('reads %s from %s', (template, uri, variables) => {
    expect(matchTemplate(template, uri)).toEqual(variables);
  });

  it.each([
    '..',
    '.',
    '%2e%2e',
    '%2E%2E',
    '%2e.',
    '.%2e',
    '%252e%252e',
    'a/b',
    'a%2fb',
    'a%2Fb',
    'a%5cb',
    'a%5Cb',
    'a\\b',
    '..%2f..%2fetc%2fpasswd',
    'a%00',
    'a%0a',
    'a%7F',
    '%C2%85',
    '%',
    '%zz',
    '%ff',
    '%c3%a9',
    '%61',
    'a b',
    'é',
    'a?x=1',
    'a#b',
    'a,b',
    'a+b',
    '',
  ])('takes "%s" for no value: another spelling, or a way out', (value) => {
    const variables = matchTemplate('docs://{slug}', `docs://${value}`);
    // A doubly escaped dot is a name of percent signs and digits, and stays one.
    if (value === '%252e%252e') expect(variables).toEqual({ slug: '%2e%2e' });
    else expect(variables).toBeUndefined();
  });

  it.each([
    ['docs://{slug}', 'docs://\ud800'],
    ['docs://{slug}', 'docs://a\udfff'],
    ['docs://{slug}', 'DOCS://intro'],
    ['docs://{slug}', 'docs:/intro'],
    ['docs://{slug}', ' docs://intro'],
    ['docs://{slug}', 'docs://intro '],
    ['docs://{slug}', 'docs://intro\n'],
    ['docs://{slug}', 'xdocs://intro'],
    ['docs://a.b/{slug}', 'docs://aXb/c'],
    ['crm://{tenant}/records/{id}', 'crm://acme/records/7/8'],
    ['crm://{tenant}/records/{id}', 'crm://acme/../records/7'],
  ])('of %s does not match %s', (template, uri) => {
    expect(matchTemplate(template, uri)).toBeUndefined();
  });

  it('gives each value from exactly one spelling', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        fc.pre(value.isWellFormed());
        const matched = matchTemplate('docs://{slug}', `docs://${encodeURIComponent(value)}`);
        if (matched !== undefined) expect(matched).toEqual({ slug: value });
        else expect([value === value.normalize('NFC'), value.normalize('NFKC')]).toEqual(refused(value));
      }),
    );
  });

  /** What a refused value looks like: not composed, or a way out under the most lenient reading. */
  function refused(value: string): unknown[] {
    if (value !== value.normalize('NFC')) return [false, expect.anything()];
    return [true, expect.stringMatching(/^\.{1,2}$|[/\\\p{Cc}]/u)];
  }

  it.each([
    ['e%CC%81', 'a letter and its accent, for which there is one character'],
    ['%EF%BC%8F', 'a fullwidth slash'],
    ['%EF%BC%8E%EF%BC%8E', 'two fullwidth dots'],
    ['%E2%80%A5', 'a two dot leader'],
    ['%EF%BC%BC', 'a fullwidth backslash'],
    ['%E2%84%AB', 'the sign for the unit Ångström, which is the letter'],
  ])('takes "%s" for no value: %s', (value) => {
    expect(matchTemplate('docs://{slug}', `docs://${value}`)).toBeUndefined();
  });

  it.each([
    'docs://user@intro',
    'docs://user:secret@intro',
    'docs://intro?x',
    'docs://intro#x',
    'docs://intro;v=1',
    'docs://intro:80',
    'docs:///intro',
    'docs://intro/',
    'docs:intro',
    'Docs://intro',
    'docs://intro%00',
    'docs://./intro',
    'docs://x/../intro',
  ])('does not find docs://{slug} in %s', (uri) => {
    expect(matchTemplate('docs://{slug}', uri)).toBeUndefined();
  });

  const templates = fc.constantFrom(
    'docs://{slug}',
    'crm://{tenant}/records/{id}',
    'a:{x}',
    'https://h/{a}/b/{c}/d',
  );
  const pieces = fc.constantFrom(
    'docs://',
    'crm://',
    '/records/',
    'a:',
    'https://h/',
    '/b/',
    '/d',
    '..',
    '%2e',
    '%2F',
    'é',
    '@',
    '?',
    '#',
    '%25',
    'x',
  );
  const uris = fc.oneof(
    fc.webUrl(),
    fc
      .array(fc.oneof(pieces, fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength: 8 })
      .map((all) => all.join('')),
  );

  it('takes no URI but the one that its variables are written as, byte by byte', () => {
    fc.assert(
      fc.property(templates, uris, (template, uri) => {
        const matched = matchTemplate(template, uri);
        if (matched === undefined) return;
        const again = template.replaceAll(/\{([^}]*)\}/g, (_, name: string) =>
          encodeURIComponent(matched[name] ?? ''),
        );
        expect(again).toBe(uri);
        for (const value of Object.values(matched)) {
          expect(value.normalize('NFKC')).not.toMatch(/[/\\\p{Cc}]|^\.{1,2}$|^$/u);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('finds again what was written by the rules', () => {
    const words = fc.stringMatching(/^[a-z0-9 _~!-]{1,12}$/);
    fc.assert(
      fc.property(words, words, (tenant, id) => {
        const uri = `crm://${encodeURIComponent(tenant)}/records/${encodeURIComponent(id)}`;
        expect(matchTemplate('crm://{tenant}/records/{id}', uri)).toEqual({ tenant, id });
      }),
    );
  });

  it('never lets a value reach across a segment, and never throws', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'./\\%25efFc0a{}:?#,+ ') });
    fc.assert(
      fc.property(noise, (value) => {
        const matched = matchTemplate('crm://{tenant}/{id}', `crm://acme/${value}`);
        if (matched === undefined) return;
        expect(matched['tenant']).toBe('acme');
        expect(matched['id']).not.toMatch(/[/\\\p{Cc}]|^\.{1,2}$/u);
        expect(encodeURIComponent(matched['id'] ?? '')).toBe(value);
      }),
    );
  });
});

describe('resourceUriFault', () => {
  it.each(['docs://page', 'docs://{slug}', 'https://acme.example/{a}/b/{c_1}', 'mail:inbox'])(
    'finds nothing wrong with %s',
    (uri) => {
      expect(resourceUriFault(uri)).toBeUndefined();
    },
  );

  it.each([
    [undefined, /has no uri/],
    ['', /has no uri/],
    [7, /has no uri/],
    ['page', /without a scheme/],
    ['/page', /without a scheme/],
    ['docs://{+path}', /level 1/],
    ['docs://{#path}', /level 1/],
    ['docs://{path*}', /level 1/],
    ['docs://{a,b}', /level 1/],
    ['docs://{?q}', /level 1/],
    ['docs://{a', /level 1/],
    ['docs://a}', /level 1/],
    ['docs://a b', /level 1/],
    ['docs://{a}/{a}', /stands twice/],
  ])('says what is wrong with %j', (uri, sentence) => {
    expect(resourceUriFault(uri)).toMatch(sentence);
  });
});

it('isTemplate tells a family of resources from one', () => {
  expect([isTemplate('docs://{slug}'), isTemplate('docs://page')]).toEqual([true, false]);
});

describe('templatesOverlap', () => {
  it.each([
    ['tie://{a}/ccc', 'tie://ccc/{a}', true],
    ['tie://{a}/ccc', 'tie://{b}/ddd', false],
    ['docs://{slug}', 'docs://{name}', true],
    ['docs://{slug}', 'docs://a/{slug}', false],
    ['docs://a-{x}', 'docs://{y}-b', true],
    ['docs://a-{x}', 'docs://b-{y}', false],
    ['docs://{x}.md', 'docs://{y}.txt', false],
    ['docs://ab', 'docs://a{x}b', false],
    ['docs://a1b', 'docs://a{x}b', true],
    ['other://{x}', 'docs://{x}', false],
  ])('of %s and %s is %s, in either order', (one, other, expected) => {
    expect([templatesOverlap(one, other), templatesOverlap(other, one)]).toEqual([expected, expected]);
  });

  const part = fc.constantFrom('', 'a', 'b', 'ab', '-');
  const segment = fc.oneof(
    fc.constantFrom('a', 'b', 'ab', 'a-b'),
    fc.tuple(part, part).map(([before, behind]) => `${before}{x}${behind}`),
  );
  const template = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `t://${parts.join('/')}`);
  const values = fc.array(fc.constantFrom('a', 'b', 'ab', '-', 'a-b', 'ba'), { minLength: 3, maxLength: 3 });

  it('is never denied of two that match one URI', () => {
    fc.assert(
      fc.property(template, template, values, (one, other, [first = '', ...rest]) => {
        const left = [first, ...rest];
        const uri = one.replaceAll('{x}', () => left.shift() ?? 'a');
        const matchesBoth = matchTemplate(one, uri) !== undefined && matchTemplate(other, uri) !== undefined;
        if (matchesBoth) expect(templatesOverlap(one, other)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
