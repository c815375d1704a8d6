import { randomBytes } from 'node:crypto';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { auditList, checkAudit, checkExplanations } from './audit-check.js';
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
import { stdio } from './chapters/stdio.js';
import { close } from './closing/close.js';
import { together } from './command-line.js';
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
  oauth,
  stdio,
];

/** A story that was told to its end. */
export interface Told {
  /** Resolves when all that goes on without its client is done, too, and its server is gone. */
  readonly run: Promise<Run>;
}

/**
 * The whole story with one client: a new server with an empty database, every chapter, and what the audit says of it.
 * `withClosing`: and what a team does with it. That takes no client, so the next story may begin meanwhile.
 */
export async function tellStory(
  client: StoryClient,
  progress: (line: string) => void,
  interruption: AbortSignal,
  withClosing: boolean,
): Promise<Told> {
  const begin = performance.now();
  progress(`${client.name}, protocol ${client.protocol}: starting a server`);
  interruption.throwIfAborted();
  const server = await startServer({ PARTNER_JWT_SECRET: randomBytes(32).toString('base64url') });
  progress(`  it listens at ${server.resource}`);
  // A server that is gone ends the chapter that talks to it.
  interruption.addEventListener('abort', () => void server.stop());
  const explainer = Explainer.start(server);
  const stop = async (): Promise<void> => {
    await explainer.stop();
    await server.stop();
  };
  const ledger = new Ledger((chapter) => progress(`  ${chapter}`));
  const stage = new Stage(server, client, ledger, explainer);
  const { records, audit } = await orExplain(server, stop, () => playStory(stage, interruption));
  const end = async (): Promise<Run> => {
    if (withClosing) await orExplain(server, stop, () => close(stage, explainer, records));
    await stop();
    const seconds = (performance.now() - begin) / 1000;
    return { client: client.name, protocol: client.protocol, seconds, checks: ledger.checks, audit, records };
  };
  const run = end();
  // Who tells the next story looks at it later; meanwhile it is no failure that nobody has seen.
  run.catch(() => undefined);
  return { run };
}

async function orExplain<T>(
  server: ServerProcess,
  stop: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    await stop();
    throw new Error(`The story stopped. The server said:\n${server.output()}`, { cause });
  }
}

async function playStory(stage: Stage, interruption: AbortSignal) {
  await playChapters(stage, interruption);
  const [records, audit] = await together([checkAudit(stage), auditList(stage.server)]);
  checkExplanations(stage, records);
  return { records, audit };
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
