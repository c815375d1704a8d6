import fc from 'fast-check';
import { uuidV7 } from './uuid.js';

const LAST = 2 ** 48 - 1;

describe('uuidV7', () => {
  it('has the form of RFC 9562 §5.7, and begins with its time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAST }), (now) => {
        const uuid = uuidV7(now);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(uuid.replace('-', '').slice(0, 12), 16)).toBe(now);
      }),
    );
  });

  it('sorts as text by time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAST - 1 }), (now) => {
        expect(uuidV7(now) < uuidV7(now + 1)).toBe(true);
      }),
    );
  });

  it('is never the same twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => uuidV7(0))).size).toBe(10_000);
  });
});
