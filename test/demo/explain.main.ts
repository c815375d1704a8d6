import 'reflect-metadata';
import { createInterface } from 'node:readline';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Authenticator } from '@sallyport/mcp';
import { explainCall } from 'sallyport';
import { z } from 'zod';
import { AppModule } from '../../src/app.module.js';
import type { Explained } from './explainer.js';

const asked = z.object({
  kind: z.enum(['tool', 'resource', 'prompt']),
  target: z.string(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  token: z.string().optional(),
});

/** Takes one question a line, and gives one answer a line, until the questions end. */
async function main(): Promise<void> {
  const context = await NestFactory.createApplicationContext(AppModule, {
    logger: false,
    abortOnError: false,
  });
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await explain(context, asked.parse(JSON.parse(line)));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  await context.close();
}

/** As the command does it: the identity sources of the server judge the token, and the gate explains. */
async function explain(
  context: INestApplicationContext,
  { token, kind, target, arguments: given }: z.output<typeof asked>,
): Promise<Explained> {
  const authenticator = context.get(Authenticator, { strict: false });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await authenticator.authenticate({ headers, via: 'http' });
  if (answer.kind === 'failed') return { reason: answer.reason, checks: null, policyVersion: null };
  const as = answer.kind === 'principal' ? answer.principal : undefined;
  const explanation = await explainCall(context, { as, kind, target, arguments: given });
  const { reason = null, checks, policyVersion } = explanation;
  return { reason, checks: [...checks], policyVersion };
}

await main();
