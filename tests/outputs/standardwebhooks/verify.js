// Verifies messages with the reference library. Reads a file of JSON: {"secret", "messages": [{"id",
// "timestamp", "signature", "body"}]}; prints "ok" or why not, a line each.
//
// node verify.js FILE
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const { secret, messages } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const webhook = new Webhook(secret);
for (const { id, timestamp, signature, body } of messages) {
  try {
    webhook.verify(body, {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    });
    console.log('ok');
  } catch (error) {
    console.log(error.message);
  }
}
