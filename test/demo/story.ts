import { randomBytes } from 'node:crypto';
import { startServer } from '../support/server-process.js';
import { auditList, checkAudit, checkExplanations } from './audit-check.js';
import type { ActualRecord } from './audit-check.js';
import { anotherTenant } from './chapters/another-tenant.js';
import { apiKeys } from './chapters/api-keys.js';
import { badTokens } from './chapters/bad-tokens.js';
import { credentials } from './chapters/credentials.js';
import { following } from './chapters/following.js';
import { gus } from './chapters/gus.js';
import { lena } from './chapters/lena.js';
import { marco } from './chapters/marco.js';
import { nobody } from './chapters/nobody.js';
import { oauth } from './chapters/oauth.js';
import { anyOfScopes, classPolicyAndRule, completions, freshSignIn } from './chapters/policy-language.js';
import { priya } from './chapters/priya.js';
import { revokedMidCall } from './chapters/revoked-mid-call.js';
import { sessionOfAnother } from './chapters/session-of-another.js';
import { stdio } from './chapters/stdio.js';
import { auditor } from './closing/auditor.js';
import { erasure } from './closing/erasure.js';
import { exports } from './closing/exports.js';
import { lock } from './closing/lock.js';
import { proof } from './closing/proof.js';
import { tampering } from './closing/tampering.js';
import { Explainer } from './explainer.js';
import { Ledger } from './ledger.js';
import type { Run } from './report.js';
import { Stage } from './stage.js';
import type { StoryClient } from './story-client.js';

const CHAPTERS: readonly ((stage: Stage) => Promise<void>)[] = [
  nobody,
  priya,
  lena,
  gus,
  anotherTenant,
  anyOfScopes,
  classPolicyAndRule,
  freshSignIn,
  completions,
  badTokens,
  marco,
  credentials,
  apiKeys,
  revokedMidCall,
  following,
  sessionOfAnother,
  oauth,
  stdio,
];

type Closing = (stage: Stage, records: readonly ActualRecord[]) => Promise<void>;

/** What a team does with it: no calls, so one client's database will do. */
const WHILE_IT_RUNS: readonly Closing[] = [auditor, lock];
const ONCE_IT_STOPPED: readonly Closing[] = [tampering, proof, exports, erasure];

/** The whole story with one client: a new server with an empty database, every chapter, and what the audit says of it. */
export async function tellStory(
  client: StoryClient,
  progress: (line: string) => void,
  interruption: AbortSignal,
  withClosing: boolean,
): Promise<Run> {
  const begin = performance.now();
  progress(`${client.name}, protocol ${client.protocol}: starting a server`);
  interruption.throwIfAborted();
  const server = await startServer({
    PARTNER_JWT_SECRET: randomBytes(32).toString('base64url'),
    SESSIONS: 'on',
  });
  progress(`  it listens at ${server.resource}`);
  // A server that is gone ends the chapter that talks to it.
  interruption.addEventListener('abort', () => void server.stop());
  const explainer = Explainer.start(server);
  const ledger = new Ledger((chapter) => progress(`  ${chapter}`));
  try {
    const stage = new Stage(server, client, ledger, explainer);
    await playChapters(stage, interruption);
    const records = await checkAudit(stage);
    checkExplanations(stage, records);
    const audit = await auditList(server);
    if (withClosing) await close(stage, explainer, records);
    const seconds = (performance.now() - begin) / 1000;
    return { client: client.name, protocol: client.protocol, seconds, checks: ledger.checks, audit, records };
  } catch (cause) {
    throw new Error(`The story stopped. The server said:\n${server.output()}`, { cause });
  } finally {
    await explainer.stop();
    await server.stop();
  }
}

async function close(stage: Stage, explainer: Explainer, records: readonly ActualRecord[]): Promise<void> {
  for (const closing of WHILE_IT_RUNS) await closing(stage, records);
  await stage.leave();
  await explainer.stop();
  await stage.server.shutDown();
  for (const closing of ONCE_IT_STOPPED) await closing(stage, records);
}

async function playChapters(stage: Stage, interruption: AbortSignal): Promise<void> {
  try {
    for (const chapter of CHAPTERS) {
      interruption.throwIfAborted();
      await chapter(stage);
    }
  } finally {
    await stage.leave();
  }
}
