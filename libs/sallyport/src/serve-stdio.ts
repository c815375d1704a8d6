import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ConsoleLogger, type LogLevel, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { StdioServer } from '@sallyport/mcp';
import { ServerLife } from './server-life.js';

/** The environment variable a local process gets its access token from. */
export const TOKEN_VARIABLE = 'SALLYPORT_TOKEN';

/** Standard output belongs to the protocol: everything said to people goes to standard error. */
class StandardErrorLogger extends ConsoleLogger {
  protected override printMessages(messages: unknown[], context?: string, logLevel?: LogLevel): void {
    super.printMessages(messages, context, logLevel, 'stderr');
  }
}

/**
 * Serves an application over stdio until the client closes its side: the same gate, the same audit, the principal from
 * the access token in `SALLYPORT_TOKEN`. Without one the caller is anonymous.
 *
 * @example
 * ```ts
 * await serveStdio(AppModule);
 * ```
 */
export async function serveStdio(application: Type<unknown>): Promise<void> {
  const output = claimStandardOutput();
  const context = await NestFactory.createApplicationContext(application, {
    logger: new StandardErrorLogger({ logLevels: ['warn', 'error', 'fatal'] }),
  });
  context.enableShutdownHooks();
  await context.get(ServerLife, { strict: false }).start('stdio');
  const handle = context.get(StdioServer).serve({ input: process.stdin, output, token: takeToken() });
  await finished(process.stdin, { writable: false }).catch(() => undefined);
  await handle.close();
  await context.close();
}

/** Read once and removed, so that nothing the tools start inherits it. */
function takeToken(): string | undefined {
  const token = process.env[TOKEN_VARIABLE]?.trim();
  delete process.env[TOKEN_VARIABLE];
  return token === '' ? undefined : token;
}

/** Keeps the real standard output for the protocol; a stray `console.log` lands on standard error instead of in it. */
function claimStandardOutput(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      write(chunk, (error) => done(error));
    },
  });
}
