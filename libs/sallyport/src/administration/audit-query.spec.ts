import fc from 'fast-check';
import { AuditQueryError, readAuditQuery } from './audit-query.js';

describe('The query of an auditor', () => {
  it('is read into a filter', () => {
    const search =
      'entry=a&user=b&client=c&kind=refusal&decision=hold&limit=7&cursor=d&since=2026-11-21T08:00:00Z';
    expect(readAuditQuery(search, false)).toEqual({
      filter: {
        entry: 'a',
        subject: 'b',
        client: 'c',
        kind: 'refusal',
        decision: 'hold',
        limit: 7,
        since: new Date('2026-11-21T08:00:00Z'),
      },
      tenant: undefined,
      cursor: 'd',
    });
  });

  it('has 50 records where none are asked for', () => {
    expect(readAuditQuery('', false).filter).toEqual({ limit: 50 });
  });

  it('names a tenant for operators alone', () => {
    expect(readAuditQuery('tenant=globex', true).tenant).toBe('globex');
    expect(() => readAuditQuery('tenant=globex', false)).toThrow(AuditQueryError);
  });

  it.each(['2026-11-21T08:00:00+01:00', '2026-11-21T08:00Z', '2026-11-21T08:00:00.123Z'])(
    'takes the time %s',
    (time) => {
      const { filter } = readAuditQuery(`until=${encodeURIComponent(time)}`, false);
      expect(filter.until).toEqual(new Date(time));
    },
  );

  it.each(['2026-13-01T00:00:00Z', '2026-11-21', '0', 'now', '2026-11-21T08:00:00'])(
    'takes no time %s',
    (time) => {
      expect(() => readAuditQuery(`until=${time}`, false)).toThrow(/until as a time/);
    },
  );

  it('is applied whole or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.webQueryParameters(), fc.boolean(), (search, isOperator) => {
        try {
          const { filter, tenant, cursor } = readAuditQuery(search, isOperator);
          const { limit: _limit, ...filters } = filter;
          const asked = [...new URLSearchParams(search).keys()].filter((name) => name !== 'limit');
          const read =
            Object.keys(filters).length + Number(tenant !== undefined) + Number(cursor !== undefined);
          expect(read).toBe(asked.length);
        } catch (error) {
          expect(error).toBeInstanceOf(AuditQueryError);
        }
      }),
    );
  });

  it('never asks for more than 200', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (limit) => {
        try {
          const { filter } = readAuditQuery(new URLSearchParams({ limit }).toString(), false);
          expect(Number.isInteger(filter.limit) && filter.limit >= 1 && filter.limit <= 200).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(AuditQueryError);
        }
      }),
    );
  });
});
