import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { Problem } from '../problem.js';

/**
 * The path of the endpoint is part of the resource that every token names, and is compared exactly. Where the router
 * would serve another one, nothing would be served, and nobody would be told why.
 */
export function endpointProblems(config: ApplicationConfig, path: string): Problem[] {
  return [...slashProblems(path), ...prefixProblems(config, path)];
}

function slashProblems(path: string): Problem[] {
  if (path === '/' || !path.endsWith('/')) return [];
  const message = `The path ${path} of the resource ends in a slash, which routers take off: write resource: '…${path.slice(0, -1)}'.`;
  return [{ code: 'endpoint_path', message }];
}

function prefixProblems(config: ApplicationConfig, path: string): Problem[] {
  const prefix = config.getGlobalPrefix();
  if (prefix === '' || prefix === '/' || isExcluded(config, path)) return [];
  const message = `The global prefix "${prefix}" moves the endpoint away from ${path}: write app.setGlobalPrefix('${prefix}', { exclude: ['${path}'] }).`;
  return [{ code: 'global_prefix', message }];
}

function isExcluded(config: ApplicationConfig, path: string): boolean {
  const excluded = config.getGlobalPrefixOptions().exclude ?? [];
  return excluded.some(
    ({ pathRegex, requestMethod }) =>
      (requestMethod === RequestMethod.ALL || requestMethod === RequestMethod.POST) &&
      pathRegex.exec(path) !== null,
  );
}
