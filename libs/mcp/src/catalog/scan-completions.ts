import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Problem } from '../problem.js';
import type { Catalog } from './catalog.js';
import { COMPLETION_DECLARATION, type McpCompletionOptions } from './completion.decorator.js';
import type { Entry, EntryKind } from './entry.js';
import {
  classPoliciesOf,
  declaredMethods,
  type CatalogScan,
  type EntryHost,
  type MethodHost,
} from './scan-catalog.js';

/** The method that completes one argument of one entry. */
export interface CompletionHost extends MethodHost {
  readonly entry: Entry;
  readonly argument: string;
}

export interface CompletionScan {
  readonly hosts: readonly CompletionHost[];
  /** Whatever stops the boot. */
  readonly problems: readonly Problem[];
}

/** Finds every declared completion, once everything is constructed. */
export function scanCompletions(
  { catalog, hosts: entryHosts }: Pick<CatalogScan, 'catalog' | 'hosts'>,
  discovery: DiscoveryService,
  scanner: MetadataScanner,
): CompletionScan {
  const hosts: CompletionHost[] = [];
  const problems: Problem[] = [];
  for (const { wrapper, method, declaration } of declared(discovery.getProviders(), scanner)) {
    const source = `${wrapper.name}.${method}`;
    const entry = entryOf(catalog, declaration);
    const { argument } = { ...declaration };
    const fault =
      wrapper.token === wrapper.metatype
        ? (faultOf(catalog, entry, argument) ?? unheldPolicy(entry, wrapper, entryHosts))
        : NOT_A_CLASS;
    const isTaken = hosts.some((host) => host.entry === entry && host.argument === argument);
    if (entry !== undefined && fault === undefined && !isTaken)
      hosts.push({ wrapper, method, entry, argument });
    else
      problems.push(
        problem(source, fault ?? `completes "${argument}", which another method does: leave out one`),
      );
  }
  for (const { wrapper, method } of declared(discovery.getControllers(), scanner)) {
    problems.push(problem(`${wrapper.name}.${method}`, 'is on a controller: move it to a provider'));
  }
  return { hosts, problems };
}

function declared(wrappers: Parameters<typeof declaredMethods>[1], scanner: MetadataScanner) {
  return declaredMethods<McpCompletionOptions>(COMPLETION_DECLARATION, wrappers, scanner);
}

function entryOf({ entries }: Catalog, declaration: McpCompletionOptions): Entry | undefined {
  const named = (kind: EntryKind, name: string) =>
    entries.find((entry) => entry.kind === kind && entry.name === name);
  return 'prompt' in declaration
    ? named('prompt', declaration.prompt)
    : named('resource', declaration.resource);
}

const NOT_A_CLASS =
  'is on a value, on what a factory returns, or on a class behind another token: list the class itself under providers';

function faultOf(catalog: Catalog, entry: Entry | undefined, argument: unknown): string | undefined {
  if (entry === undefined)
    return "names no prompt and no resource of this server: write { prompt: '…' } or { resource: '…' } by its name";
  const names = catalog.argumentNames(entry);
  if (typeof argument === 'string' && names.includes(argument)) return undefined;
  const known = names.join(', ') || 'none';
  return `names the argument "${String(argument)}", which ${entry.kind} "${entry.name}" has not (it has ${known})`;
}

/** A completion is decided on as its entry is: the policy of another class would hold for nobody, and seem to. */
function unheldPolicy(
  entry: Entry | undefined,
  { metatype }: MethodHost['wrapper'],
  entryHosts: readonly EntryHost[],
): string | undefined {
  if (classPoliciesOf(metatype).length === 0) return undefined;
  const declaring = entryHosts.find((host) => host.entry === entry)?.wrapper.metatype;
  if (declaring === metatype) return undefined;
  return `is in a class with @McpPolicy, which holds for entries alone: move it to the class of ${entry?.kind} "${entry?.name}", or to one without`;
}

function problem(source: string, fault: string): Problem {
  return { code: 'completion', message: `The completion ${source} ${fault}.` };
}
