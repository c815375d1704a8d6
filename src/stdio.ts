import { serveStdio } from 'sallyport';
import { explainBootFailure } from './explain-boot-failure.js';

async function start(): Promise<void> {
  const { AppModule } = await import('./app.module.js');
  await serveStdio(AppModule);
}

start().catch(explainBootFailure);
