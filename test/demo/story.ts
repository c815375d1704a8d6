import { randomBytes } from 'node:crypto';
import { startServer } from '../support/server-process.js';
import { auditList, checkAudit } from './audit-check.js';
import { apiKeys } from './chapters/api-keys.js';
import { badTokens } from './chapters/bad-tokens.js';
import { credentials } from './chapters/credentials.js';
import { gus } from './chapters/gus.js';
import { lena } from './chapters/lena.js';
import { marco } from './chapters/marco.js';
import { nobody } from './chapters/nobody.js';
import { oauth } from './chapters/oauth.js';
import { priya } from './chapters/priya.js';
import { revokedMidCall } from './chapters/revoked-mid-call.js';
import { stdio } from './chapters/stdio.js';
import { Ledger } from './ledger.js';
import type { Run } from './report.js';
import { Stage } from './stage.js';
import type { StoryClient } from './story-client.js';

const CHAPTERS: readonly ((stage: Stage) => Promise<void>)[] = [
  nobody,
  priya,
  lena,
  gus,
  badTokens,
  marco,
  credentials,
  apiKeys,
  revokedMidCall,
  oauth,
  stdio,
];

/** The whole story with one client: a new server with an empty database, every chapter, and what the audit says of it. */
export async function tellStory(
  client: StoryClient,
  progress: (line: string) => void,
  interruption: AbortSignal,
): Promise<Run> {
  const begin = performance.now();
  progress(`${client.name}, protocol ${client.protocol}: starting a server`);
  interruption.throwIfAborted();
  const server = await startServer({ PARTNER_JWT_SECRET: randomBytes(32).toString('base64url') });
  progress(`  it listens at ${server.resource}`);
  // A server that is gone ends the chapter that talks to it.
  interruption.addEventListener('abort', () => void server.stop());
  const ledger = new Ledger((chapter) => progress(`  ${chapter}`));
  try {
    const stage = new Stage(server, client, ledger);
    await playChapters(stage, interruption);
    const records = await checkAudit(stage);
    const audit = await auditList(server);
    const seconds = (performance.now() - begin) / 1000;
    return { client: client.name, protocol: client.protocol, seconds, checks: ledger.checks, audit, records };
  } catch (cause) {
    throw new Error(`The story stopped. The server said:\n${server.output()}`, { cause });
  } finally {
    await server.stop();
  }
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
