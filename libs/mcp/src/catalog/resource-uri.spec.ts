import fc from 'fast-check';
import { isTemplate, matchTemplate, resourceUriFault } from './resource-uri.js';

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
        else expect(value).toMatch(/^\.{1,2}$|[/\\\p{Cc}]/u);
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
