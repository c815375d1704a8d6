import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { benchModule } from './bench-module.js';
import { issueKey } from './issue-key.js';
import { reportToBench } from './report-to-bench.js';
import { readSallyportSettings, type SallyportSettings } from './settings.js';

async function create(settings: SallyportSettings): Promise<INestApplication> {
  const adapter = settings.platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  return NestFactory.create(benchModule(settings), adapter, { logger: ['error', 'fatal'] });
}

const settings = readSallyportSettings();
const application = await create(settings);
await application.listen(0, '127.0.0.1');
const { port } = new URL(await application.getUrl());
const key = settings.keys ? await issueKey(application) : undefined;
reportToBench({ port: Number(port), key }, () => application.close());
