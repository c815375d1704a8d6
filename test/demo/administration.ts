import { fieldsOf } from './answer.js';
import type { Fields } from './answer.js';
import type { Actor, RecordOf, Stage } from './stage.js';

/** One change by an administrator over HTTP: what is asked, what should come back, and what should be recorded. */
export interface Change {
  /** First column of the table. */
  readonly call: string;
  readonly by: Actor;
  readonly path: string;
  readonly body: Fields;
  /** What of a good answer the table shows. */
  readonly summary: (answer: Fields) => string;
  readonly expected: string;
  /** The id of a new key is in the answer alone. */
  readonly record: (answer: Fields) => RecordOf;
}

/** Administration is no MCP: a POST of JSON with the token of a person. */
export async function administer(stage: Stage, change: Change): Promise<Fields> {
  const { call, by, path, body, summary, expected, record } = change;
  const response = await fetch(`${stage.server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${by.caller?.token}` },
    body: JSON.stringify(body),
  });
  const answer = fieldsOf(await response.json());
  const got = response.ok ? summary(answer) : JSON.stringify(answer['error']);
  stage.ledger.compare(call, expected, `HTTP ${response.status}: ${got}`);
  await stage.expectRecord(record(answer), by);
  return answer;
}
