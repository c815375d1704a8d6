import { TILE_WIDTH } from '@sallyport/tlog';

import { LogFindings, type LogFinding } from './log-findings.js';

/** Leaves that differ from their tiles, until something that was signed says which of the two is right. */
export class Doubts {
  private leaves = new LogFindings();
  private first: number | undefined;
  private count = 0;

  /** @param finding what is wrong when the leaf is to blame */
  add(finding: LogFinding): void {
    this.leaves.add(finding);
    this.first ??= finding.index;
    this.count += 1;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** The leaves do not give the root that was signed. */
  blameLeaves(findings: LogFindings): void {
    for (const { count, ...finding } of this.leaves.list()) findings.add(finding, count);
    this.clear();
  }

  /** The leaves give the root that was signed. */
  blameTiles(findings: LogFindings): void {
    this.blame(findings, 'it was put in or changed, and the records are as they were signed');
  }

  /** Nothing was signed of them yet. */
  blameNobody(findings: LogFindings): void {
    this.blame(findings, 'it was put in, or records that were not signed yet were changed');
  }

  private blame(findings: LogFindings, why: string): void {
    const { first: index = 0, count } = this;
    if (count > 0) {
      const message = `Tile ${Math.floor(index / TILE_WIDTH)} of level 0 holds another hash than the leaf at index ${index}: ${why}.`;
      findings.add({ code: 'tile_changed', message, index }, count);
    }
    this.clear();
  }

  private clear(): void {
    this.leaves = new LogFindings();
    this.first = undefined;
    this.count = 0;
  }
}
