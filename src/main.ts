import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { explainBootFailure } from './explain-boot-failure.js';
import { welcome } from './welcome.js';

async function start(): Promise<void> {
  // Loaded here so that what is wrong with the environment is explained below, too.
  const { AppModule, config, issuer } = await import('./app.module.js');
  const application = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
    logger: ['warn', 'error', 'fatal'],
    abortOnError: false,
  });
  application.enableShutdownHooks();
  await application.listen(config.port, config.host);
  console.log(welcome(config, issuer));
}

start().catch(explainBootFailure);
