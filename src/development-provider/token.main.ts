import { runTokenCommand } from './token.command.js';

process.exitCode = await runTokenCommand(process.argv.slice(2), {
  environment: process.env,
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
});
