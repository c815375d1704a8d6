import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditLog } from '@sallyport/audit';
import { withoutLock } from '../policy-lock.js';
import { CliError } from './cli-error.js';

/** Where a Nest application usually has its root module once it is built. */
const USUAL_PLACES = ['dist/app.module.js', 'dist/src/app.module.js'];

/**
 * Opens the application as a context: everything is wired and checked, and nothing listens.
 *
 * @param app `path[#export]` of the root module; the export is `AppModule` unless it is named
 * @throws CliError when there is no such module; and whatever stops the boot
 */
export async function loadApplication(app: string | undefined): Promise<INestApplicationContext> {
  const [path, name = 'AppModule'] = (app ?? usualPlace()).split('#');
  const module = await importModule(resolve(path ?? ''), name);
  return NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
}

/**
 * Runs a command against the application and closes it in every case. A command looks and serves nobody, so the policy lock
 * does not keep it out, or nobody could see what differs; `asServer` opens it as a server would.
 */
export async function withApplication<T>(
  app: string | undefined,
  command: (context: INestApplicationContext) => Promise<T>,
  asServer = false,
): Promise<T> {
  const context = await (asServer ? loadApplication(app) : withoutLock(() => loadApplication(app)));
  try {
    if (!asServer) context.get(AuditLog, { strict: false }).standBack();
    return await command(context);
  } finally {
    await context.close();
  }
}

function usualPlace(): string {
  const found = USUAL_PLACES.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new CliError(
    `There is no ${USUAL_PLACES.join(' or ')} here: build the application, or say --app path/to/app.module.js#AppModule.`,
  );
}

async function importModule(file: string, name: string): Promise<Type<unknown>> {
  if (!existsSync(file))
    throw new CliError(`There is no file ${file}: build the application, or correct --app.`);
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href);
  const module = exported[name];
  if (!isClass(module))
    throw new CliError(`${file} exports no module named ${name}: say --app ${file}#YourModule.`);
  return module;
}

function isClass(value: unknown): value is Type<unknown> {
  return typeof value === 'function';
}
