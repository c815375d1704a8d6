import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { AuditLog, AuditModule } from '@sallyport/audit';
import { withoutLock } from '../policy-lock.js';
import { SallyportModule } from '../sallyport.module.js';
import { CliError } from './cli-error.js';
import { isForPeople } from './for-people.js';

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
  const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  if (importsOurs(context)) return context;
  await context.close();
  throw new CliError(`${name} imports no SallyportModule, so there is nothing to look at: correct --app.`);
}

/** The audit alone is enough for its own commands. */
const OURS: readonly unknown[] = [SallyportModule, AuditModule];

function importsOurs(context: INestApplicationContext): boolean {
  const modules = context.get(ModulesContainer, { strict: false });
  return [...modules.values()].some(({ metatype }) => OURS.includes(metatype));
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
  const context = await (asServer ? loadApplication(app) : withoutLock(() => openedApplication(app)));
  try {
    if (!asServer) context.get(AuditLog, { strict: false }).standBack();
    return await command(context);
  } finally {
    await context.close();
  }
}

/** What the application itself throws is about its own code: starting it shows where, and a command cannot. */
async function openedApplication(app: string | undefined): Promise<INestApplicationContext> {
  try {
    return await loadApplication(app);
  } catch (error) {
    if (isForPeople(error)) throw error;
    const message = error instanceof Error && error.message !== '' ? error.message : String(error);
    const advice = 'Start the server itself to see where that comes from.';
    throw new CliError(`The application does not start: ${message}\n${advice}`, { cause: error });
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
  if (!statSync(file).isFile() || !SCRIPTS.includes(extname(file)))
    throw new CliError(`${file} is no module: name the file, as in --app ${USUAL_PLACES[0]}#AppModule.`);
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href);
  const module = exported[name];
  if (!isClass(module))
    throw new CliError(`${file} exports no module named ${name}: say --app ${file}#YourModule.`);
  return module;
}

/** What can be imported; sources only where something translates them, as in tests. */
const SCRIPTS: readonly string[] = ['.js', '.mjs', '.cjs', '.ts'];

/** An arrow function is called and not constructed, so it has no prototype. */
function isClass(value: unknown): value is Type<unknown> {
  return typeof value === 'function' && 'prototype' in value;
}
