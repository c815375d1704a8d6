import { TILE_WIDTH } from '@sallyport/tlog';

import type { LogRows } from '../log-rows.js';
import { strayTiles } from '../put-in.js';
import { treeSize } from '../tree-size.js';
import type { LogFindings } from './log-findings.js';

/** Of each kind so many are looked for; there is no end to what may be put in. */
const MOST = 1000;

/** Names what stands where the tree has not grown to. Servers add leaves one after the other, and tiles after them. */
export async function checkStrays(rows: LogRows, findings: LogFindings): Promise<void> {
  let { stray: index } = await treeSize(rows, 0);
  for (let found = 0; index !== undefined && found < MOST; found += 1) {
    const [leaf] = await rows.logged(index, 1);
    findings.add({
      code: 'record_inserted',
      message: `The leaf at index ${index} (seq ${leaf?.seq}) was put in: there is none before it. The record with its number, if there is one, is not in the log.`,
      index,
      ...(leaf === undefined ? {} : { seq: leaf.seq }),
    });
    index = await rows.nextIndex(index + 1);
  }
  for (const { level, index: at } of await strayTiles(rows)) {
    const message = `Tile ${at} of level ${level} was put in: the leaves that it would be made of are not there.`;
    findings.add({ code: 'tile_changed', message, index: Math.max(0, at * TILE_WIDTH ** (level + 1)) });
  }
}
