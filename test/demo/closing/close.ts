import type { ActualRecord } from '../audit-check.js';
import { together } from '../command-line.js';
import type { Explainer } from '../explainer.js';
import { Ledger } from '../ledger.js';
import type { Check } from '../ledger.js';
import type { Stage } from '../stage.js';
import { auditor } from './auditor.js';
import type { Closing } from './closing.js';
import { erasure } from './erasure.js';
import { exports } from './exports.js';
import { lock } from './lock.js';
import { proof } from './proof.js';
import { tamperedCopy, tampering } from './tampering.js';

/** What a team does with its server and its audit, when nobody calls: mostly the command line. */
export async function close(
  stage: Stage,
  explainer: Explainer,
  records: readonly ActualRecord[],
): Promise<void> {
  const play = async (closing: Closing): Promise<readonly Check[]> => {
    const ledger = new Ledger(() => undefined);
    await closing({ server: stage.server, ledger }, records);
    return ledger.checks;
  };
  // Side by side where they do not meet; the report keeps them in this order.
  const [, reviewed] = await together([auditor(stage, records), play(lock)]);
  await stage.leave();
  await explainer.stop();
  await stage.server.shutDown();
  // Nobody has the database open now, so that its file is all of it.
  const copy = await tamperedCopy(stage.server, records);
  const kept = await together([play(tampering(copy)), play(proof), play(exports)]);
  stage.ledger.append([...reviewed, ...kept.flat(), ...(await play(erasure))]);
}
