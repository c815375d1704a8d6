import type { ExpectedRecord } from './audit-check.js';
import type { Explained } from './explainer.js';

/** One line of the table. */
export interface Check {
  readonly chapter: string;
  readonly call: string;
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
}

/** What was expected and what came, and what the audit should hold in the end. */
export class Ledger {
  readonly checks: Check[] = [];
  readonly records: ExpectedRecord[] = [];
  /** Of refusals, by the place of their record: what `policy explain` said at the time. */
  readonly explanations = new Map<number, Explained>();
  private title = '';

  constructor(private readonly progress: (line: string) => void) {}

  chapter(title: string): void {
    this.title = title;
    this.progress(title);
  }

  compare(call: string, expected: string, got: string): void {
    this.checks.push({ chapter: this.title, call, expected, got, ok: expected === got });
  }

  /** Of another ledger. */
  append(checks: readonly Check[]): void {
    this.checks.push(...checks);
  }

  /** The same bytes, wherever they are; where not, the first that differs. */
  compareBytes(call: string, one: string | undefined, other: string | undefined): void {
    this.compare(call, 'the same bytes', difference(one, other));
  }

  expectRecord(record: ExpectedRecord, explained?: Explained): void {
    if (explained !== undefined) this.explanations.set(this.records.length, explained);
    this.records.push(record);
  }
}

function difference(one: string | undefined, other: string | undefined): string {
  if (one === undefined || one === '' || other === undefined) return 'no answer to compare';
  if (one === other) return 'the same bytes';
  const at = [...one].findIndex((character, index) => character !== other[index]);
  return `${one.slice(Math.max(at - 10, 0), at + 40)}\n${other.slice(Math.max(at - 10, 0), at + 40)}`;
}
