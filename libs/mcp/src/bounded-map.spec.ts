import fc from 'fast-check';
import { BoundedMap } from './bounded-map.js';

describe('A bounded map', () => {
  it('forgets what was longest without use', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
  });

  it('is a map of the last entries, whatever is done with it', () => {
    const operation = fc.tuple(fc.constantFrom('set', 'get', 'delete'), fc.constantFrom(...'abcdef'));
    fc.assert(
      fc.property(fc.array(operation), fc.nat(4), (operations, most) => {
        const map = new BoundedMap<string>(most);
        const order: string[] = [];
        for (const [what, key] of operations) {
          const at = order.indexOf(key);
          if (what !== 'set' && at < 0) expect(map.get(key)).toBeUndefined();
          if (what === 'get') expect(map.get(key)).toBe(at < 0 ? undefined : key);
          if (what === 'set') map.set(key, key);
          if (what === 'delete') map.delete(key);
          if (at >= 0) order.splice(at, 1);
          if (what === 'set' || (what === 'get' && at >= 0)) order.push(key);
          if (order.length > most) order.shift();
          expect(map.size).toBe(order.length);
          expect([...'abcdef'].filter((each) => map.has(each))).toEqual(order.toSorted());
        }
      }),
    );
  });
});
