import { Catalog } from '../catalog/catalog.js';
import type { CallContext } from './mcp-call.js';
import { MOST_RESOURCES, readOperation } from './operation.js';

const CONTEXT: CallContext = {
  id: '01a1fdd1-c67d-7f0f-b572-823b45c6596d',
  receivedAt: new Date(),
  server: { name: 'a-test', version: '1.0.0', resource: 'http://127.0.0.1/mcp' },
  via: 'http',
  protocol: '2026-07-28',
  principal: undefined,
  address: undefined,
  traceparent: undefined,
};

function resourcesOf(resourceSubscriptions: unknown): string[] {
  const message = { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions } } };
  const operation = readOperation(new Catalog([]), message, CONTEXT, { stream: 'listen' });
  if (operation.kind !== 'listen') throw new Error(`It was read as ${operation.kind}.`);
  return operation.filter.resources.map(({ call }) => call.target);
}

describe('The resources of a subscriptions/listen', () => {
  it('are each looked up once', () => {
    expect(resourcesOf(['a://1', 'a://2', 'a://1'])).toEqual(['a://1', 'a://2']);
  });

  it('are looked up no further than to one too many: the caller is not known to be anybody yet', () => {
    const uris = Array.from({ length: 40_000 }, (_, index) => `a://${index}`);
    expect(resourcesOf(uris)).toHaveLength(MOST_RESOURCES + 1);
  });

  it.each([
    ['no list', 'a://1'],
    ['no texts', [1, null, {}]],
    ['nothing', undefined],
  ])('are none when they are %s', (_, given) => {
    expect(resourcesOf(given)).toEqual([]);
  });
});
