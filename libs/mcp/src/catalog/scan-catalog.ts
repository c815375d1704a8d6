import 'reflect-metadata';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Problem } from '../problem.js';
import type { ClassPolicy } from './access.js';
import { buildEntry, type BuiltEntry } from './build-entry.js';
import type { DeclaredClassPolicy } from './build-policy.js';
import { Catalog, duplicateProblems } from './catalog.js';
import type { Entry } from './entry.js';
import type { EntryDeclaration } from './entry-options.js';
import { CLASS_POLICY, ENTRY_DECLARATION } from './entry.decorators.js';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A method of a provider, to be bound when everything is constructed. */
export interface MethodHost {
  readonly wrapper: Wrapper;
  readonly method: string;
}

/** The method of a provider that an entry was declared on. */
export interface EntryHost extends MethodHost {
  readonly entry: Entry;
}

/** Everything found in one walk over the providers of the application. */
export interface CatalogScan {
  readonly catalog: Catalog;
  readonly hosts: readonly EntryHost[];
  /** Whatever stops the boot; entries with a problem are not in the catalog. */
  readonly problems: readonly Problem[];
}

/** Finds every declared entry. Reads classes, not instances, so it runs before anything is constructed. */
export function scanCatalog(discovery: DiscoveryService, scanner: MetadataScanner): CatalogScan {
  const problems: Problem[] = [];
  const built: BuiltEntry[] = [];
  const hosts: EntryHost[] = [];
  for (const { wrapper, method, declaration } of declarations(discovery.getProviders(), scanner)) {
    // What a factory makes may exist by now or not: all of it is reported late.
    if (wrapper.inject !== undefined) continue;
    const source = `${wrapper.name}.${method}`;
    const result = buildEntry(declaration, source, classPoliciesOf(wrapper.metatype));
    if (wrapper.token !== wrapper.metatype) {
      problems.push(customProviderProblem(source));
    } else if ('entry' in result) {
      built.push(result);
      hosts.push({ entry: result.entry, wrapper, method });
    } else {
      problems.push(...result);
    }
  }
  problems.push(...controllerProblems(discovery, scanner));
  problems.push(...duplicateProblems(built.map(({ entry }) => entry)));
  return { catalog: new Catalog(built), hosts, problems: once(problems) };
}

/** A class policy is judged with each of its methods, and what is wrong with it is said once. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

/** Of the class and of all it extends: a policy is inherited, and can only be added to. */
export function classPoliciesOf(metatype: unknown): DeclaredClassPolicy[] {
  const policies: DeclaredClassPolicy[] = [];
  for (let type = metatype; typeof type === 'function'; type = Object.getPrototypeOf(type)) {
    const options: ClassPolicy | undefined = Reflect.getOwnMetadata(CLASS_POLICY, type);
    if (Reflect.hasOwnMetadata(CLASS_POLICY, type))
      policies.push({ source: type.name, options: options ?? {} });
  }
  return policies;
}

/** A method on which a decorator wrote something down. */
export interface Declared<Declaration> {
  readonly wrapper: Wrapper;
  readonly method: string;
  readonly declaration: Declaration;
}

function declarations(
  wrappers: readonly Wrapper[],
  scanner: MetadataScanner,
): Generator<Declared<EntryDeclaration>> {
  return declaredMethods(ENTRY_DECLARATION, wrappers, scanner);
}

/** The methods of these providers on which something was written down under this key. */
export function* declaredMethods<Declaration>(
  key: string,
  wrappers: readonly Wrapper[],
  scanner: MetadataScanner,
): Generator<Declared<Declaration>> {
  for (const wrapper of wrappers) {
    const prototype = prototypeOf(wrapper);
    if (prototype === undefined || wrapper.isAlias) continue;
    for (const method of scanner.getAllMethodNames(prototype)) {
      const declared = prototype[method];
      const declaration: Declaration | undefined =
        declared === undefined ? undefined : Reflect.getMetadata(key, declared);
      if (declaration !== undefined) yield { wrapper, method, declaration };
    }
  }
}

/** The class behind a wrapper; for a factory or a value, the class of what it made, once that is known. */
function prototypeOf(wrapper: Wrapper): Record<string, () => unknown> | undefined {
  const metatype: unknown = wrapper.metatype;
  if (typeof metatype === 'function' && !wrapper.isNotMetatype && wrapper.inject === undefined)
    return metatype.prototype;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null ? Object.getPrototypeOf(instance) : undefined;
}

/** Nest finds the guards of a class that is provided as itself; those of a value or behind another token it may leave out. */
function customProviderProblem(source: string): Problem {
  return {
    code: 'entry_on_custom_provider',
    message: `${source} is declared on a value, or on a class behind another token: list the class itself under providers.`,
  };
}

/** A controller would be found by nobody, and a tool that silently does not exist helps nobody. */
function controllerProblems(discovery: DiscoveryService, scanner: MetadataScanner): Problem[] {
  return [...declarations(discovery.getControllers(), scanner)].map(({ wrapper, method }) => ({
    code: 'entry_on_controller',
    message: `${wrapper.name}.${method} is declared on a controller: move it to a provider.`,
  }));
}

/** Entries on objects that a factory made are not found in time: says so, rather than leaving them out in silence. */
export function lateProblems(
  scan: CatalogScan,
  discovery: DiscoveryService,
  scanner: MetadataScanner,
): Problem[] {
  const known = new Set(scan.hosts.map(({ wrapper, method }) => `${wrapper.id} ${method}`));
  return [...declarations(discovery.getProviders(), scanner)]
    .filter(({ wrapper, method }) => wrapper.inject !== undefined && !known.has(`${wrapper.id} ${method}`))
    .map(({ wrapper, method }) => ({
      code: 'entry_on_factory',
      message: `${wrapper.name}.${method} is declared on what a factory returns: provide the class itself.`,
    }));
}
