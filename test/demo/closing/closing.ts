import type { ActualRecord } from '../audit-check.js';
import type { Stage } from '../stage.js';

/** A server that nobody calls any more, and where to write down what is found. */
export type Desk = Pick<Stage, 'server' | 'ledger'>;

/** One chapter after the story. `records` are those of the story, as the audit had them. */
export type Closing = (desk: Desk, records: readonly ActualRecord[]) => Promise<void>;
